"""What changed: Nodes that came, went or changed while the console ran, and which of the others' kernels have followed."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.app import ComposeResult

from flannelscope.node_views import FollowedLine, FollowedView
from flannelscope.text import count
from tui.page import Page
from tui.state import State
from tui.widgets.document import Block, Document
from tui.words import clock, glyph


class ChangedPage(Page):
    """Who has followed."""

    MODE = "changed"
    TITLE = "What changed"
    SUMMARY = "nodes that came, went or changed, and who has followed"
    HELP = "After a change the kernels of all other nodes are read again until they have followed. Enter opens the node."

    def body(self) -> ComposeResult:
        """The changes."""
        yield Document(id="changed")

    def wants(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """All changes."""
        return (("followed", ()),)

    def draw(self, state: State) -> None:
        """Show them."""
        told = state.details.get(("followed", ()))
        self.query_one(Document).put(self._blocks(state, told if isinstance(told, FollowedView) else None))

    def _blocks(self, state: State, told: FollowedView | None) -> Iterable[Block]:
        yield Block()
        if told is None:
            yield Block((("asking…", "muted"),))
            return
        if not told.lines:
            yield Block((("No node came, went or changed since this console began to read.", ""),))
        if told.note and told.lines:
            yield Block(((f"Whether the others have followed is not known: {told.note}", "unknown"),))
        for line in told.lines:
            yield from _change(line, bool(told.note), utc=not state.local)

    @on(Document.Chosen)
    def chosen(self, event: Document.Chosen) -> None:
        """Open the node."""
        self.scope.open("node", event.item)


def _change(line: FollowedLine, unread: bool, *, utc: bool) -> Iterable[Block]:
    lacking = line.read - line.followed
    letter = "?" if unread or not line.read else "x" if lacking else "." if line.read == line.of else "?"
    mark, role = glyph(letter)
    yield Block()
    yield Block(
        ((f"{clock(line.at, utc=utc)} ", "muted"), (mark, role), (f" {line.node} {line.what}", "title")), indent=2, item=line.node
    )
    if not unread:
        yield Block(((f"  {_said(line, utc=utc)}", ""),), indent=2)
    if lacking:
        yield Block(((f"  not yet: {line.lacking}", "bad"),), indent=2, copy=line.lacking)
    if line.unknown and not unread:
        yield Block(((f"  not known: {line.unknown}", "unknown"),), indent=2, copy=line.unknown)


def _said(line: FollowedLine, *, utc: bool) -> str:
    looked = line.read + line.doubtful
    if not looked:
        return f"none of the other {line.of} kernels was read since then"
    unread = f", {line.of - looked} not read since" if looked < line.of else ""
    at = f", read {clock(line.seen, utc=utc)}" if line.seen else ""
    return f"{line.followed} of {count(line.of, 'other kernel')} followed{unread}{at}"


PAGE = ChangedPage
