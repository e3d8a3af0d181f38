"""How iproute2 is called: with JSON where it knows that, else as text, else busybox' own ip, which prints like old versions.

`ip -j` is there since 4.14 (2017), which accepts it for routes too but prints text: the parsers look at what came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from flannelscope.probes import Parsed, Way
from flannelscope.probes.framing import only

V = TypeVar("V")

JSON = ("ip", "-j")
IP = ("ip",)
BUSYBOX = ("busybox", "ip")


def both(program: tuple[str, ...], *words: str) -> dict[tuple[str, ...], int]:
    """The command for each family: what is said of a default route does not tell it."""
    return {(*program, "-4", *words): 4, (*program, "-6", *words): 6}


def ways(parse: Callable[[bytes], Parsed[V]], *words: str, details: bool = False) -> tuple[Way[V], ...]:
    """The ways of a command that is run once; `details` is -d, which busybox does not know."""
    more = ("-d",) if details else ()
    return (
        Way(parse, argv=(*JSON, *more, *words), trial=(*JSON, "-V")),
        Way(parse, argv=(*IP, *more, *words), trial=(*IP, "-V")),
        Way(parse, argv=(*IP, *words)),
        Way(parse, argv=(*BUSYBOX, *words)),
    )


def family_ways(parse: Callable[[bytes], Parsed[V]], *words: str) -> tuple[Way[V], ...]:
    """The ways of a command that is run for each family."""
    return tuple(
        Way(parse, argvs=tuple(both(program, *words)), program=program[0], trial=(*JSON, "-V") if program is JSON else ())
        for program in (JSON, IP, BUSYBOX)
    )


def families(*words: str) -> dict[tuple[str, ...], int]:
    """The family of each command of those ways."""
    return {argv: family for program in (JSON, IP, BUSYBOX) for argv, family in both(program, *words).items()}


def merged(
    output: bytes, families: Mapping[tuple[str, ...], int], parse: Callable[[bytes, int], Parsed[tuple[V, ...]]]
) -> Parsed[tuple[V, ...]]:
    """Both families' values in one; raises Unparsable where neither answered."""
    parsed = [parse(said, families[argv]) for argv, said in only(output, families).items()]
    return Parsed(
        tuple(value for part in parsed for value in part.value), tuple(line for part in parsed for line in part.unparsed)
    )
