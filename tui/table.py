"""A table as a value: columns, order and sieve over rows of any kind. Knows nothing of drawing.

Made for thousands of rows: keys and search texts are worked out once a row and kept until the row is another object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from tui.widgets.paint import Span

Row = TypeVar("Row")


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column. `letter` sorts by it; `key` orders rows; `measure` tells how wide a row's cell is, or all cells are.

    `extra` columns are shown when there is room for all, or on request. `most` bounds the width while room is short. `value`
    is what is copied, where that is not what the cell shows.
    """

    title: str
    letter: str
    cell: Callable[[Row], str | Sequence[Span]]
    key: Callable[[Row], Any]
    measure: Callable[[Row], int] | int
    right: bool = False
    extra: bool = False
    most: int = 45
    value: Callable[[Row], str] | None = None

    def plain(self, row: Row) -> str:
        """The value of a row's cell without marks and without the dash that stands for none."""
        if self.value is not None:
            return self.value(row)
        cell = self.cell(row)
        text = cell if isinstance(cell, str) else "".join(text for text, _ in cell)
        return "" if text == "-" else text


@dataclass(frozen=True)
class Sieve:
    """Which rows are let through: a literal text in any case, `re:` a regular expression, a leading `!` turns it round.

    `error` says why a regular expression cannot be used; all rows pass then.
    """

    text: str = ""
    inverse: bool = False
    pattern: re.Pattern[str] | None = None
    error: str = ""

    @classmethod
    def of(cls, written: str) -> Sieve:
        """Read what was typed behind the slash."""
        inverse = written.startswith("!")
        text = written[1:] if inverse else written
        if not text.startswith("re:"):
            return cls(text.lower(), inverse and bool(text))
        try:
            return cls(text, inverse, re.compile(text[3:], re.IGNORECASE) if text[3:] else None)
        except re.error as error:
            return cls(error=f"not a regular expression: {error}")

    def passes(self, text: str) -> bool:
        """Whether a row with this (lower-case) text is let through."""
        if self.pattern is not None:
            return (self.pattern.search(text) is not None) is not self.inverse
        if self.error or not self.text or self.text == "re:":
            return True
        return (self.text in text) is not self.inverse


@dataclass(frozen=True)
class Gather(Generic[Row]):
    """Rows of one kind as one row where there are more than `most`, so that they do not push the others out of sight.

    `kind` names the kind of a row; `one` makes the row that stands for them, whose identity is to be that name.
    """

    kind: Callable[[Row], str]
    one: Callable[[str, Sequence[Row]], Row]
    most: int = 5

    def rows(self, rows: Iterable[Row]) -> list[Row]:
        """The rows, gathered; each of those made stands where the first of its kind stood."""
        kinds: dict[str, list[Row]] = {}
        for row in rows:
            kinds.setdefault(self.kind(row), []).append(row)
        made = ([self.one(kind, same)] if len(same) > self.most else same for kind, same in kinds.items())
        return [row for some in made for row in some]


@dataclass
class Table(Generic[Row]):
    """Rows with their order and sieve. `shown` is what is left, in order; `passed` counts what the sieves let through.

    Rows are gathered only while nothing is typed into the sieve.
    """

    columns: tuple[Column[Row], ...]
    identity: Callable[[Row], str]
    text: Callable[[Row], str]
    fault: Callable[[Row], bool]
    usual: Callable[[Row], Any]  # the order while no column is chosen
    gather: Gather[Row] | None = None
    rows: tuple[Row, ...] = ()
    passed: int = 0
    shown: list[Row] = field(default_factory=list)
    sort_column: int | None = None
    reverse: bool = False
    faults_only: bool = False
    written: str = ""
    sieve: Sieve = Sieve()
    _ordered: list[Row] = field(default_factory=list)  # in the usual order
    _keys: dict[str, tuple[Row, Any]] = field(default_factory=dict)
    _texts: dict[str, tuple[Row, str]] = field(default_factory=dict)
    _ids: frozenset[int] = frozenset()
    _widest: dict[str, int] = field(default_factory=dict)  # a column does not shrink while rows come and go

    def put(self, rows: Iterable[Row]) -> None:
        """Take other rows; order and sieve stay."""
        rows = tuple(rows)
        self._measure([row for row in rows if id(row) not in self._ids])  # the rows before are still held: no id is used twice
        self.rows = rows
        self._ids = frozenset(map(id, rows))
        if len(self._texts) > 2 * len(rows) + 100:  # rows that are long gone
            self._texts.clear()
        if len(self._keys) > 4 * len(rows) + 100:
            self._keys.clear()
        self._ordered = sorted(rows, key=self._usual_key)
        self.arrange()

    def arrange(self) -> None:
        """Work out `shown`."""
        rows: Iterable[Row] = self._ordered
        if self.faults_only:
            rows = filter(self.fault, rows)
        if self.sieve.text or self.sieve.pattern is not None:
            rows = [row for row in rows if self.sieve.passes(self._text(row))]
        rows = list(rows)
        self.passed = len(rows)
        if self.gather is not None and not self.written:
            rows = self.gather.rows(rows)
            self._measure([row for row in rows if id(row) not in self._ids])
        column = self.sort_column
        self.shown = rows if column is None else sorted(rows, key=self.columns[column].key, reverse=self.reverse)

    def place(self, row: Row) -> int | None:
        """Where a row, or the one that stands for it, is shown."""
        names = {name: place for place, name in enumerate(map(self.identity, self.shown))}
        own = names.get(self.identity(row))
        return own if own is not None or self.gather is None else names.get(self.gather.kind(row))

    def sort_by(self, column: int | None) -> None:
        """Order by a column; the same again turns the order round."""
        self.reverse = not self.reverse if column == self.sort_column and column is not None else False
        self.sort_column = column
        self.arrange()

    def sift(self, written: str) -> None:
        """Let through what the text asks for; see Sieve."""
        self.written = written
        self.sieve = Sieve.of(written)
        self.arrange()

    def widths(self, columns: Iterable[Column[Row]]) -> list[int]:
        """How wide each column has to be for its title (with a sort mark) and all rows."""
        return [self._width(column) for column in columns]

    def natural(self, column: Column[Row]) -> int:
        """How wide the widest cell of a column is."""
        return column.measure if isinstance(column.measure, int) else self._widest.get(column.letter, 0)

    def _measure(self, rows: Sequence[Row]) -> None:
        for column in self.columns:
            if not isinstance(column.measure, int):
                widest = max(map(column.measure, rows), default=0)
                self._widest[column.letter] = max(widest, self._widest.get(column.letter, 0))

    def _width(self, column: Column[Row]) -> int:
        return max(len(column.title) + 1, min(self.natural(column), column.most))

    def _usual_key(self, row: Row) -> Any:
        name = self.identity(row)
        known = self._keys.get(name)
        if known is None or known[0] is not row:
            known = self._keys[name] = (row, self.usual(row))
        return known[1]

    def _text(self, row: Row) -> str:
        name = self.identity(row)
        known = self._texts.get(name)
        if known is None or known[0] is not row:
            known = self._texts[name] = (row, self.text(row).lower())
        return known[1]
