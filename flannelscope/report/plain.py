"""The report as text for a terminal or a ticket: verdict, findings with their proof, what is not known, what was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from flannelscope.again import here
from flannelscope.model import Severity
from flannelscope.present import ALL_NAMED, IN_EFFECT, fold_subjects
from flannelscope.report import SEVERITY_WORDS, Report, moment
from flannelscope.report.alike import differing, written
from flannelscope.text import clean, count, fold
from flannelscope.views import EvidenceLine, FindingView, UnknownLine

Paint = Callable[[str, str], str]  # (what it is: critical, warning, info, title, dim; text) -> text with colour or without
GLYPHS = {3: "x", 2: "!", 1: "i"}
LABEL = 10
KINDS = 8  # of commands for one code that later ones are compared with
WRITTEN_OUT = "flannelscope check -o markdown"


def plain_text(report: Report, paint: Paint = lambda _kind, text: text) -> str:
    """The whole report, lines ended by a line break."""
    return "\n".join(_lines(report, paint)) + "\n"


def _lines(report: Report, paint: Paint) -> Iterator[str]:
    seen = report.overview
    yield paint("title", seen.verdict)
    yield ""
    yield cluster_line(report)
    told = Told(report.snapshot.declared.world)
    for finding in seen.findings:
        yield ""
        yield from finding_lines(finding, paint, told)
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
        yield from _sources(line.sources, told)
    for text in seen.flannel:
        yield f"  {'flannel':20} {text}"


def cluster_line(report: Report) -> str:
    """Which cluster, which version, how many Nodes, when."""
    seen = report.overview
    name = seen.context or seen.server or "cluster"
    parts = (name, seen.server if seen.context else "", seen.version, count(seen.nodes or 0, "node"))
    return f"{' · '.join(part for part in parts if part)} · {seen.source} {moment(seen.taken)}"


class Told:
    """What this report has said already: sentences, and the commands of remedies by code, with whom they were for."""

    def __init__(self, world: tuple[str, ...] = ()) -> None:
        self.all_commands = f"All commands are written out by: {here(WRITTEN_OUT, world)}"
        self._sentences: set[str] = set()
        self._commands: dict[str, list[tuple[str, tuple[str, ...]]]] = {}

    def anew(self, sentence: str) -> bool:
        """Whether it is the first time that this is said; nothing is never new."""
        new = bool(sentence) and sentence not in self._sentences
        self._sentences.add(sentence)
        return new

    def alike(self, finding: FindingView) -> str:
        """Whose commands these are with which words in the place of others, "" where they have to be written out."""
        before = self._commands.setdefault(finding.code, [])
        for who, commands in before if len(finding.commands) > 1 else ():
            words = differing(commands, finding.commands)
            if words is not None:
                given = f", with {', '.join(f'{here} -> {there}' for here, there in words.items())}" if words else ""
                return f"the commands of {finding.code} {who} above{given}"
        if len(before) < KINDS:
            before.append((_who(finding), finding.commands))
        return ""


def finding_lines(finding: FindingView, paint: Paint, told: Told | None = None) -> Iterator[str]:
    """One finding with all its proof; what was `told` before (why it matters, what to beware of, commands) is not repeated."""
    told = told or Told()
    word = SEVERITY_WORDS[Severity(finding.severity)]
    yield paint(word, f"{GLYPHS[finding.severity]} {finding.code} {finding.slug} ({word})") + f"  {_who(finding)}"
    yield f"  {finding.summary}"
    if told.anew(finding.why):
        yield _labelled("why", finding.why)
    yield from _evidence(finding.evidence)
    for code, subjects, summary in finding.consequences:
        yield _labelled("causes", " ".join(part for part in (code, subjects, f"- {summary}" if summary else "") if part))
    if finding.remedy:
        yield _labelled("remedy", finding.remedy)
    if alike := told.alike(finding):
        yield _labelled("", f"# {alike}")
        if told.anew(told.all_commands):
            yield _labelled("", told.all_commands)
    else:
        yield from (_labelled("", f"$ {command}") for command in finding.commands)
    if told.anew(finding.caution):
        yield _labelled("caution", finding.caution)
    if told.anew(finding.undo):
        yield _labelled("undo", finding.undo)


def _evidence(lines: Sequence[EvidenceLine]) -> Iterator[str]:
    """All proofs. The command of one that is like the proof before, but about another name, is not written again."""
    shown = EvidenceLine("", "", "", "")
    for item in lines:
        yield _labelled("evidence", f"{item.what}: {item.value}{f'  <- {item.origin}' if item.origin else ''}")
        if item.command and not _as_before(shown, item):
            shown = item
            yield _labelled("", f"$ {item.command}")


def _as_before(shown: EvidenceLine, item: EvidenceLine) -> bool:
    words = differing((shown.command,), (item.command,))
    if words is None or len(words) > 1:
        return False
    return not words or written((shown.what,), words) == [item.what]


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
    rest = f" and {len(others) - 4} more ({ALL_NAMED})" if len(others) > 4 else ""
    return ", ".join((*([fold(nodes)] if nodes else []), *others[:4])) + rest


def _labelled(label: str, text: str) -> str:
    return f"  {label:{LABEL}}{text}"


def _sources(lines: Sequence[EvidenceLine], told: Told) -> Iterator[str]:
    """Who else says something of a setting, value by value, and the commands that show it. What is in effect stands above."""
    others: dict[str, list[str]] = {}
    for item in lines:
        if item.what != IN_EFFECT:
            others.setdefault(f"{item.what}: {item.value}", []).append(item.origin)
    for said, origins in others.items():
        yield f"  {'':20} {said}  <- {'; '.join(dict.fromkeys(origins))}"
    yield from (f"  {'':20} $ {item.command}" for item in lines if told.anew(item.command))


def _sure(sure: str) -> str:
    return "" if sure in ("yes", "unknown", "contradiction") else f"  ({sure})"
