"""One pair of nodes: the route, neighbour and FDB entry that the observer's kernel should have for the peer, and has."""

from __future__ import annotations

from collections.abc import Iterable

from flannelscope.node_views import CellView, EntryLine, PairState
from tui.detail import DocumentPage
from tui.state import State
from tui.widgets.document import Block
from tui.widgets.paint import Span
from tui.words import fit, glyph

LABEL = 10
GLYPH = {
    PairState.OK: ".",
    PairState.EXTRA: ".",
    PairState.SETTLING: "i",
    PairState.UNKNOWN: "?",
    PairState.DIFFERS: "x",
    PairState.MISSING: "x",
}
WORDS = {
    PairState.SELF: "the node itself",
    PairState.NOT_WANTED: "none wanted",
    PairState.OK: "as wanted",
    PairState.EXTRA: "left over, which does no harm",
    PairState.SETTLING: "one of both changed just now: not judged yet",
    PairState.UNKNOWN: "not known",
    PairState.DIFFERS: "differs",
    PairState.MISSING: "missing",
}


class PairPage(DocumentPage):
    """A pair, opened; its key is "OBSERVER PEER"."""

    OPENS = "pair"
    LEADS_TO = "node"
    TITLE = "Pair"
    HELP = "Enter on a node's name opens it; `c` copies the value or the command. Nothing here is run."

    @property
    def about(self) -> tuple[str, str]:
        """Observer and peer."""
        observer, _, peer = self.key.partition(" ")
        return observer, peer

    def wants(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """This pair, both ways."""
        observer, peer = self.about
        return ("cell", (observer, peer)), ("cell", (peer, observer))

    def heading(self, state: State) -> list[Span]:
        """Who towards whom."""
        observer, peer = self.about
        return [("Pair  ", ""), (f"{observer} towards {peer}", "title")]

    def draw(self, state: State) -> None:
        """Both ways, one below the other."""
        self.document.put(self._blocks(state))

    def _blocks(self, state: State) -> Iterable[Block]:
        observer, peer = self.about
        for one, other in ((observer, peer), (peer, observer)):
            told = state.details.get(("cell", (one, other)))
            yield Block()
            if isinstance(told, CellView):
                yield from _way(told)
            else:
                said = "not told yet" if ("cell", (one, other)) not in state.details else "there is no such pair"
                yield Block(((f"{one} towards {other}: {said}", "muted"),))
        yield Block()
        yield Block((("nodes", "muted"),))
        for name in (observer, peer):
            yield Block(((f"  {name}", ""),), item=name, copy=name)


def _way(told: CellView) -> Iterable[Block]:
    mark, role = glyph(GLYPH.get(PairState(told.state), "-"))
    yield Block(((mark, role), (f" {told.said}", "title")), indent=2)
    for entry in told.entries:
        yield from _entry(entry)


def _entry(entry: EntryLine) -> Iterable[Block]:
    state = PairState(entry.state)
    mark, role = glyph(GLYPH.get(state, "-"))
    yield Block()
    yield Block((("  ", ""), (mark, role), (f" {entry.kind}: {WORDS[state]}", "title" if state > PairState.UNKNOWN else "")))
    for name, value in (("wanted", entry.wanted), ("found", entry.found)):
        if value or state > PairState.UNKNOWN:
            yield Block((("    ", ""), (fit(name, LABEL), "muted"), (value or "none", "")), indent=4 + LABEL, copy=value)
    commands = (("shows it", entry.shows, False), *(("mends it", mend, True) for mend in entry.mends))
    for name, command, whole in commands:
        spans = (("    ", ""), (fit(name, LABEL), "muted"), (command, ""))
        yield Block(spans, indent=4 + LABEL, copy=command, command=whole)
    if entry.origin:
        yield Block((("    ", ""), (fit("read", LABEL), "muted"), (entry.origin, "muted")), indent=4 + LABEL)


PAGE = PairPage
