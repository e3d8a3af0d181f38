"""The report as text for a terminal or a ticket: verdict, findings with their proof, what is not known, what was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet

from flannelscope.model import Severity
from flannelscope.present import fold_subjects
from flannelscope.report import SEVERITY_WORDS, Report, moment
from flannelscope.text import clean, count, fold
from flannelscope.views import FindingView, UnknownLine

Paint = Callable[[str, str], str]  # (what it is: critical, warning, info, title, dim; text) -> text with colour or without
GLYPHS = {3: "x", 2: "!", 1: "i"}
LABEL = 10


def plain_text(report: Report, paint: Paint = lambda _kind, text: text) -> str:
    """The whole report, lines ended by a line break."""
    return "\n".join(_lines(report, paint)) + "\n"


def _lines(report: Report, paint: Paint) -> Iterator[str]:
    seen = report.overview
    yield paint("title", seen.verdict)
    yield ""
    yield cluster_line(report)
    told: set[str] = set()
    for finding in seen.findings:
        yield ""
        yield from finding_lines(finding, paint, told)
        told |= {finding.why, finding.caution}
    if report.suppressed:
        yield ""
        yield paint("title", f"Suppressed: {count(len(report.suppressed), 'finding')}")
        for item in report.suppressed:
            by = clean(str(item.by))
            yield f"- {item.finding.code} {item.finding.slug}  {fold_subjects(item.finding.subjects)}  (by {by})"
    yield from _unknown(seen.unknown, paint)
    yield ""
    yield paint("title", "Looked at")
    yield from coverage_lines(report)
    yield ""
    yield paint("title", "Effective configuration")
    for line in seen.configuration:
        yield f"  {line.name:20} {line.value}{f'  <- {line.origin}' if line.origin else ''}{_sure(line.sure)}"
    for text in seen.flannel:
        yield f"  {'flannel':20} {text}"


def cluster_line(report: Report) -> str:
    """Which cluster, which version, how many Nodes, when."""
    seen = report.overview
    name = seen.context or seen.server or "cluster"
    parts = (name, seen.server if seen.context else "", seen.version, count(seen.nodes or 0, "node"))
    return f"{' · '.join(part for part in parts if part)} · {seen.source} {moment(seen.taken)}"


def finding_lines(finding: FindingView, paint: Paint, told: AbstractSet[str] = frozenset()) -> Iterator[str]:
    """One finding with all its proof; why it matters and what to beware of is left out where it was `told` before."""
    word = SEVERITY_WORDS[Severity(finding.severity)]
    yield paint(word, f"{GLYPHS[finding.severity]} {finding.code} {finding.slug} ({word})") + f"  {_who(finding)}"
    yield f"  {finding.summary}"
    if finding.why and finding.why not in told:
        yield _labelled("why", finding.why)
    for item in finding.evidence:
        yield _labelled("evidence", f"{item.what}: {item.value}{f'  <- {item.origin}' if item.origin else ''}")
        if item.command:
            yield _labelled("", f"$ {item.command}")
    for code, subjects, summary in finding.consequences:
        yield _labelled("causes", " ".join(part for part in (code, subjects, f"- {summary}" if summary else "") if part))
    if finding.remedy:
        yield _labelled("remedy", finding.remedy)
    for command in finding.commands:
        yield _labelled("", f"$ {command}")
    if finding.caution and finding.caution not in told:
        yield _labelled("caution", finding.caution)


def coverage_lines(report: Report) -> Iterator[str]:
    """Topic by topic what came of what was asked for, and why the rest did not."""
    for line in report.overview.coverage:
        at = f"  {moment(line.at)}" if line.at else ""
        yield f"  {line.topic:20} {line.answered} of {line.asked}{f' ({line.scope})' if line.scope else ''}{at}"
        for node, reason in line.missing:
            yield f"  {'':20} missing{f' on {node}' if node else ''}: {reason}"


def unknown_groups(lines: tuple[UnknownLine, ...]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Checks that could not judge for one reason and the same Nodes, together: (codes, Nodes folded, reason)."""
    grouped: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for line in lines:
        grouped.setdefault((line.nodes, line.reason), []).append(line.code)
    for (nodes, reason), codes in grouped.items():
        yield tuple(dict.fromkeys(codes)), fold(nodes), reason


def _unknown(lines: tuple[UnknownLine, ...], paint: Paint) -> Iterator[str]:
    if not lines:
        return
    yield ""
    yield paint("title", "Not known")
    for codes, nodes, reason in unknown_groups(lines):
        yield f"? {' '.join(codes)}{f' on {nodes}' if nodes else ''}: {reason}"


def _who(finding: FindingView) -> str:
    nodes = [name for kind, _, name in finding.subjects if kind == "Node"]
    others = [
        f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
        for kind, namespace, name in finding.subjects
        if kind != "Node"
    ]
    rest = f" and {len(others) - 4} more" if len(others) > 4 else ""
    return ", ".join((*([fold(nodes)] if nodes else []), *others[:4])) + rest


def _labelled(label: str, text: str) -> str:
    return f"  {label:{LABEL}}{text}"


def _sure(sure: str) -> str:
    return "" if sure in ("yes", "unknown") else f"  ({sure})"
