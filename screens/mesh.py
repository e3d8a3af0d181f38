"""Mesh: what each node's kernel knows of every other node: route, neighbour and FDB entry, rows towards columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from flannelscope.node_views import FAULT, CellView, MeshView, PairState
from flannelscope.text import count
from tui.grid import Grid, Legend, Look, Square
from tui.page import Page
from tui.state import Phase, State
from tui.waiting import waiting
from tui.widgets.gridmap import GridMap
from tui.widgets.lines import Note
from tui.widgets.paint import Span
from tui.words import clock

LOOKS = {
    PairState.SELF: Look("\\", "muted", "itself"),
    PairState.NOT_WANTED: Look(" ", "muted", "nothing wanted"),
    PairState.OK: Look("·", "muted", "right"),
    PairState.EXTRA: Look("+", "muted", "left over"),
    PairState.SETTLING: Look("~", "info", "just changed"),
    PairState.UNKNOWN: Look("?", "unknown", "not known"),
    PairState.DIFFERS: Look("!", "bad", "differs"),
    PairState.MISSING: Look("✗", "bad", "missing"),
}
LEGEND = Legend(tuple(LOOKS[state] for state in PairState), int(FAULT), int(PairState.SELF))


@dataclass(frozen=True)
class Leg:
    """One kind of entry, or the worst of all; `one` and `each` are its words in a sentence."""

    name: str
    title: str
    one: str
    each: str


LEGS = (
    Leg("states", "route · neighbour · FDB", "an entry", "entry"),
    Leg("route", "route", "a route", "route"),
    Leg("neighbour", "neighbour", "a neighbour", "neighbour"),
    Leg("fdb", "FDB", "an FDB entry", "FDB entry"),
)


class MeshPage(Page):
    """The map of all pairs."""

    MODE = "mesh"
    KEY = "4"
    TITLE = "Mesh"
    SUMMARY = "each node's kernel towards every other node"
    HELP = """
    A row is a node's own kernel; a cell says whether its route, neighbour and FDB entry for the column's node are what flannel
    would have set. `Tab` shows one kind of entry alone. Enter opens the pair.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "leg(1)", "route/neighbour/FDB", id="mesh.leg", tooltip="which kind of entry", priority=True),
        Binding("shift+tab", "leg(-1)", "kind before", show=False, id="mesh.leg-before", tooltip="the one before", priority=True),
    ]
    leg = 0
    drawn: tuple[object, int] | None = None

    def body(self) -> ComposeResult:
        """What it comes to, the map, what the cell says, and what the glyphs mean."""
        yield Note(id="said")
        yield GridMap(Grid(LEGEND), id="map")
        yield Note(id="cell")
        yield Note(id="legend")

    @property
    def map(self) -> GridMap:
        """The map."""
        return self.query_one(GridMap)

    def view(self, state: State) -> MeshView | None:
        """What the engine told of it."""
        told = state.details.get(("mesh", ()))
        return told if isinstance(told, MeshView) else None

    def wants(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The mesh, and the pair under the cursor."""
        pair = self.pair() if self.is_mounted else None
        return (("mesh", ()), *((("cell", pair),) if pair is not None else ()))

    def pair(self) -> tuple[str, str] | None:
        """Observer and peer under the cursor, where it stands on one pair."""
        under = self.map.pair()
        if under is None or len(under[0]) > 1 or len(under[1]) > 1:
            return None
        names = self.map.grid.square.names
        row, column = names[under[0][0]], names[under[1][0]]
        return (column, row) if self.map.grid.transposed else (row, column)

    def heading(self, state: State) -> list[Span]:
        """How many nodes, which entries, what is left out."""
        grid = self.map.grid
        title = [("Mesh  ", "title"), (count(len(grid.square.names), "node"), ""), (f"  {LEGS[self.leg].title}", "")]
        return [*title, *((f"  {word}", "accent") for word in grid.manner)]

    def draw(self, state: State) -> None:
        """Show the map and what stands around it."""
        view = self.view(state)
        self.map.empty = _empty(state, view)
        if (view, self.leg) != self.drawn:
            self.drawn = (view, self.leg)
            states = getattr(view, LEGS[self.leg].name) if view is not None else b""
            self.map.put(Square(view.names if view is not None and states else (), states))
        self.query_one("#said", Note).put(_said(view, self.map.grid.square, LEGS[self.leg], state))
        self.query_one("#legend", Note).put(_legend() if self.map.grid.square.names else ())
        self.draw_cell(state)

    def draw_cell(self, state: State) -> None:
        """What the cell under the cursor says."""
        self.query_one("#cell", Note).put(self._cell(state))

    def _cell(self, state: State) -> Iterable[Span]:
        pair = self.pair()
        if pair is None:
            return self._several()
        told = state.details.get(("cell", pair))
        if pair[0] == pair[1]:
            return [(f"{pair[0]} itself: enter opens the node", "muted")]
        look = LOOKS[PairState(self._state_under())]
        if not isinstance(told, CellView):
            return [(f"{pair[0]} towards {pair[1]}: {look.means}", "")]
        return [(look.glyph, look.role), (f" {told.said}", "")]

    def _several(self) -> list[Span]:
        under = self.map.pair()
        if under is None:
            return []
        rows, columns = under
        faulty = sum(self.map.grid.state(row, column) >= FAULT for row in rows for column in columns)
        who = f"{self.map.title(rows)} towards {self.map.title(columns)}"
        said = f"{who}: {faulty:,} of {len(rows) * len(columns):,} pairs with a fault"
        return [(said, ""), ("   enter or z comes nearer", "muted")]

    def _state_under(self) -> int:
        under = self.map.pair()
        assert under is not None
        return self.map.grid.state(under[0][0], under[1][0])

    def action_leg(self, step: int) -> None:
        """Another kind of entry."""
        self.leg = (self.leg + step) % len(LEGS)
        self.show(self.scope.store.state)

    @on(GridMap.Moved)
    def moved(self) -> None:
        """Ask for the pair, and say what is known of it."""
        self.scope.look(self.wants())
        state = self.scope.store.state
        self.draw_cell(state)
        self.head(state)

    @on(GridMap.Chosen)
    def chosen(self, event: GridMap.Chosen) -> None:
        """The three entries, wanted and found."""
        if event.row == event.column:
            self.scope.open("node", event.row)
        else:
            self.scope.open("pair", f"{event.row} {event.column}")


def _said(view: MeshView | None, square: Square, leg: Leg, state: State) -> list[Span]:
    """The answer in a sentence, of what is shown: one kind of entry, or all of them."""
    if view is None or not view.names:
        return []
    unread = view.asked - view.answered
    reading = state.phase is Phase.READING
    silent = "not yet read" if reading else "did not answer, or not wholly"
    gap = f" {count(unread, 'node')} {silent}." if unread else ""
    at = (f"  read {clock(view.taken, utc=not state.local)}" if view.taken else "", "muted")
    number = Counter(square.states)
    faults = sum(number[kind] for kind in PairState if kind >= FAULT)
    doubts = number[PairState.UNKNOWN] + number[PairState.SETTLING]
    if faults:
        said = f"{count(faults, 'pair')} with {leg.one} that is not as flannel would have set it."
    elif number[PairState.OK]:
        said = f"{count(number[PairState.OK], 'pair')} looked at: every {leg.each} is as flannel would have set it."
    elif not doubts:
        return [(f"No {leg.each} is wanted between these nodes.{gap} {view.note}".strip(), ""), at]
    else:
        return [(f"Nothing could be judged.{gap} {view.note}".strip(), "warn"), at]
    spans = [(said, "title")]
    if doubts:
        spans.append((f" {count(doubts, 'pair')} not known.", "unknown"))
    return [*spans, (gap, "title"), at]


def _legend() -> list[Span]:
    spans: list[Span] = []
    for state in (PairState.OK, PairState.MISSING, PairState.DIFFERS, PairState.UNKNOWN, PairState.SETTLING, PairState.EXTRA):
        look = LOOKS[state]
        spans += [(look.glyph, look.role), (f" {look.means}   ", "muted")]
    return spans


def _empty(state: State, view: MeshView | None) -> str:
    """What stands in place of the map."""
    if view is not None and view.note:
        return view.note
    if state.overview is None or state.phase is Phase.READING or view is None:
        return waiting(state)
    return "there are no nodes in flannel's network"


PAGE = MeshPage
