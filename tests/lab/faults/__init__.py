"""What can go wrong, one file each: how to break it in the lab, how to heal it, and what a perfect diagnosis says of it.

Found by discovery, like checks: a new fault is a new file with a class that is a `Fault`. Everything that differs from
one time to the next (which nodes, which values) is drawn from a seeded generator in `draw`, so that a seed tells all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from random import Random
from types import MappingProxyType
from typing import ClassVar

from tests.lab.faults.hands import Cluster

SETTLED = 150.0  # seconds: a new Node is judged after two minutes, a new flannel after one
AT_ONCE = 20.0


@dataclass(frozen=True)
class Victims:
    """Whom it hits, and with what. `nodes` are those that the findings must name, no more and no less."""

    nodes: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        return " ".join(self.nodes)


class Fault(ABC):
    """Something to break.

    FINDINGS are the codes that stand by themselves in a perfect diagnosis. ALSO are codes that are true at the same time
    and may stand beside them. PATIENCE says how many seconds the conditions of these codes let pass. RANGES are the
    options that tell the allocator's settings, where they differ from the lab's. NEEDS are capabilities of the machine.
    """

    NAME: ClassVar[str]
    BREAKS: ClassVar[str]
    FINDINGS: ClassVar[tuple[str, ...]]
    ALSO: ClassVar[tuple[str, ...]] = ()
    PATIENCE: ClassVar[float] = AT_ONCE
    NEEDS: ClassVar[tuple[str, ...]] = ()
    PAIRS: ClassVar[bool] = True  # whether it may stand beside another fault: it changes nothing of the whole cluster

    @abstractmethod
    def draw(self, lab: Cluster, random: Random) -> Victims:
        """Choose victims and values; nothing is changed yet. What must be put back is noted in the values."""

    @abstractmethod
    def inject(self, lab: Cluster, victims: Victims) -> None:
        """Break it. Raises LabFailed where the effect does not show (a fault without effect proves nothing)."""

    @abstractmethod
    def heal(self, lab: Cluster, victims: Victims) -> None:
        """Put everything back; calling it after an `inject` that failed half-way, or twice, does no harm."""

    def subjects(self, lab: Cluster, victims: Victims) -> Mapping[str, frozenset[str]]:
        """Which Nodes each finding must name; empty for one that is about no Node."""
        return dict.fromkeys(self.FINDINGS, frozenset(victims.nodes))

    def ranges(self, victims: Victims) -> tuple[str, ...]:
        """Options that tell `check` the allocator's settings, where this fault changed them."""
        return ()


def discovered(package: str) -> Iterator[type]:
    """Every class of a package's modules that is defined there and can be made."""
    for module in iter_modules(import_module(package).__path__):
        name = f"{package}.{module.name}"
        for value in vars(import_module(name)).values():
            if isinstance(value, type) and value.__module__ == name and not isabstract(value):
                yield value


@cache
def all_faults() -> Mapping[str, Fault]:
    """Every fault by name. Raises ValueError when two have one name."""
    found: dict[str, Fault] = {}
    for kind in discovered(__name__):
        if issubclass(kind, Fault):
            if kind.NAME in found:
                raise ValueError(f"two faults are called {kind.NAME}")
            found[kind.NAME] = kind()
    return MappingProxyType(dict(sorted(found.items())))
