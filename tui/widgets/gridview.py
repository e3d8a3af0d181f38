"""How a grid of states looks: names at the left, some of them on top, one or more cells a pair, and what is in sight."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from flannelscope.text import fold
from tui.grid import Grid, Group
from tui.widgets.paint import Span
from tui.widgets.sifted import Sifted
from tui.words import fit, middle

LABEL_MOST = 24
LABEL_SHARE = 4  # names take at most this part of the width
WIDE, SINGLE = "wide", "single"  # zooms above folding


class GridView(Sifted):
    """The painting half of `GridMap`. `zoom` is 0 (all in sight), then finer, down to one cell a pair and wide cells."""

    DEFAULT_CSS = "GridView { height: 1fr; }"

    def __init__(self, grid: Grid, *, empty: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self.grid = grid
        self.empty = empty
        self.zoom: int | None = None  # None: the finest in which all is in sight, else the coarsest there is
        self.cursor = (0, 0)  # places in the groups of rows and columns
        self.origin = (0, 0)
        self._laid: tuple[object, list[tuple[int, int, int]]] | None = None  # what the zooms were worked out for

    # what is in sight

    @property
    def label(self) -> int:
        """Cells for the names at the left."""
        longest = max((len(name) for name in self.grid.square.names), default=1)
        if len(self.grid.rows) > self.size.height:
            longest = 2 * longest + len("[-]")  # where rows are folded, their names are ranges
        return max(min(longest, LABEL_MOST, self.size.width // LABEL_SHARE), 3)

    @property
    def room(self) -> tuple[int, int]:
        """Lines and cells for states."""
        return max(self.size.height - 1, 1), max(self.size.width - self.label - 3, 1)

    def zooms(self) -> list[tuple[int, int, int]]:
        """All zooms from coarse to fine: most rows, most columns, cells a column."""
        made_for = (self.size, self.grid.rows, self.grid.columns, self.grid.square)
        if self._laid is None or self._laid[0] != made_for:
            self._laid = (made_for, self._all_zooms())
        return self._laid[1]

    def _all_zooms(self) -> list[tuple[int, int, int]]:
        lines, cells = self.room
        rows, columns = len(self.grid.rows), len(self.grid.columns)
        width = self._wide()
        found = []
        most = (min(lines, rows), min(cells, columns))
        while most != (rows, columns):
            found.append((*most, 1))
            most = (min(most[0] * 2, rows), min(most[1] * 2, columns))
        found.append((rows, columns, 1))
        if width > 1:
            found.append((rows, columns, width))
        return found

    def _wide(self) -> int:
        names = [self.grid.square.names[place] for place in self.grid.columns]
        return min(max((len(short) for short in self.shorts(names)), default=1) + 1, 8)

    def chosen(self) -> tuple[int, int, int]:
        """The zoom in force."""
        zooms = self.zooms()
        if self.zoom is not None:
            return zooms[min(max(self.zoom, 0), len(zooms) - 1)]
        fitting = [zoom for zoom in zooms if self._fits(zoom)]
        return fitting[-1] if fitting else zooms[0]

    def _fits(self, zoom: tuple[int, int, int]) -> bool:
        lines, cells = self.room
        return zoom[0] <= lines and zoom[1] * zoom[2] <= cells

    def view(self) -> tuple[list[Group], list[Group], list[bytes]]:
        """What is drawn: groups of rows and columns, and the states line by line."""
        rows, columns, _ = self.chosen()
        return self.grid.folded(rows, columns)

    def shorts(self, names: Sequence[str]) -> list[str]:
        """Names without the beginning that all of them share, at least one sign of each."""
        every = self.grid.square.names
        if len(every) < 2:
            return list(names)
        first, last = min(every), max(every)
        common = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
        while common and first[common - 1 : common].isalnum() and not first[common - 1].isalpha():
            common -= 1  # numbers stay whole
        return [name[common:] or name for name in names]

    def title(self, group: Group) -> str:
        """The name of a group: its node, or the range of them."""
        names = [self.grid.square.names[place] for place in group]
        return names[0] if len(names) == 1 else fold(names, 3)

    def pair(self) -> tuple[Group, Group] | None:
        """The rows and columns under the cursor, None where nothing is shown."""
        rows, columns, _ = self.view()
        if not rows or not columns:
            return None
        return rows[min(self.cursor[0], len(rows) - 1)], columns[min(self.cursor[1], len(columns) - 1)]

    def keep_in_sight(self) -> None:
        """Hold the cursor inside what is shown, and what is shown around the cursor."""
        rows, columns, _ = self.view()
        lines, cells = self.room
        across = max(cells // self.chosen()[2], 1)
        self.cursor = (_inside(self.cursor[0], len(rows)), _inside(self.cursor[1], len(columns)))
        top, left = self.origin
        self.origin = (
            _window(top, self.cursor[0], lines, len(rows)),
            _window(left, self.cursor[1], across, len(columns)),
        )

    # painting

    def on_resize(self) -> None:
        """Other room: another zoom may fit."""
        self.keep_in_sight()
        self.refresh()

    def on_focus(self) -> None:
        """The cursor looks different."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor looks different."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The names on top, a row, or nothing."""
        rows, columns, lines = self.view()
        if not rows or not columns:
            return self.paint([("   ", ""), (self._why_empty(), "muted")] if y == 1 else (), self.size.width)
        if y == 0:
            return self.paint(self._ruler(columns), self.size.width)
        index = self.origin[0] + y - 1
        if index >= len(rows):
            return self.paint((), self.size.width)
        return self.paint(self._row(rows[index], lines[index], index), self.size.width)

    def _why_empty(self) -> str:
        if self.grid.square.names and self.grid.written:
            return f"nothing matches /{self.grid.written}   (esc shows all)"
        if self.grid.square.names and self.grid.faults_only:
            return "no pair with a fault   (f shows all)"
        return self.empty

    def _row(self, group: Group, states: bytes, index: int) -> list[Span]:
        here = index == self.cursor[0]
        name = fit(middle(self.title(group), self.label), self.label)
        spans: list[Span] = [(" ", ""), (name, "title" if here else ""), (" ", "")]
        width = self.chosen()[2]
        left, end = self._across()
        looks = self.grid.legend.looks
        for column in range(left, min(end, len(states))):
            look = looks[states[column]]
            role = ("cursor" if self.has_focus else "cursor-away") if here and column == self.cursor[1] else look.role
            text = look.glyph if width == 1 else fit(" " * ((width - 1) // 2) + look.glyph, width)
            if spans[-1][1] == role and column > left:
                spans[-1] = (spans[-1][0] + text, role)
            else:
                spans.append((text, role))
        return spans

    def _across(self) -> tuple[int, int]:
        left = self.origin[1]
        return left, left + max(self.room[1] // self.chosen()[2], 1)

    def _ruler(self, columns: Sequence[Group]) -> list[Span]:
        """Names over their columns as far as they fit; that of the cursor always stands there."""
        left, end = self._across()
        width = self.chosen()[2]
        shown = columns[left:end]
        shorts = self.shorts([self.grid.square.names[group[0]] for group in shown])
        cells = [" "] * (len(shown) * width)
        at = (self.cursor[1] - left) * width
        own = self.shorts([self.title(columns[min(self.cursor[1], len(columns) - 1)])])[0]
        place = max(min(at, self.room[1] - len(own)), 0)
        taken = range(place, place + len(own))
        _write(cells, place, own)
        last = -2
        for number, short in enumerate(shorts):
            start = number * width
            span = range(start, start + len(short))
            if start > last and span.stop <= len(cells) and (span.stop < taken.start or span.start > taken.stop):
                _write(cells, start, short)
                last = span.stop
        text = "".join(cells)
        head = fit("", self.label + 2)
        return [(head, ""), (text[:place], "muted"), (text[place : taken.stop], "accent"), (text[taken.stop :], "muted")]


def _write(cells: list[str], at: int, text: str) -> None:
    cells.extend(" " * max(at + len(text) - len(cells), 0))
    cells[at : at + len(text)] = text


def _inside(place: int, size: int) -> int:
    return min(max(place, 0), max(size - 1, 0))


def _window(start: int, cursor: int, room: int, size: int) -> int:
    return min(max(start, cursor - room + 1), cursor, max(size - room, 0))
