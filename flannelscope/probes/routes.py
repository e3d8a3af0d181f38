"""The routes of both families and all tables, as the kernel holds them."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from flannelscope.model.kernel import Route
from flannelscope.probes import Parsed, Probe
from flannelscope.probes.framing import address, is_json, lines, prefix
from flannelscope.probes.iproute import families, family_ways, merged
from flannelscope.probes.json_lists import JsonList

KINDS = frozenset(
    ("unicast", "local", "broadcast", "anycast", "multicast", "throw", "unreachable", "prohibit", "blackhole", "nat", "xresolve")
)
FLAGS = frozenset(
    ("onlink", "dead", "linkdown", "pervasive", "offload", "notify", "trap", "rt_offload", "rt_trap", "offload_failed")
)  # fmt: skip


class _Via(msgspec.Struct, gc=False):
    host: str = ""


class _Hop(msgspec.Struct, gc=False):
    gateway: str = ""
    dev: str = ""
    flags: tuple[str, ...] = ()
    via: _Via | None = None


class _Entry(_Hop, gc=False):
    dst: str = ""
    type: str = "unicast"
    table: str = "main"
    protocol: str = "boot"  # what iproute2 leaves out
    metric: int = 0
    prefsrc: str = ""
    nexthops: tuple[_Hop, ...] = ()


_LIST = JsonList(_Entry)


@lru_cache(262_144)
def route(
    family: int, dst: str, gateway: str, device: str, flags: tuple[str, ...], table: str, kind: str, protocol: str, metric: int,
    source: str, further: tuple[tuple[str, str], ...],
) -> Route | None:  # fmt: skip
    """The value, one object for equal routes of all nodes (most of N² are equal); None where the destination is none."""
    destination = prefix(dst, family)
    if not destination:
        return None
    return Route(
        family=family, destination=destination, gateway=address(gateway), device=device, onlink="onlink" in flags, table=table,
        kind=kind, protocol=protocol, metric=metric, source=address(source), dead="dead" in flags, linkdown="linkdown" in flags,
        further=tuple((address(hop), name) for hop, name in further),
    )  # fmt: skip


def _gateway(hop: _Hop) -> str:
    return hop.via.host if hop.via else hop.gateway


def _from_entry(entry: _Entry, family: int) -> Route | None:
    gateway, device, flags = _gateway(entry), entry.dev, entry.flags
    further: tuple[tuple[str, str], ...] = ()
    hops = entry.nexthops
    if hops:
        gateway, device, flags = _gateway(hops[0]), hops[0].dev, entry.flags + hops[0].flags
        further = tuple((_gateway(hop), hop.dev) for hop in hops[1:])
    return route(
        family, entry.dst, gateway, device, flags, entry.table, entry.type, entry.protocol, entry.metric, entry.prefsrc, further
    )


def _from_json(output: bytes, family: int) -> Parsed[tuple[Route, ...]]:
    return _LIST.parse(output, lambda entry: _from_entry(entry, family))


def _from_words(words: list[str], family: int, protocol: str) -> _Entry | None:
    """One route of the text format, next hops of a multipath route without their own lines."""
    kind = words.pop(0) if words[0] in KINDS else "unicast"
    if not words or not prefix(words[0], family):
        return None
    entry = _Entry(dst=words[0], type=kind, protocol=protocol)
    flags: list[str] = []
    rest = iter(words[1:])
    for word in rest:
        if word in FLAGS:
            flags.append(word)
            continue
        value = next(rest, "")
        if word == "via":
            entry.gateway = next(rest, "") if value in ("inet", "inet6") else value
        elif word == "dev":
            entry.dev = value
        elif word == "table":
            entry.table = value
        elif word == "proto":
            entry.protocol = value
        elif word == "src":
            entry.prefsrc = value
        elif word == "metric":
            entry.metric = _metric(value)
    entry.flags = tuple(flags)
    return entry


def _metric(text: str) -> int:
    """busybox prints large ones as negative."""
    digits = text.removeprefix("-")
    return int(text) & 0xFFFFFFFF if digits.isascii() and digits.isdigit() and len(digits) < 11 else 0


def _from_text(output: bytes, family: int) -> Parsed[tuple[Route, ...]]:
    """What `ip route` prints for people. iproute2 leaves out "proto boot"; busybox says no protocol at all."""
    entries: list[_Entry] = []
    unparsed: list[str] = []
    protocol = "boot" if b" proto " in output else ""
    for line in lines(output):
        words = line.split()
        if words[0] == "nexthop" and entries:
            hop = _from_words(["default", *words[1:]], family, "")
            if hop is not None:
                entries[-1].nexthops += (_Hop(gateway=hop.gateway, dev=hop.dev, flags=hop.flags),)
            continue
        entry = _from_words(words, family, protocol)
        if entry is None:
            unparsed.append(line)
        else:
            entries.append(entry)
    unparsed += [f"{entry.dst}: its next hops were not told" for entry in entries if _leads_nowhere(entry)]
    found = (_from_entry(entry, family) for entry in entries if not _leads_nowhere(entry))
    return Parsed(tuple(route for route in found if route is not None), tuple(unparsed))


def _leads_nowhere(entry: _Entry) -> bool:
    """busybox does not print the next hops of a multipath route."""
    return entry.type == "unicast" and not (entry.dev or entry.gateway or entry.nexthops)


def parse(output: bytes) -> Parsed[tuple[Route, ...]]:
    """The routes of both families; raises Unparsable."""
    return merged(output, FAMILIES, lambda said, family: (_from_json if is_json(said) else _from_text)(said, family))


SHOW = ("route", "show", "table", "all")
FAMILIES = families(*SHOW)
PROBE = Probe("routes", "routes", family_ways(parse, *SHOW), limit=8_000_000)
