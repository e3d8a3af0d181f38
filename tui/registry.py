"""Finds the screens in `screens/` by name, so that the shell imports none of them by itself."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from tui.page import Detail, Page


@cache
def _found() -> tuple[type[Page], ...]:
    package = import_module("screens")
    return tuple(import_module(f"screens.{module.name}").PAGE for module in iter_modules(package.__path__))


def pages() -> dict[str, type[Page]]:
    """Pages by mode, in the order of their keys. Raises ValueError when two share a mode or a key."""
    found: dict[str, type[Page]] = {}
    keys: set[str] = set()
    for page in sorted((p for p in _found() if not issubclass(p, Detail)), key=lambda p: (not p.KEY.isdigit(), p.KEY)):
        if page.MODE in found or (page.KEY and page.KEY in keys):
            raise ValueError(f"two pages are called {page.MODE} or have the key {page.KEY}")
        keys.add(page.KEY)
        found[page.MODE] = page
    return found


def details() -> dict[str, type[Detail]]:
    """Screens that show one thing, by the kind of thing."""
    return {page.OPENS: page for page in _found() if issubclass(page, Detail)}
