"""A row of the table, and the table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

HEADINGS = ("work", "goal", "measured", "met")


class Row(NamedTuple):
    """One line: `met` is None where the goal could not be judged."""

    work: str
    goal: str
    measured: str
    met: bool | None


class Skip(Exception):
    """What a bench needs is not here; the message says what."""


def rule(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [HEADINGS, *((row.work, row.goal, row.measured, verdict(row.met)) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    written = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |" for line in lines]
    written.insert(1, f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    return "\n".join(written)


def verdict(met: bool | None) -> str:
    """In a word."""
    return "not run" if met is None else "yes" if met else "NO"
