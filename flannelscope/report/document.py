"""The JSON of `flannelscope check -o json`: keys are a promise to scripts; they never change meaning, more may be added."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from flannelscope import __version__
from flannelscope.errors import FlannelscopeError
from flannelscope.model import Evidence, Finding, Remedy, Subject
from flannelscope.present import undo
from flannelscope.report import SCHEMA, SEVERITY_WORDS, Report, moment
from flannelscope.views import EvidenceLine


def document(report: Report) -> dict[str, Any]:
    """The report as one object."""
    seen = report.overview
    return {
        **head(report),
        "verdict": seen.verdict,
        "coverage": [
            {
                "topic": line.topic,
                "asked": line.asked,
                "answered": line.answered,
                "missing": [{"node": node, "reason": reason} for node, reason in line.missing],
                **({"scope": line.scope} if line.scope else {}),
            }
            for line in seen.coverage
        ],
        "findings": [_finding(finding) for finding in report.judgement.findings],
        "unknown": [{"code": u.code, "nodes": list(u.nodes), "reason": u.reason} for u in report.judgement.unknown],
        "suppressed": [
            {"code": item.finding.code, "subjects": _subjects(item.finding.subjects), "by": str(item.by)}
            for item in report.suppressed
        ],
        "configuration": [
            {
                "setting": line.name,
                "value": line.value,
                "from": line.origin,
                "sure": line.sure,
                "sources": [_evidence(item) for item in line.sources],
            }
            for line in seen.configuration
        ],
    }


def head(report: Report) -> dict[str, Any]:
    """Schema, tool, cluster, time and source: what every document about a cluster begins with."""
    cluster = report.snapshot.cluster
    return {
        "schema": SCHEMA,
        "tool": f"flannelscope {__version__}",
        "cluster": {
            "uid": cluster.uid,
            "server": cluster.server,
            "context": cluster.context,
            "version": cluster.version,
            "nodes": len(report.snapshot.nodes),
        },
        "taken": moment(report.snapshot.taken),
        "source": report.snapshot.source,
    }


def error(problem: FlannelscopeError) -> dict[str, Any]:
    """What is printed instead of a document when there is none."""
    return {"schema": SCHEMA, "error": {"what": problem.what, "where": problem.where, "do": problem.do}}


_UNPRINTABLE = re.compile(r"[^\n -~]+")


def encode(value: Any) -> str:
    """JSON as text in printable ASCII: no control or bidi character of the cluster reaches a terminal raw."""
    try:
        text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    except UnicodeEncodeError:  # a path that is no UTF-8 holds lone surrogates, which only the slower encoder can escape
        text = json.dumps(value, indent=2)
    return _UNPRINTABLE.sub(_escaped, text) + "\n"


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "slug": finding.slug,
        "severity": SEVERITY_WORDS[finding.severity],
        "subjects": _subjects(finding.subjects),
        "summary": finding.summary,
        "why": finding.why,
        "evidence": [_evidence(item) for item in finding.evidence],
        "consequences": [
            {"code": item.code, "subjects": _subjects(item.subjects), "summary": item.summary} for item in finding.consequences
        ],
        **({"remedy": _remedy(finding.remedy, finding.code)} if finding.remedy is not None else {}),
    }


def _evidence(item: Evidence | EvidenceLine) -> dict[str, str]:
    return {"what": item.what, "value": item.value, "from": item.origin, "command": item.command}


def _remedy(remedy: Remedy, code: str) -> dict[str, Any]:
    return {
        "summary": remedy.summary,
        "commands": list(remedy.commands),
        "caution": remedy.caution,
        "proof": remedy.proof,
        "undo": undo().get(code, ""),
    }


def _subjects(subjects: tuple[Subject, ...]) -> list[dict[str, str]]:
    return [{"kind": s.kind, "name": s.name, **({"namespace": s.namespace} if s.namespace else {})} for s in subjects]
