"""What is read on a node, one file a thing: the commands and the pure parser of what they say. Found by discovery.

A probe writes nothing, needs no tool beyond iproute2 and a POSIX shell, and names every command it may run: the first
of its `ways` whose program is there is used. Probes know values only; how a node is reached is no matter of theirs.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Generic, TypeVar, cast

from flannelscope.model.kernel import Kernel

T = TypeVar("T")
SECONDS = 10  # that a command of a probe may take


class Unparsable(Exception):
    """The whole answer makes no sense; the message says why, in words for the operator."""


class Parsed(Generic[T]):
    """A parsed answer: its `value`, and the lines that were not understood (counted and shown raw, never dropped)."""

    __slots__ = ("unparsed", "value")

    def __init__(self, value: T, unparsed: tuple[str, ...] = ()) -> None:
        self.value = value
        self.unparsed = unparsed


class Way(Generic[T]):
    """One way to learn it: `argv` (fixed words, no shell), several `argvs`, or `shell`, a POSIX snippet that starts few programs.

    `parse` takes the output and raises Unparsable. Several argvs are all run, as far as their programs are there; their outputs
    come framed (`framing.parts`). `program` is what must be there (default: the first word), `trial` a command that must succeed
    (for an option that older versions lack), `when` a condition in shell that must hold.
    `root`: it runs behind `sudo -n` for anyone but root, so it has argv. `through` is a filter that the output goes through,
    as the login user. Where `accept` names exit codes beside 0, an answer with them counts. The last two are for few.
    """

    def __init__(
        self,
        parse: Callable[[bytes], Parsed[T]],
        *,
        argv: tuple[str, ...] = (),
        argvs: tuple[tuple[str, ...], ...] = (),
        shell: str = "",
        program: str = "",
        trial: tuple[str, ...] = (),
        when: str = "",
        root: bool = False,
        through: str = "",
        accept: tuple[int, ...] = (),
    ) -> None:
        if root and shell:
            raise ValueError("what runs as root is a fixed argv, so that sudoers can list it")
        self.parse = parse
        self.argv = argv
        self.argvs = argvs or ((argv,) if argv else ())
        self.shell = shell
        self.program = program or (argv[0] if argv else "")
        self.trial = trial
        self.when = when
        self.root = root
        self.through = through
        self.accept = accept

    @property
    def words(self) -> str:
        """The command as an operator would type it; of a long snippet, its lines."""
        sudo = "sudo " if self.root else ""
        typed = "; ".join(sudo + shlex.join(argv) for argv in self.argvs) or self.shell.strip()
        return f"{typed} | {self.through}" if self.through else typed


class Probe(Generic[T]):
    """Something to read on a node; `limit` in bytes of output, `seconds` for each command where the node has timeout(1).

    `partial`: an answer that the limit cut is worth parsing (what is not there is then not missed by anybody).
    """

    def __init__(
        self,
        name: str,
        title: str,
        ways: tuple[Way[T], ...],
        *,
        limit: int = 1_000_000,
        seconds: int = SECONDS,
        partial: bool = False,
    ) -> None:
        self.name = name
        self.title = title
        self.ways = ways
        self.limit = limit
        self.seconds = seconds
        self.partial = partial

    @property
    def root(self) -> bool:
        """Whether it may have to run behind sudo."""
        return any(way.root for way in self.ways)

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
