"""How iproute2 is called: with JSON where it knows that, else as text, else busybox' own ip, which prints like old versions.

`ip -j` is there since 4.14 (2017), which accepts it for routes too but prints text: the parsers look at what came.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import TypeVar

from flannelscope.probes import Parsed, Unparsable, Way
from flannelscope.probes.framing import parts

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


# Where the kernel has no IPv6 at all, asking for it fails, or answers with the other family.
IPV6 = "[ -e /proc/net/if_inet6 ]"


def family_ways(parse: Callable[[bytes], Parsed[V]], *words: str) -> tuple[Way[V], ...]:
    """The ways of a command that is run for each family that the kernel has."""
    ways: list[Way[V]] = []
    for program in (JSON, IP, BUSYBOX):
        argvs = tuple(both(program, *words))
        trial = (*JSON, "-V") if program is JSON else ()
        ways.append(Way(parse, argvs=argvs, program=program[0], trial=trial, when=IPV6))
        ways.append(Way(parse, argvs=argvs[:1], program=program[0], trial=trial))
    return tuple(ways)


def families(*words: str) -> dict[tuple[str, ...], int]:
    """The family of each command of those ways."""
    return {argv: family for program in (JSON, IP, BUSYBOX) for argv, family in both(program, *words).items()}


def merged(
    output: bytes, families: Mapping[tuple[str, ...], int], parse: Callable[[bytes, int], Parsed[tuple[V, ...]]]
) -> Parsed[tuple[V, ...]]:
    """Both families' values in one; raises Unparsable where one that was asked did not answer: half would look like all."""
    said = parts(output, families)
    failed = [shlex.join(argv) for argv, part in said.items() if part.status != 0]
    if failed or not said:
        raise Unparsable(f"it did not end well: {', '.join(failed)}" if said else "no command's answer is in it")
    parsed = [parse(part.output, families[argv]) for argv, part in said.items()]
    return Parsed(tuple(value for one in parsed for value in one.value), tuple(line for one in parsed for line in one.unparsed))
