"""Outliers: nodes that should be alike, by fact, folded into groups of equals; the odd ones first."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.app import ComposeResult

from flannelscope.node_views import OutlierLine, OutliersView
from flannelscope.text import count
from tui.page import Page
from tui.state import State
from tui.waiting import waiting
from tui.widgets.document import Block, Document
from tui.widgets.paint import Span
from tui.words import clock, fit, glyph

NUMBER = 5


class OutliersPage(Page):
    """Where nodes differ."""

    MODE = "outliers"
    TITLE = "Outliers"
    SUMMARY = "facts in which nodes differ, the odd ones first"
    HELP = "Each fact with the values nodes have, the rarest first. `c` copies the value with its nodes; Enter goes to them."

    def body(self) -> ComposeResult:
        """The facts."""
        yield Document(id="outliers")

    def wants(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """All facts."""
        return (("outliers", ()),)

    def heading(self, state: State) -> list[Span]:
        """How many nodes were read."""
        told = state.details.get(("outliers", ()))
        spans: list[Span] = [("Outliers", "title")]
        if isinstance(told, OutliersView) and told.asked:
            at = f"  {clock(told.taken, utc=not state.local)}" if told.taken else ""
            spans.append((f"  {told.answered:,} of {count(told.asked, 'node')} read{at}", ""))
        return spans

    def draw(self, state: State) -> None:
        """Show them."""
        told = state.details.get(("outliers", ()))
        self.query_one(Document).put(self._blocks(state, told if isinstance(told, OutliersView) else None))

    def _blocks(self, state: State, told: OutliersView | None) -> Iterable[Block]:
        yield Block()
        if told is None or told.note:
            yield Block(((told.note if told is not None else waiting(state), "muted"),))
            return
        differing = [line for line in told.lines if len(line.groups) > 1]
        said = (
            f"Nodes differ in {count(len(differing), 'fact')}."
            if differing
            else "All nodes that were read are alike in every fact."
        )
        yield Block(((said, "title"),))
        for line in told.lines:
            yield from _fact(line)

    @on(Document.Chosen)
    def chosen(self, event: Document.Chosen) -> None:
        """To the nodes of the group."""
        self.scope.go("nodes", event.item)


def _fact(line: OutlierLine) -> Iterable[Block]:
    differs = len(line.groups) > 1
    mark, role = glyph("!" if differs else "." if line.groups else "?")
    yield Block()
    yield Block(
        ((mark, role), (f" {line.fact}", "title" if differs else ""), (f"  {line.why}" if differs and line.why else "", "muted")),
        indent=2,
    )
    for group in line.groups:
        first = group.nodes.split()[0] if group.nodes else ""
        spans = (
            ("  ", ""),
            (fit(f"{group.count:,}", NUMBER, right=True), "title"),
            (f"  {group.value}", ""),
            (f"  {group.nodes}", "muted"),
        )
        yield Block(
            spans, indent=NUMBER + 4, item=first if group.count == 1 else "", copy=f"{group.value}\t{group.nodes}", folded=True
        )
    if line.unread:
        yield Block((("  ", ""), (f"not known of {line.unread}", "unknown")), indent=NUMBER + 4)


PAGE = OutliersPage
