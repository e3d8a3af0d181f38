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
EVERY_BACKEND = ("vxlan", "host-gw", "direct-routing", "dual-stack")


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
    options that tell the allocator's settings, where they differ from the lab's. NEEDS are capabilities of the machine,
    KINDS the kinds of cluster on which it is to be staged. VARIANTS are what the seed chooses among and a person
    may ask for by name, as NAME:VARIANT. A fault of which no code speaks says in UNCODED why not.
    """

    NAME: ClassVar[str]
    BREAKS: ClassVar[str]
    FINDINGS: ClassVar[tuple[str, ...]]
    ALSO: ClassVar[tuple[str, ...]] = ()
    PATIENCE: ClassVar[float] = AT_ONCE
    UNCODED: ClassVar[str] = ""
    NEEDS: ClassVar[tuple[str, ...]] = ()
    KINDS: ClassVar[tuple[str, ...]] = ("vxlan",)
    VARIANTS: ClassVar[tuple[str, ...]] = ()
    PAIRS: ClassVar[bool] = True  # whether it may stand beside another fault: it changes nothing of the whole cluster

    def __init__(self, variant: str = "") -> None:
        """With the variant that was asked for, if one was; raises ValueError for one that there is not."""
        if variant and variant not in self.VARIANTS:
            raise ValueError(f"{self.NAME} has no variant {variant}; there are: {', '.join(self.VARIANTS) or 'none'}")
        self.variant = variant

    @property
    def title(self) -> str:
        """The name to ask for it again, with the variant if one was asked for."""
        return f"{self.NAME}:{self.variant}" if self.variant else self.NAME

    def pick(self, random: Random) -> str:
        """The variant that was asked for, else a drawn one."""
        return self.variant or random.choice(self.VARIANTS)

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


def asked(name: str, known: Mapping[str, Fault]) -> Fault:
    """One of these by NAME or NAME:VARIANT; raises ValueError that says what there is."""
    plain, _, variant = name.partition(":")
    if plain not in known:
        raise ValueError(f"nothing is called {plain}; there are: {', '.join(known)}")
    return type(known[plain])(variant) if variant else known[plain]


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
