"""A square of states as a value: who stands in rows and columns, in which order, and how many share one cell of the screen.

A state is a small number whose meaning a Legend gives; the higher, the more it wants to be seen, so that what stands for
several is simply the highest of them. Made for 500 by 500 states: everything is worked out once a change, on bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tui.table import Sieve
from tui.words import sortable

Group = tuple[int, ...]  # places that share one row or column of the screen


@dataclass(frozen=True)
class Look:
    """How a state is drawn: a glyph (one cell, told apart without colour), the role of its colour, and what it means."""

    glyph: str
    role: str
    means: str


@dataclass(frozen=True)
class Legend:
    """The looks of all states, by number. From `fault` on a state is a fault; `nobody` is the one of a pair with itself."""

    looks: tuple[Look, ...]
    fault: int
    nobody: int = 0


@dataclass(frozen=True, eq=False)
class Square:
    """`names` along both sides, and their states row by row (`len(names)` squared bytes)."""

    names: tuple[str, ...] = ()
    states: bytes = b""

    def row(self, place: int) -> bytes:
        """The states of one row."""
        size = len(self.names)
        return self.states[place * size : (place + 1) * size]

    def column(self, place: int) -> bytes:
        """The states of one column."""
        return self.states[place :: len(self.names)]

    def turned(self) -> Square:
        """Rows as columns."""
        return Square(self.names, b"".join(self.column(place) for place in range(len(self.names))))


@dataclass
class Grid:
    """A Square with order, sieve and fold. `rows` and `columns` are the places shown, in their order."""

    legend: Legend
    square: Square = field(default_factory=Square)
    written: str = ""
    sieve: Sieve = field(default_factory=Sieve)
    faults_only: bool = False
    worst_first: bool = False
    transposed: bool = False
    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    _faults: tuple[list[int], list[int]] = ((), ())  # type: ignore[assignment]  # by place: faults in its row, in its column
    _texts: tuple[str, ...] = ()
    _folded: dict[tuple[int, int], tuple[list[Group], list[Group], list[bytes]]] = field(default_factory=dict)

    def put(self, square: Square) -> None:
        """Take another square (as the source tells it, not transposed)."""
        self.square = square.turned() if self.transposed else square
        self._texts = tuple(name.lower() for name in square.names)
        self._count()
        self.arrange()

    def turn(self) -> None:
        """Rows become columns."""
        self.transposed = not self.transposed
        self.square = self.square.turned()
        self._faults = (self._faults[1], self._faults[0])
        self.arrange()

    def sift(self, written: str) -> None:
        """Only names that the text lets through, on both sides."""
        self.written = written
        self.sieve = Sieve.of(written)
        self.arrange()

    def arrange(self) -> None:
        """Work out `rows` and `columns`."""
        names = self.square.names
        places = sorted(range(len(names)), key=lambda place: sortable(names[place]))
        if self.sieve.text or self.sieve.pattern is not None:
            places = [place for place in places if self.sieve.passes(self._texts[place])]
        self.rows, self.columns = (self._side(places, faults) for faults in self._faults)
        self._folded.clear()

    @property
    def passed(self) -> int:
        """How many names the sieve lets through, on the longer side."""
        return max(len(self.rows), len(self.columns))

    @property
    def manner(self) -> tuple[str, ...]:
        """In which ways what is shown differs from all of it in its usual order, in words."""
        ways = ((self.transposed, "transposed"), (self.faults_only, "faults only"), (self.worst_first, "worst first"))
        return (*(word for holds, word in ways if holds), *((f"/{self.written}",) if self.written else ()))

    @property
    def faults(self) -> int:
        """How many pairs have a fault."""
        return sum(self._faults[0])

    def state(self, row: int, column: int) -> int:
        """The state of a pair, by places in the square."""
        return self.square.states[row * len(self.square.names) + column]

    def folded(self, most_rows: int, most_columns: int) -> tuple[list[Group], list[Group], list[bytes]]:
        """Rows, columns and states so that there are at most so many of each: what stands for several is their highest."""
        wanted = (max(most_rows, 1), max(most_columns, 1))
        known = self._folded.get(wanted)
        if known is None:
            known = self._folded[wanted] = self._fold(*wanted)
        return known

    def _fold(self, most_rows: int, most_columns: int) -> tuple[list[Group], list[Group], list[bytes]]:
        rows, columns = groups(self.rows, most_rows), groups(self.columns, most_columns)
        lines = [self._line(group, columns) for group in rows]
        return rows, columns, lines

    def _line(self, group: Group, columns: Sequence[Group]) -> bytes:
        several = [self.square.row(place) for place in group]
        worst = several[0] if len(several) == 1 else bytes(map(max, *several))
        if all(len(column) == 1 for column in columns):
            return bytes([worst[column[0]] for column in columns])
        return bytes([max([worst[place] for place in column]) for column in columns])

    def _count(self) -> None:
        marks = bytes(int(state >= self.legend.fault) for state in range(256))
        marked = Square(self.square.names, self.square.states.translate(marks))
        places = range(len(self.square.names))
        self._faults = ([marked.row(p).count(1) for p in places], [marked.column(p).count(1) for p in places])

    def _side(self, places: list[int], faults: Sequence[int]) -> tuple[int, ...]:
        kept = [place for place in places if faults[place]] if self.faults_only else places
        return tuple(sorted(kept, key=lambda place: -faults[place]) if self.worst_first else kept)


def groups(places: Sequence[int], most: int) -> list[Group]:
    """Places in at most `most` groups of neighbours, all of one size but the last."""
    size = max(-(-len(places) // most), 1)
    return [tuple(places[start : start + size]) for start in range(0, len(places), size)]
