"""What is worked out only while a screen shows it, one file a thing. Found by discovery; a new detail is a new file."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from flannelscope.facts import Facts
from flannelscope.judge import Judgement
from flannelscope.model import Value
from flannelscope.node_views import AnyDetail

About = tuple[str, ...]
Make = Callable[[Facts, Judgement, About], AnyDetail | None]


class Detail(Value, frozen=True):
    """Makes a view about something (a node, a pair of nodes, nothing in particular), None where there is no such thing."""

    name: str
    make: Make


def detail(name: str) -> Callable[[Make], Detail]:
    """Make a Detail of a function `(facts, judgement, about) -> view`."""
    return lambda make: Detail(name, make)


@cache
def all_details() -> dict[str, Detail]:
    """Every detail by name. Raises ValueError when two share a name."""
    found: dict[str, Detail] = {}
    for module in iter_modules(__path__):
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(value, Detail) and found.setdefault(value.name, value) is not value:
                raise ValueError(f"two details are called {value.name}")
    return found
