"""One finding: what is true and what it means, why it matters, the evidence, what follows from it, what to do."""

from __future__ import annotations

from collections.abc import Iterable

from flannelscope.text import count, spoken
from flannelscope.views import EvidenceLine, FindingView
from tui.detail import DocumentPage
from tui.state import State
from tui.widgets.document import Block
from tui.widgets.paint import Span
from tui.words import SEVERITIES, SEVERITY_NAMES, folded, glyph

MOST_NODES = 12  # links to nodes
MOST_EVIDENCE = 200


class FindingPage(DocumentPage):
    """A finding, opened."""

    OPENS = "finding"
    LEADS_TO = "node"
    TITLE = "Finding"
    HELP = "The cursor stops at what can be copied (`c`) or opened (Enter): commands, values, nodes."
    finding: FindingView | None = None

    def heading(self, state: State) -> list[Span]:
        """Code and name."""
        if self.finding is None:
            return [("Finding", "title")]
        mark, role = glyph(SEVERITIES.get(self.finding.severity, "?"))
        return [(f"{mark} {self.finding.code} ", role), (spoken(self.finding.slug), "title")]

    def draw(self, state: State) -> None:
        """Show it; where it no longer holds, say so and keep showing it."""
        held = state.finding(self.key)
        self.finding = held or self.finding
        gone = held is None and state.overview is not None
        self.document.put(_blocks(self.finding, gone))


def _blocks(finding: FindingView | None, gone: bool) -> Iterable[Block]:
    yield Block()
    if finding is None:
        yield Block((("This finding does not hold any more, or was not read yet.", "muted"),))
        return
    if gone:
        yield Block((("This finding does not hold any more; what follows was true before.", "warn"),))
        yield Block()
    yield Block(((finding.summary, "title"),), copy=finding.summary)
    name = SEVERITY_NAMES.get(finding.severity, "?")
    about = f" · {count(len(finding.nodes), 'node')}: {folded(finding.nodes, 8)}" if finding.nodes else ""
    yield Block(((f"{name}{about}", "muted"),))
    yield from _section("why it matters", [Block(((finding.why, ""),))] if finding.why else [])
    yield from _section("evidence", list(_evidence(finding.evidence)))
    yield from _section("what follows from it", [_follows(*each) for each in finding.consequences])
    yield from _section("what to do", list(_remedy(finding)))
    yield from _section("how to undo it", [Block(((finding.undo, ""),))] if finding.undo else [])
    if len(finding.nodes) <= MOST_NODES:
        yield from _section("nodes", [Block(((f"› {node}", ""),), item=node, copy=node) for node in finding.nodes])


def _section(title: str, blocks: list[Block]) -> Iterable[Block]:
    if blocks:
        yield Block()
        yield Block(((title, "accent"),))
        yield from blocks


def _evidence(lines: Iterable[EvidenceLine]) -> Iterable[Block]:
    shown = ""  # proofs that are read in one place name their command once
    for number, line in enumerate(lines):
        if number == MOST_EVIDENCE:
            yield Block((("… more: flannelscope check -o json has all of it", "muted"),))
            return
        yield Block(((f"· {line.what}: ", ""), (line.value, "title"), (f"   {line.origin}", "muted")), indent=2, copy=line.value)
        if line.command and line.command != shown:
            yield Block((("  $ ", "muted"), (line.command, "muted")), indent=4, copy=line.command, command=True)
        shown = line.command


def _follows(code: str, subjects: str, summary: str) -> Block:
    return Block(((f"· {code} ", ""), (summary, ""), (f"   {subjects}" if subjects else "", "muted")), indent=2)


def _remedy(finding: FindingView) -> Iterable[Block]:
    if finding.remedy:
        yield Block(((finding.remedy, ""),))
    for command in finding.commands:
        yield Block((("  $ ", "muted"), (command, "key")), indent=4, copy=command, command=True)
    if finding.caution:
        yield Block((glyph("!"), (f" {finding.caution}", "warn")), indent=2)
    if finding.commands:
        yield Block((("flannelscope does none of this by itself; c copies the command under the cursor", "muted"),))


PAGE = FindingPage
