"""How a table looks: which columns are in sight, how wide each is, and one painted line a row.

The first column stays while the others scroll by columns; painted lines are kept until something changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic

from textual.strip import Strip

from tui.table import Column, Row, Table
from tui.widgets.paint import Span, cropped, width_of, wrap
from tui.widgets.sifted import Sifted
from tui.words import fit, glyph, middle

FIRST_MOST = 0.4  # of the width, for the frozen column, until `w`


class RowsView(Sifted, Generic[Row]):
    """The painting half of `Rows`."""

    DEFAULT_CSS = "RowsView { height: 1fr; }"

    def __init__(
        self,
        table: Table[Row],
        glyph_of: Callable[[Row], str],
        *,
        empty: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.table = table
        self.glyph_of = glyph_of
        self.empty = empty
        self.cursor = 0
        self.held = False  # the operator put the cursor on its row, so that it stays there whatever comes
        self.column = 0
        self.top = 0
        self.wide = False
        self._widths: list[int] = []
        self._strips: dict[tuple[int, bool], Strip] = {}

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.table.shown[self.cursor] if self.table.shown else None

    @property
    def page(self) -> int:
        """How many rows are in sight."""
        return max(self.size.height - 1, 1)

    def repaint(self) -> None:
        """Paint the same rows again: what their cells say depends on something else that changed."""
        self._strips.clear()
        self.refresh()

    def _show_cursor(self) -> None:
        most = max(len(self.table.shown) - self.page, 0)
        self.top = min(max(self.top, self.cursor - self.page + 1), self.cursor, most) if self.size.height else 0

    def notify_style_update(self) -> None:
        """Other colours: nothing painted holds."""
        self._strips.clear()
        super().notify_style_update()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._widths = []
        self._strips.clear()
        self._show_cursor()

    def on_focus(self) -> None:
        """The cursor looks different."""
        self._strips.clear()

    def on_blur(self) -> None:
        """The cursor looks different, and no column is awaited."""
        self.choosing = False
        self._strips.clear()

    def _columns(self) -> list[Column[Row]]:
        every = list(self.table.columns)
        if self.wide:
            return every
        widths = self._all_widths()
        if sum(widths) + len(widths) + 3 <= self.size.width:
            return every
        return [column for column in every if not column.extra]

    def _all_widths(self) -> list[int]:
        if not self._widths:
            self._widths = self.table.widths(self.table.columns)
        return self._widths

    def _layout(self) -> list[tuple[Column[Row], int]]:
        """The columns in sight with their widths: the first, then from the one scrolled to, as many as fit."""
        columns = self._columns()
        need = dict(zip(self.table.columns, self._all_widths(), strict=True))
        total = self.size.width - 3
        first = need[columns[0]]
        if not self.wide and sum(need[c] + 1 for c in columns) > total + 1:
            first = min(first, max(int(total * FIRST_MOST), 8))
        first = min(first, total)
        for left in range(1, len(columns) + 1):
            laid, room = [(columns[0], first)], total - first
            for column in columns[left:]:
                if need[column] + 1 + self._sign(column, columns) > room:
                    break
                laid.append((column, need[column]))
                room -= need[column] + 1
            if self.column == 0 or self.column < left + len(laid) - 1 or left == self.column:
                return self._widened(laid, room) if laid[-1][0] is columns[-1] else laid
        return [(columns[0], first)]

    def _widened(self, laid: list[tuple[Column[Row], int]], room: int) -> list[tuple[Column[Row], int]]:
        """The same columns, with room that is left given to those whose cells are cut."""
        widened = []
        for column, width in laid:
            more = min(max(self.table.natural(column) - width, 0), max(room, 0))
            widened.append((column, width + more))
            room -= more
        return widened

    def _sign(self, column: Column[Row], columns: list[Column[Row]]) -> int:
        """How many cells the sign that there are more needs behind a column: it may stand on the blank after a title."""
        sorted_by = self.table.sort_column is not None and self.table.columns[self.table.sort_column] is column
        return 0 if column is columns[-1] else int(column.right or sorted_by)

    def render_line(self, y: int) -> Strip:
        """The heading, a row, or nothing."""
        if y == 0:
            return self.paint(self._heading(), self.size.width)
        index = self.top + y - 1
        if index < len(self.table.shown):
            at_cursor = index == self.cursor
            strip = self._strips.get((index, at_cursor))
            if strip is None:
                strip = self._strips[index, at_cursor] = self._row_strip(self.table.shown[index], at_cursor)
            return strip
        said = [] if self.table.shown else [[], *wrap([(self._why_empty(), "muted")], self.size.width - 4)]
        return self.paint([("   ", ""), *said[y - 1]] if y <= len(said) else (), self.size.width)

    def _why_empty(self) -> str:
        if self.table.rows and self.table.written:
            return f"nothing matches /{self.table.written}   (esc shows all)"
        if self.table.rows and self.table.faults_only:
            return "no row with a fault   (f shows all)"
        return self.empty

    def _row_strip(self, row: Row, at_cursor: bool) -> Strip:
        mark, role = glyph(self.glyph_of(row))
        spans: list[Span] = [(" ", ""), (mark, role)]
        for place, (column, width) in enumerate(self._layout()):
            spans.append((" ", ""))
            spans += _cell(column.cell(row), width, column.right, place == 0)
        under = ("cursor" if self.has_focus else "cursor-away") if at_cursor else ""
        return self.paint(spans, self.size.width, under)

    def _heading(self) -> list[Span]:
        layout = self._layout()
        columns = self._columns()
        spans: list[Span] = [("   ", "")]
        for place, (column, width) in enumerate(layout):
            if place:
                more = place == 1 and columns.index(column) > 1
                spans.append(("‹" if more else " ", "accent"))
            spans += self._title(column, width)
        if layout[-1][0] is not columns[-1] or (len(layout) == 1 and len(columns) > 1):
            used, (text, role) = width_of(spans), spans[-1]
            spans[-1] = (text[:-1] if used == self.size.width else text, role)
            spans += [(" " * max(self.size.width - used - 1, 0), ""), ("›", "accent")]
        return spans

    def _title(self, column: Column[Row], width: int) -> list[Span]:
        marked = ""
        if self.table.sort_column is not None and self.table.columns[self.table.sort_column] is column:
            marked = "▼" if self.table.reverse else "▲"
        text = fit(column.title + marked, width, right=column.right)
        role = "title" if self._columns()[self.column] is column and self.has_focus else "muted"
        if not self.choosing:
            return [(text, role)]
        at = text.upper().find(column.letter)
        return [(text[:at], "muted"), (text[at : at + 1], "accent"), (text[at + 1 :], "muted")]


def _cell(cell: str | Sequence[Span], width: int, right: bool, name: bool) -> list[Span]:
    if isinstance(cell, str):
        cell = [(middle(cell, width) if name else cell, "")]
    size = width_of(cell)
    if size <= width:
        blank: list[Span] = [(" " * (width - size), "")]
        return [*blank, *cell] if right else [*cell, *blank]
    return cropped(cell, width)
