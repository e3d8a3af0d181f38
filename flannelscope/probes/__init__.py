"""What is read on a node, one file a thing: the commands and the pure parser of what they say. Found by discovery.

A probe writes nothing, needs no tool beyond iproute2 and a POSIX shell, and names every command it may run: the first
of its `ways` whose program is there is used. Probes know values only; how a node is reached is no matter of theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Generic, TypeVar, cast

from flannelscope.model.kernel import Kernel

T = TypeVar("T")


class Unparsable(Exception):
    """The whole answer makes no sense; the message says why, in words for the operator."""


class Parsed(Generic[T]):
    """A parsed answer: its `value`, and the lines that were not understood (counted and shown raw, never dropped)."""

    __slots__ = ("unparsed", "value")

    def __init__(self, value: T, unparsed: tuple[str, ...] = ()) -> None:
        self.value = value
        self.unparsed = unparsed


class Way(Generic[T]):
    """One way to learn it: `argv` (fixed words, no shell), or `shell`, a POSIX snippet where one program is not enough.

    `parse` takes the output and raises Unparsable. `program` is what must be there (default: the first word of argv).
    Where `accept` names exit codes beside 0, an answer with them counts.
    """

    def __init__(
        self,
        parse: Callable[[bytes], Parsed[T]],
        *,
        argv: tuple[str, ...] = (),
        shell: str = "",
        program: str = "",
        accept: tuple[int, ...] = (),
    ) -> None:
        self.parse = parse
        self.argv = argv
        self.shell = shell
        self.program = program or (argv[0] if argv else "")
        self.accept = accept

    @property
    def words(self) -> str:
        """The command as an operator would type it."""
        import shlex

        return shlex.join(self.argv) if self.argv else self.shell.strip()


class Probe(Generic[T]):
    """Something to read on a node. `root`: its ways run behind `sudo -n` for anyone but root, so they have an argv."""

    def __init__(self, name: str, title: str, ways: tuple[Way[T], ...], *, root: bool = False, limit: int = 1_000_000) -> None:
        self.name = name
        self.title = title
        self.ways = ways
        self.root = root
        self.limit = limit  # bytes of output

    def of(self, kernel: Kernel) -> T | None:
        """What this probe learnt there, None where it is missing."""
        return cast("T | None", kernel.facts.get(self.name))

    def why_not(self, kernel: Kernel) -> str:
        """Why it is missing, in words."""
        return kernel.missing.get(self.name, f"{self.title} not looked at")


@cache
def all_probes() -> dict[str, Probe[object]]:
    """Every probe by name, in natural order. Raises ValueError when two share a name."""
    found: dict[str, Probe[object]] = {}
    for module in iter_modules(__path__):
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(value, Probe) and found.setdefault(value.name, value) is not value:
                raise ValueError(f"two probes are called {value.name}")
    return dict(sorted(found.items()))
