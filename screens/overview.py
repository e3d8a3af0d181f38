"""Overview: the answer in a sentence, and below it the proof: findings by severity, coverage, what is in effect."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from textual import on
from textual.app import ComposeResult

from flannelscope.text import count, spoken
from flannelscope.views import CoverageLine, FindingView, Overview, SettingLine
from tui.page import Page, count_nodes
from tui.state import Phase, State
from tui.waiting import failure_blocks, progress_blocks, waiting
from tui.widgets.document import Block, Document
from tui.widgets.paint import Span
from tui.words import SETTINGS, SEVERITIES, SEVERITY_NAMES, fit, folded, glyph

LABEL = 15
CANNOT_LOOK = "FLN603"
SURENESS = {"hint": "a hint", "estimate": "inferred", "unknown": "", "contradiction": ""}


class OverviewPage(Page):
    """The answer on one page."""

    MODE = "overview"
    KEY = "1"
    TITLE = "Overview"
    DECORATION = 1
    SUMMARY = "the verdict, and what it rests on"
    HELP = """
    Enter on a finding shows its evidence and what to do; on several of one kind, their list. On a setting: who says so. On
    flannel: the nodes. On what was not looked at: the node, the missing right, or the requests. `c` copies the value.
    """

    def body(self) -> ComposeResult:
        """One document."""
        yield Document(id="overview")

    def heading(self, state: State) -> list[Span]:
        """Program, cluster, version, nodes."""
        overview = state.overview
        spans: list[Span] = [("flannelscope  ", "title")]
        if overview is None:
            named = self.scope.settings.context or self.scope.settings.demo or self.scope.settings.from_file
            return [*spans, (named, "")] if named else spans
        parts = [overview.version, count_nodes(overview, len(state.rows))]
        name = overview.context or overview.server
        return [*spans, (f"{name}  ", "accent"), (" · ".join(part for part in parts if part), "")]

    def draw(self, state: State) -> None:
        """Put the document together."""
        self.query_one("#overview", Document).put(self._blocks(state))

    @on(Document.Chosen)
    async def chosen(self, event: Document.Chosen) -> None:
        """Open what the line is about: one thing, a list of findings, or a page."""
        kind, _, key = event.item.partition(" ")
        if kind == "code":
            same = [finding.key for finding in self.scope.store.state.findings if finding.code == key]
            if len(same) == 1:
                self.scope.open("finding", same[0])
            else:
                self.scope.go("findings", key)
        elif kind == "page":
            self.scope.call_later(self.scope.action_page, key)
        else:
            self.scope.open(kind, key)

    def _blocks(self, state: State) -> Iterable[Block]:
        yield Block()
        if state.notice:
            yield Block((glyph("!"), (f" {state.notice}", "warn")), indent=2)
        yield from failure_blocks(state)
        overview = state.overview
        if overview is None:
            if state.failed is None:
                said = "stopped; r reads" if state.phase is Phase.STOPPED else waiting(state)
                yield Block(((said, "title"),))
                yield Block()
                yield from progress_blocks(state, self.scope.settings.timeout) if state.progress else ()
            return
        yield Block(((overview.verdict, "title"),))
        yield Block()
        yield Block(tuple(_counts(state, overview)), indent=2)
        yield Block(tuple(_looked_at(overview)), indent=2)
        yield Block()
        for code, same in groupby(state.findings, key=lambda finding: (finding.severity, finding.code)):
            yield _entry(code[1], list(same))
        if state.findings:
            yield Block()
        yield from _facts(overview, state)


def _counts(state: State, overview: Overview) -> Iterable[Span]:
    for severity in (3, 2, 1):
        number = sum(1 for finding in state.findings if finding.severity == severity)
        mark, role = glyph(SEVERITIES[severity])
        yield (f"{mark} {number} {SEVERITY_NAMES[severity]}   ", role if number else "muted")
    if overview.unknown:
        yield (f"? {len(overview.unknown)} not judged{'' if overview.complete else ' yet'}", "unknown")


def _looked_at(overview: Overview) -> Iterable[Span]:
    whole = sum(1 for line in overview.coverage if not line.missing and line.answered >= line.asked)
    lines = {line.topic: line for line in overview.coverage}
    counts = [_covered(lines[topic]) for topic in ("nodes", "pods") if topic in lines]
    yield ("looked at ", "muted")
    yield (" · ".join([*counts, f"{whole} of {count(len(overview.coverage), 'topic')} whole"]), "muted")


def _covered(line: CoverageLine) -> str:
    if line.missing and not line.answered:
        return f"{line.topic} not read"
    number = f"{line.answered:,}" if line.answered >= line.asked else f"{line.answered:,} of {line.asked:,}"
    return f"{number} {line.topic}{f' ({line.scope})' if line.scope else ''}"


def _entry(code: str, same: list[FindingView]) -> Block:
    """Findings of one code in one line, which opens the one, or their list."""
    first = same[0]
    mark, role = glyph(SEVERITIES.get(first.severity, "?"))
    nodes = tuple(dict.fromkeys(node for finding in same for node in finding.nodes))
    number = count(len(nodes), "node") if nodes else ""
    title = spoken(first.slug)
    return Block(
        (
            (mark, role),
            (f" {code} ", role),
            (fit(title, 30), ""),
            (f" {number:>11}  ", "muted"),
            (folded(nodes, 3) if nodes else first.subjects[0][2] if first.subjects else "", "muted"),
        ),
        indent=2,
        item=f"code {code}",  # also of one: others may join it while the cursor is there
        copy=first.summary,
    )


def _facts(overview: Overview, state: State) -> Iterable[Block]:
    for line in overview.configuration:
        yield _setting(line)
    for number, text in enumerate(overview.flannel):
        yield _fact("flannel" if not number else "", [(text, "")], "page nodes")
    for coverage in overview.coverage:
        for node, reason in coverage.missing[:3]:
            text = f"{coverage.topic}{f' of {node}' if node else ''}: {reason}"
            yield _fact("not looked at", [(text, "unknown")], _cause(state, node))
        if len(coverage.missing) > 3:
            yield _fact("", [(f"{coverage.topic}: and {len(coverage.missing) - 3} more", "unknown")], _cause(state))


def _cause(state: State, node: str = "") -> str:
    """Where more stands about what could not be read: the node, the finding that names the missing rights, the requests."""
    if node in state.rows:
        return f"node {node}"
    cannot_look = next((finding.key for finding in state.findings if finding.code == CANNOT_LOOK), "")
    return f"finding {cannot_look}" if cannot_look else "page requests"


def _setting(line: SettingLine) -> Block:
    sure = SURENESS.get(line.sure, "")
    origin = " · ".join(part for part in (sure, line.origin) if part)
    role = {"contradiction": "warn", "unknown": "unknown"}.get(line.sure, "")
    spans: list[Span] = [(line.value, role), (f"   {origin}" if origin else "", "muted")]
    return _fact(SETTINGS.get(line.name, line.name), spans, f"setting {line.name}")


def _fact(name: str, spans: list[Span], item: str) -> Block:
    """A line that unfolds under the cursor; the first span is the value, `item` what Enter opens."""
    return Block(((fit(name, LABEL), "muted"), *spans), indent=LABEL, item=item, copy=spans[0][0], folded=True)


PAGE = OverviewPage
