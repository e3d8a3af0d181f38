"""Which actions the table [keys] of the configuration may bind: the ids of the console's bindings."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


@cache
def actions() -> frozenset[str]:
    """Ids of all bindings of the app, its screens and its widgets. Imports the console; only a configuration with keys asks."""
    from textual.dom import DOMNode

    for package in ("tui.widgets", "screens"):
        for module in iter_modules(import_module(package).__path__):
            import_module(f"{package}.{module.name}")
    import_module("tui.app")
    return frozenset(name for node in _subclasses(DOMNode) for name in _ids(node))


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for found in kind.__subclasses__():
        yield from _subclasses(found)
        if found.__module__.partition(".")[0] in ("tui", "screens"):
            yield found


def _ids(node: type[Any]) -> Iterator[str]:
    for binding in vars(node).get("BINDINGS", ()):
        name = getattr(binding, "id", None)
        if name:
            yield name
