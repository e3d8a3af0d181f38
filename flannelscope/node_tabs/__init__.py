"""The tabs of a node's page, one file each: what its kernel and files say, ready to be drawn. Found by discovery."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from flannelscope.facts import Facts
from flannelscope.model import Kernel, Value
from flannelscope.node_views import Line, TableView, TabView
from flannelscope.text import clean

LONGEST = 300  # characters of one cell
Make = Callable[[Facts, Kernel], Iterable[TableView]]


class Tab(Value, frozen=True):
    """A tab: where it stands among the others, its name, and what makes its tables."""

    place: int
    name: str
    make: Make


def tab(place: int, name: str) -> Callable[[Make], Tab]:
    """Make a Tab of a function `(facts, kernel) -> tables`."""
    return lambda make: Tab(place, name, make)


@cache
def all_tabs() -> tuple[Tab, ...]:
    """Every tab in its place."""
    found = [
        value
        for module in iter_modules(__path__)
        for value in vars(import_module(f"{__name__}.{module.name}")).values()
        if isinstance(value, Tab)
    ]
    return tuple(sorted({tab.name: tab for tab in found}.values(), key=lambda tab: tab.place))


def tabs_of(facts: Facts, kernel: Kernel) -> tuple[TabView, ...]:
    """All tabs of one node."""
    return tuple(TabView(tab.name, tuple(tab.make(facts, kernel))) for tab in all_tabs())


def line(*cells: object, role: str = "") -> Line:
    """A line; None and "" show as a dash."""
    return Line(tuple(clean(str(cell), LONGEST) if cell not in (None, "") else "-" for cell in cells), role)


def said(kernel: Kernel, *probes: str) -> str:
    """The commands that some probes ran there."""
    return clean("; ".join(kernel.raw[probe].command for probe in probes if probe in kernel.raw), LONGEST)


def listed(
    kernel: Kernel, probe: str, title: str, head: Sequence[str], lines: Callable[[Any], Iterable[Line]], *, none: str = "none"
) -> TableView:
    """The table of one probe's facts; where they are missing, the reason in its place."""
    facts = kernel.facts.get(probe)
    if facts is None:
        why = kernel.missing.get(probe, "not looked at")
        return TableView(title=title, note=f"not known: {clean(why, LONGEST)}", role="unknown")
    made = tuple(lines(facts))
    unparsed = len(kernel.unparsed.get(probe, ()))
    note = f"{unparsed} lines were not understood: see Raw" if unparsed else ("" if made else none)
    role = "warn" if unparsed else "muted"
    return TableView(title=title, head=tuple(head), lines=made, note=note, role=role, command=said(kernel, probe))
