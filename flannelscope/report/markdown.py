"""The report as Markdown for a ticket or a wiki. Text from the cluster is escaped, so that it stays text there too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from flannelscope.model import Severity
from flannelscope.present import fold_subjects
from flannelscope.report import SEVERITY_WORDS, Report
from flannelscope.report.plain import cluster_line, unknown_groups
from flannelscope.text import clean, count
from flannelscope.views import FindingView, SettingLine

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$])")


def markdown(report: Report) -> str:
    """The whole report in CommonMark with tables."""
    return "\n".join(_lines(report)) + "\n"


def escape(text: str) -> str:
    """`text` so that Markdown shows it as it is."""
    return _SPECIAL.sub(r"\\\1", text)


def code(text: str) -> str:
    """`text` as inline code, fenced by more backticks than it holds."""
    if not text:
        return ""
    fence = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    blank = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{blank}{text}{blank}{fence}"


def _lines(report: Report) -> Iterator[str]:
    seen = report.overview
    yield "# flannelscope"
    yield ""
    yield f"**{escape(seen.verdict)}**"
    yield ""
    yield escape(cluster_line(report))
    for finding in seen.findings:
        yield from _finding(finding)
    if report.suppressed:
        yield from ("", f"## Suppressed: {count(len(report.suppressed), 'finding')}", "")
        for item in report.suppressed:
            yield f"- {item.finding.code} {escape(fold_subjects(item.finding.subjects))} (by {escape(clean(str(item.by)))})"
    if seen.unknown:
        yield from ("", "## Not known", "")
        for codes, nodes, reason in unknown_groups(seen.unknown):
            yield f"- {' '.join(codes)}{f' on {escape(nodes)}' if nodes else ''}: {escape(reason)}"
    yield from ("", "## Looked at", "")
    yield from _table(
        ("topic", "answered", "asked", "missing"),
        ((x.topic, str(x.answered), str(x.asked), _missing(x.missing)) for x in seen.coverage),
    )
    yield from ("", "## Effective configuration", "")
    yield from _table(("setting", "value", "from", "sure"), ((x.name, x.value, x.origin, x.sure) for x in seen.configuration))
    yield from _sources(seen.configuration)
    yield ""
    yield from (f"- flannel: {escape(text)}" for text in seen.flannel)


def _finding(finding: FindingView) -> Iterator[str]:
    word = SEVERITY_WORDS[Severity(finding.severity)]
    yield from ("", f"## {finding.code} {finding.slug} ({word})", "", escape(finding.summary))
    if finding.why:
        yield from ("", f"*Why it matters:* {escape(finding.why)}")
    if finding.evidence:
        rows = ((item.what, item.value, item.origin, code(item.command)) for item in finding.evidence)
        yield ""
        yield from _table(("evidence", "value", "from", "command"), rows, raw=3)
    if finding.consequences:
        yield from ("", "Explains:", "")
        yield from (f"- {c} {escape(subjects)}: {escape(summary)}" for c, subjects, summary in finding.consequences)
    if finding.remedy or finding.commands:
        yield from ("", f"*Remedy:* {escape(finding.remedy)}")
        if finding.commands:
            yield from ("", *(f"    {command}" for command in finding.commands))
    if finding.caution:
        yield from ("", f"*Caution:* {escape(finding.caution)}")
    if finding.undo:
        yield from ("", f"*How to undo it:* {escape(finding.undo)}")


def _sources(settings: Iterable[SettingLine]) -> Iterator[str]:
    """Who says what of the settings."""
    rows = [(line.name, x.what, x.value, x.origin, code(x.command)) for line in settings for x in line.sources]
    if rows:
        yield ""
        yield from _table(("setting", "said", "value", "from", "command"), rows, raw=4)


def _missing(missing: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{node}: {reason}" if node else reason for node, reason in missing)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], raw: int = -1) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        cells = (cell.replace("|", "\\|") if index == raw else escape(cell) for index, cell in enumerate(row))
        yield f"| {' | '.join(cells)} |"
