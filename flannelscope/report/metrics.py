"""The report in Prometheus' text format, for the node exporter's textfile collector or a push gateway.

A code that was judged and not found stands there with 0; one that could not be judged is missing among the findings and
stands in flannelscope_check_unknown, so that an alert can tell "none" from "not known".
"""

from __future__ import annotations

from collections import Counter

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from flannelscope import __version__
from flannelscope.checks import all_checks
from flannelscope.model import Finding
from flannelscope.report import SEVERITY_WORDS, Report, share
from flannelscope.text import clean


def metrics(report: Report) -> str:
    """All metrics of one report, in a registry of their own."""
    registry = CollectorRegistry()
    _findings(report, registry)
    unknown = _gauge(registry, "flannelscope_check_unknown", "Checks that could not judge: Nodes concerned, 0 for all.", "code")
    for line in report.overview.unknown:
        unknown.labels(line.code).set(len(line.nodes))
    coverage = _gauge(registry, "flannelscope_coverage_ratio", "Share of what was asked for that was read.", "topic")
    for covered in report.overview.coverage:
        coverage.labels(covered.topic).set(share(covered) / 100)
    _gauge(registry, "flannelscope_nodes", "Nodes of the cluster.").set(len(report.snapshot.nodes))
    _gauge(registry, "flannelscope_suppressed_findings", "Findings that were suppressed.").set(len(report.suppressed))
    _gauge(registry, "flannelscope_taken_timestamp_seconds", "When the newest part was read.").set(report.snapshot.taken)
    cluster = report.snapshot.cluster
    info = _gauge(registry, "flannelscope_info", "What was judged, and by which version.", "version", "cluster_uid", "context")
    info.labels(__version__, clean(cluster.uid), clean(cluster.context)).set(1)
    return generate_latest(registry).decode("utf-8")


def _findings(report: Report, registry: CollectorRegistry) -> None:
    names = ("code", "slug", "severity")
    number = _gauge(registry, "flannelscope_findings", "Findings by code and severity.", *names)
    nodes = _gauge(registry, "flannelscope_finding_nodes", "Nodes named by findings of a code and severity.", *names)
    unsure = {line.code for line in report.overview.unknown}
    for check in all_checks():
        if check.code in report.judgement.checks and check.code not in unsure:
            number.labels(check.code, check.slug, SEVERITY_WORDS[check.severity]).set(0)
            nodes.labels(check.code, check.slug, SEVERITY_WORDS[check.severity]).set(0)
    found: Counter[tuple[str, str, str]] = Counter()
    named: dict[tuple[str, str, str], set[str]] = {}
    for finding in report.judgement.findings:
        found[_labels(finding)] += 1
        named.setdefault(_labels(finding), set()).update(finding.nodes)
    for labels, count in found.items():
        number.labels(*labels).set(count)
        nodes.labels(*labels).set(len(named[labels]))


def _labels(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.slug, SEVERITY_WORDS[finding.severity]


def _gauge(registry: CollectorRegistry, name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(name, meaning, labels, registry=registry)
