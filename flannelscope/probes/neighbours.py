"""ARP and ND entries: how the kernel finds the hardware address of a next hop."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from flannelscope.model.kernel import Neighbour
from flannelscope.probes import Parsed, Probe, framing
from flannelscope.probes.framing import is_json, lines
from flannelscope.probes.iproute import ways
from flannelscope.probes.json_lists import JsonList

STATES = frozenset(("PERMANENT", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "INCOMPLETE", "NOARP", "NONE"))


class _Entry(msgspec.Struct, gc=False):
    dst: str = ""
    dev: str = ""
    lladdr: str = ""
    state: tuple[str, ...] = ()


_LIST = JsonList(_Entry)


@lru_cache(262_144)
def neighbour(dst: str, device: str, lladdr: str, states: tuple[str, ...]) -> Neighbour | None:
    """One object for equal entries of all nodes; None where the address is none."""
    address = framing.address(dst)
    return Neighbour(address, device, framing.mac(lladdr), states) if address else None


def _from_text(output: bytes) -> Parsed[tuple[Neighbour, ...]]:
    found: list[Neighbour] = []
    unparsed: list[str] = []
    for line in lines(output):
        dst, *words = line.split()
        values = {word: words[at + 1] for at, word in enumerate(words[:-1]) if word in ("dev", "lladdr")}
        states = tuple(word for word in words if word in STATES)
        entry = neighbour(dst, values.get("dev", ""), values.get("lladdr", ""), states)
        if entry is None or not entry.device or (entry.mac == "") != ("lladdr" not in values):
            unparsed.append(line)
        else:
            found.append(entry)
    return Parsed(tuple(found), tuple(unparsed))


def parse(output: bytes) -> Parsed[tuple[Neighbour, ...]]:
    """The entries of both families; raises Unparsable."""
    if is_json(output):
        return _LIST.parse(output, lambda entry: neighbour(entry.dst, entry.dev, entry.lladdr, entry.state))
    return _from_text(output)


PROBE = Probe("neighbours", "neighbours", ways(parse, "neigh", "show"), limit=8_000_000)
