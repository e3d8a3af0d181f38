"""The table of the console: as many rows as a fleet has, painted line by line.

The first column stays while the others scroll by columns; the cursor is a row and a column. Order, sieve and search texts
are `tui.table`'s; this widget moves about in them and paints what is in sight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from textual import events, getters
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message

from tui.notices import Notices
from tui.table import Column, Row
from tui.widgets.moving import MOVE, Moving
from tui.widgets.paint import Span
from tui.widgets.rowsview import RowsView

LOOK = Binding.Group("look")


class Rows(RowsView[Row], Moving, can_focus=True):
    """A table of rows with a cursor."""

    BINDING_GROUP_TITLE = "Table"
    HELP = (
        "Arrows move by row and column. `/` filters: a text in any case, `re:` a regular expression, `!` in front turns it "
        "round. `S` sorts: then the letter shown, arrows, or `S` again for the column of the cursor; the same again reverses."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "open", id="table.open", tooltip="what is known of this row"),
        Binding("S", "sort", "sort", id="table.sort", tooltip="by column: then a letter or arrows", group=LOOK, priority=True),
        Binding("f", "faults", "faults", id="table.faults", tooltip="only rows with a fault", group=LOOK, priority=True),
        Binding("w", "wide", "wide", id="table.wide", tooltip="all columns and whole names", group=LOOK, priority=True),
        Binding("c", "copy_cell", "copy", id="table.copy-cell", tooltip="value of the cell, to the clipboard", group=LOOK),
        Binding("C", "copy_row", "copy row", show=False, id="table.copy-row", tooltip="values of the columns shown", group=LOOK),
        Binding("slash", "filter", "filter", id="table.filter", tooltip="which rows are shown", key_display="/", priority=True),
        Binding("j,down", "move(1)", "down", show=False, id="table.down", tooltip="one row", group=MOVE),
        Binding("k,up", "move(-1)", "up", show=False, id="table.up", tooltip="one row", group=MOVE),
        Binding("right", "column(1)", "right", show=False, id="table.right", tooltip="one column", group=MOVE),
        Binding("left", "column(-1)", "left", show=False, id="table.left", tooltip="one column", group=MOVE),
        Binding("ctrl+f,pagedown", "page(1)", "page down", show=False, id="table.page-down", tooltip="one page", group=MOVE),
        Binding("ctrl+b,pageup", "page(-1)", "page up", show=False, id="table.page-up", tooltip="one page", group=MOVE),
        Binding("g,home", "end(-1)", "first", show=False, id="table.first", tooltip="the first row", group=MOVE),
        Binding("G,end", "end(1)", "last", show=False, id="table.last", tooltip="the last row", group=MOVE),
    ]

    scope = getters.app(Notices)

    class Chosen(Message):
        """Enter was pressed on a row."""

        def __init__(self, rows: Rows[Any], row: Any) -> None:
            super().__init__()
            self.rows = rows
            self.row = row

        @property
        def control(self) -> Rows[Any]:
            """The table."""
            return self.rows

    class Moved(Message):
        """Another row is under the cursor, or the rows, order or sieve changed."""

        def __init__(self, rows: Rows[Any]) -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> Rows[Any]:
            """The table."""
            return self.rows

    def put(self, rows: Iterable[Row]) -> None:
        """Show other rows; the cursor stays with its row, or at the top where it was not moved yet."""
        self._keep(lambda: self.table.put(rows))

    def counted(self, name: str, faults: str) -> list[Span]:
        """What stands above it: `name`, how many of how many rows, and what leaves rows out (`faults` names that sieve)."""
        table = self.table
        spans: list[Span] = [(f"{name}  ", "title"), (f"{table.passed:,} of {len(table.rows):,}", "")]
        if table.faults_only:
            spans.append((f"  {faults}", "accent"))
        if table.written:
            spans.append((f"  /{table.written}", "accent"))
        return spans

    @property
    def written(self) -> str:
        """The filter in force."""
        return self.table.written

    @property
    def let_through(self) -> tuple[int, int]:
        """Rows shown, of all."""
        return len(self.table.shown), len(self.table.rows)

    def sift(self, written: str) -> None:
        """Show only what the text lets through."""
        self._keep(lambda: self.table.sift(written))

    def _keep(self, change: Callable[[], None]) -> None:
        before = self.row if self.held else None
        change()
        self._widths = []
        place = None if before is None else self.table.place(before)
        self.cursor = min(self.cursor, max(len(self.table.shown) - 1, 0)) if place is None else place
        self._anew()

    def _anew(self) -> None:
        self._show_cursor()
        self.repaint()
        self.post_message(self.Moved(self))

    # actions

    def move(self, rows: int) -> None:
        """Move the cursor by so many rows."""
        self._to(self.cursor + rows)

    def turn(self, pages: int) -> None:
        """Move by pages."""
        self._to(self.cursor + pages * self.page)

    def jump(self, end: int) -> None:
        """Move to the first or last row."""
        self._to(0 if end < 0 else len(self.table.shown) - 1)

    def _to(self, row: int) -> None:
        old, top = self.cursor, self.top
        self.cursor = min(max(row, 0), max(len(self.table.shown) - 1, 0))
        self.held = self.cursor > 0
        if self.cursor == old:
            return
        self._show_cursor()
        if self.top != top:
            self.refresh()
        else:
            self._refresh_row(old)
            self._refresh_row(self.cursor)
        self.post_message(self.Moved(self))

    def _refresh_row(self, row: int) -> None:
        self.refresh(Region(0, row - self.top + 1, self.size.width, 1))

    def action_column(self, columns: int) -> None:
        """Move the cursor by so many columns."""
        if self.choosing:
            return self._sort_next(columns)
        self.held = True
        self.column = min(max(self.column + columns, 0), len(self._columns()) - 1)
        self._strips.clear()
        self.refresh()
        return None

    def action_wide(self) -> None:
        """All columns and whole names, or what fits."""
        self.wide = not self.wide
        self.column = min(self.column, len(self._columns()) - 1)
        self._anew()

    def action_faults(self) -> None:
        """Only rows with a fault, or all."""

        def turn() -> None:
            self.table.faults_only = not self.table.faults_only
            self.table.arrange()

        self._keep(turn)

    def action_choose(self) -> None:
        """Open the row."""
        if self.row is not None:
            self.held = True
            self.post_message(self.Chosen(self, self.row))

    async def action_filter(self) -> None:
        """Ask which rows are shown."""
        await self.screen.ask_filter(self)  # type: ignore[attr-defined]  # every screen of ours is a Page

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a column is awaited, letters are not commands."""
        return not (self.choosing and action in ("faults", "wide", "filter"))

    def action_copy_cell(self) -> None:
        """The cell under the cursor, to the terminal's clipboard (OSC 52)."""
        if self.row is not None:
            self.held = True
            self.scope.copy(self._columns()[self.column].plain(self.row))

    def action_copy_row(self) -> None:
        """The columns of the table as it is shown (`w` adds the others), tab between values."""
        if self.row is not None:
            self.held = True
            self.scope.copy("\t".join(column.plain(self.row) for column in self._columns()))

    # sorting

    def watch_choosing(self) -> None:
        """The letters stand out in the heading; what can be typed stands in the last line."""
        self.refresh()
        self.scope.lay_last_line()

    def action_sort(self) -> None:
        """Wait for the letter of a column; again, take that of the cursor."""
        if self.choosing:
            self.sort(self._columns()[self.column])
        self.choosing = not self.choosing

    async def on_key(self, event: events.Key) -> None:
        """While a column is awaited, take the key; anything else goes to the bindings."""
        if not self.choosing or event.key in ("left", "right"):
            return
        event.stop()
        event.prevent_default()
        columns = self._columns()
        letters = {column.letter: column for column in columns}
        chosen = letters.get((event.character or "").upper())
        self.choosing = False
        if chosen is not None:
            self.sort(chosen)

    def _sort_next(self, step: int) -> None:
        columns = self._columns()
        at = self.table.sort_column
        shown = [self.table.columns.index(column) for column in columns]
        place = shown.index(at) + step if at in shown else (0 if step > 0 else -1)
        self.sort(columns[place % len(columns)])

    def sort(self, column: Column[Row]) -> None:
        """Order by `column`; again reverses."""
        self._keep(lambda: self.table.sort_by(self.table.columns.index(column)))
