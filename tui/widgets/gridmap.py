"""The map of the console: who stands how towards whom, from four names to five hundred, with a cursor on a pair."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import getters
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.grid import Group, Square
from tui.notices import Notices
from tui.widgets.gridview import GridView
from tui.widgets.moving import MOVE, Moving
from tui.widgets.rows import LOOK


class GridMap(GridView, Moving, can_focus=True):
    """A map with a cursor."""

    BINDING_GROUP_TITLE = "Map"
    HELP = (
        "Rows look towards columns. `z` comes nearer, `Z` goes back until all is in sight; a cell that stands for several "
        "shows the worst of them. `/` filters both sides, `f` leaves only names with a fault, `t` turns rows into columns."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "open", id="map.open", tooltip="this pair; of several, comes nearer"),
        Binding("f", "faults", "faults", id="map.faults", tooltip="only names with a fault", group=LOOK, priority=True),
        Binding("t", "turn_round", "transpose", id="map.transpose", tooltip="rows become columns", group=LOOK, priority=True),
        Binding("z", "nearer(1)", "zoom", id="map.nearer", tooltip="nearer", group=LOOK, priority=True),
        Binding("Z", "nearer(-1)", "zoom out", show=False, id="map.farther", tooltip="farther", group=LOOK, priority=True),
        Binding("S", "worst", "worst first", show=False, id="map.worst", tooltip="most faults first, or by name", group=LOOK),
        Binding("c", "copy_pair", "copy", show=False, id="map.copy", tooltip="the two names, to the clipboard", group=LOOK),
        Binding("slash", "filter", "filter", id="map.filter", tooltip="which names are shown", key_display="/", priority=True),
        Binding("n", "next_fault(1)", "next fault", show=False, id="map.next", tooltip="the next pair with a fault", group=MOVE),
        Binding("N", "next_fault(-1)", "fault before", show=False, id="map.before", tooltip="the one before", group=MOVE),
        Binding("j,down", "move(1)", "down", show=False, id="map.down", tooltip="one row", group=MOVE),
        Binding("k,up", "move(-1)", "up", show=False, id="map.up", tooltip="one row", group=MOVE),
        Binding("right", "across(1)", "right", show=False, id="map.right", tooltip="one column", group=MOVE),
        Binding("left", "across(-1)", "left", show=False, id="map.left", tooltip="one column", group=MOVE),
        Binding("ctrl+f,pagedown", "page(1)", "page down", show=False, id="map.page-down", tooltip="one page", group=MOVE),
        Binding("ctrl+b,pageup", "page(-1)", "page up", show=False, id="map.page-up", tooltip="one page", group=MOVE),
        Binding("g,home", "end(-1)", "first", show=False, id="map.first", tooltip="the first row", group=MOVE),
        Binding("G,end", "end(1)", "last", show=False, id="map.last", tooltip="the last row", group=MOVE),
    ]

    scope = getters.app(Notices)

    class Chosen(Message):
        """Enter was pressed on a pair: the two names."""

        def __init__(self, row: str, column: str) -> None:
            super().__init__()
            self.row = row
            self.column = column

    class Moved(Message):
        """Another pair is under the cursor, or what is shown changed."""

    def put(self, square: Square) -> None:
        """Show another square; the cursor stays with its pair."""
        self._keep(lambda: self.grid.put(square))

    @property
    def written(self) -> str:
        """The filter in force."""
        return self.grid.written

    @property
    def let_through(self) -> tuple[int, int]:
        """Names shown, of all."""
        return self.grid.passed, len(self.grid.square.names)

    def sift(self, written: str) -> None:
        """Only names that the text lets through."""
        self._keep(lambda: self.grid.sift(written))

    def _keep(self, change: Callable[[], None], *, swap: bool = False) -> None:
        held = self._names()
        change()
        if held is not None:
            self._to_names(*(reversed(held) if swap else held))
        self._anew()

    def _anew(self) -> None:
        self.keep_in_sight()
        self.refresh()
        self.post_message(self.Moved())

    def _names(self) -> tuple[str, str] | None:
        pair = self.pair()
        if pair is None:
            return None
        names = self.grid.square.names
        return names[pair[0][0]], names[pair[1][0]]

    def _to_names(self, row: str, column: str) -> None:
        rows, columns, _ = self.view()
        self.cursor = (self._place(rows, row, self.cursor[0]), self._place(columns, column, self.cursor[1]))

    def _place(self, groups: list[Group], name: str, otherwise: int) -> int:
        names = self.grid.square.names
        return next((at for at, group in enumerate(groups) if any(names[place] == name for place in group)), otherwise)

    def on_resize(self) -> None:
        """Other room folds otherwise: another cell may be under the cursor."""
        super().on_resize()
        self.post_message(self.Moved())

    # actions

    def _to(self, row: int, column: int) -> None:
        before = self.cursor
        self.cursor = (row, column)
        self.keep_in_sight()
        if self.cursor != before:
            self._anew()

    def move(self, rows: int) -> None:
        """Move the cursor by so many rows."""
        self._to(self.cursor[0] + rows, self.cursor[1])

    def turn(self, pages: int) -> None:
        """Move by pages."""
        self.move(pages * self.room[0])

    def jump(self, end: int) -> None:
        """Move to the first or last row."""
        self._to(0 if end < 0 else len(self.grid.rows), self.cursor[1])

    def action_across(self, columns: int) -> None:
        """Move the cursor by so many columns."""
        self._to(self.cursor[0], self.cursor[1] + columns)

    def action_nearer(self, steps: int) -> None:
        """Come nearer, or go back."""
        zooms = self.zooms()
        now = zooms.index(self.chosen())

        def change() -> None:
            self.zoom = min(max(now + steps, 0), len(zooms) - 1)

        self._keep(change)

    def action_faults(self) -> None:
        """Only names with a fault, or all."""

        def change() -> None:
            self.grid.faults_only = not self.grid.faults_only
            self.grid.arrange()

        self._keep(change)

    def action_worst(self) -> None:
        """Most faults first, or by name."""

        def change() -> None:
            self.grid.worst_first = not self.grid.worst_first
            self.grid.arrange()

        self._keep(change)

    def action_turn_round(self) -> None:
        """Rows become columns; the cursor stays on its pair."""
        self._keep(self.grid.turn, swap=True)

    async def action_filter(self) -> None:
        """Ask which names are shown."""
        await self.screen.ask_filter(self)  # type: ignore[attr-defined]  # every screen of ours is a Page

    def action_next_fault(self, step: int) -> None:
        """The next cell with a fault, row by row, round the end."""
        _, columns, lines = self.view()
        every = b"".join(lines)
        fault = self.grid.legend.fault
        at = self.cursor[0] * len(columns) + self.cursor[1]
        order = [(at + step * far) % len(every) for far in range(1, len(every))] if every else []
        found = next((place for place in order if every[place] >= fault), None)
        if found is None:
            self.notify("no other fault in sight", markup=False, timeout=3)
        else:
            self._to(found // len(columns), found % len(columns))

    def action_choose(self) -> None:
        """Open the pair; where a cell stands for several, come nearer."""
        pair = self.pair()
        if pair is None:
            return
        if len(pair[0]) > 1 or len(pair[1]) > 1:
            self.action_nearer(1)
            return
        names = self.grid.square.names
        row, column = names[pair[0][0]], names[pair[1][0]]
        self.post_message(self.Chosen(column, row) if self.grid.transposed else self.Chosen(row, column))

    def action_copy_pair(self) -> None:
        """The two names under the cursor."""
        pair = self.pair()
        if pair is not None:
            self.scope.copy(f"{self.title(pair[0])} {self.title(pair[1])}")
