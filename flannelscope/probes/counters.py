"""Counters of a kernel: what devices, UDP, the receive queues, connection tracking and the neighbour table dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flannelscope.model.base import Value
from flannelscope.probes import Parsed, Probe, Unparsable, Way

FILES = (
    "/proc/net/dev",
    "/proc/net/snmp",
    "/proc/net/snmp6",
    "/proc/net/softnet_stat",
    "/proc/net/stat/arp_cache",
    "/proc/net/stat/ndisc_cache",
    "/proc/sys/net/netfilter/nf_conntrack_count",
    "/proc/sys/net/netfilter/nf_conntrack_max",
)
READ = f"exec grep -s '' /dev/null {' '.join(FILES)}"


class DeviceCounters(Value, frozen=True):
    """Of one device, since it was made."""

    received: int
    receive_errors: int
    receive_drops: int
    sent: int
    send_errors: int
    send_drops: int


class Counters(Value, frozen=True, kw_only=True):
    """`devices` by name; `udp` and `udp6` by the kernel's names (InErrors, InCsumErrors, RcvbufErrors, …).

    `softnet_drops` are packets that the receive backlog had no room for, on all processors; `conntrack` and `conntrack_most`
    how many connections are tracked and may be; `neighbours` how many entries its table has, by family, `neighbours_refused`
    how often it was full. None is what that kernel does not tell.
    """

    devices: Mapping[str, DeviceCounters] = {}
    udp: Mapping[str, int] = {}
    udp6: Mapping[str, int] = {}
    softnet_drops: int | None = None
    conntrack: int | None = None
    conntrack_most: int | None = None
    neighbours: Mapping[int, int] = {}
    neighbours_refused: Mapping[int, int] = {}


def parse(output: bytes) -> Parsed[Counters]:
    """The counters; raises Unparsable where there is none."""
    files: dict[str, list[str]] = {}
    unparsed: list[str] = []
    for line in output.decode("utf-8", "replace").split("\n"):
        path, colon, rest = line.partition(":")
        if colon and path in FILES:
            files.setdefault(path, []).append(rest)
        elif line.strip():
            unparsed.append(line)
    if not files:
        raise Unparsable("no counter is in it")
    tables = {family: _table(files.get(f"/proc/net/stat/{name}_cache", [])) for family, name in ((4, "arp"), (6, "ndisc"))}
    value = Counters(
        devices=dict(_devices(files.get("/proc/net/dev", []))),
        udp=_snmp(files.get("/proc/net/snmp", []), "Udp"),
        udp6=_snmp6(files.get("/proc/net/snmp6", [])),
        softnet_drops=_softnet(files.get("/proc/net/softnet_stat", [])),
        conntrack=_first(files.get("/proc/sys/net/netfilter/nf_conntrack_count", [])),
        conntrack_most=_first(files.get("/proc/sys/net/netfilter/nf_conntrack_max", [])),
        neighbours={family: table[0] for family, table in tables.items() if table},
        neighbours_refused={family: table[1] for family, table in tables.items() if table},
    )
    return Parsed(value, tuple(unparsed))


def _numbers(words: list[str], base: int = 10) -> list[int]:
    """The words as numbers; none where one of them is none."""
    try:
        return [int(word, base) for word in words if len(word) < 25]
    except ValueError:
        return []


def _devices(lines: list[str]) -> Iterator[tuple[str, DeviceCounters]]:
    for line in lines:
        name, colon, rest = line.rpartition(":")
        n = _numbers(rest.split())
        if colon and len(n) >= 16:
            yield name.strip(), DeviceCounters(n[1], n[2], n[3], n[9], n[10], n[11])


def _snmp(lines: list[str], protocol: str) -> dict[str, int]:
    rows = [line.split()[1:] for line in lines if line.startswith(f"{protocol}:")]
    return dict(zip(rows[0], _numbers(rows[1]), strict=False)) if len(rows) == 2 else {}


def _snmp6(lines: list[str]) -> dict[str, int]:
    rows = [line.split() for line in lines if line.startswith("Udp6")]
    return {row[0].removeprefix("Udp6"): int(row[1]) for row in rows if len(row) == 2 and _numbers(row[1:])}


def _softnet(lines: list[str]) -> int | None:
    """A row for each processor; the second word counts drops."""
    rows = [_numbers(line.split(), 16) for line in lines]
    return sum(row[1] for row in rows if len(row) > 1) if any(rows) else None


def _first(lines: list[str]) -> int | None:
    numbers = _numbers(lines[0].split()) if lines else []
    return numbers[0] if numbers else None


def _table(lines: list[str]) -> tuple[int, int] | None:
    """Entries, and how often it was full: a heading, then a row for each processor, all with the same number of entries."""
    if len(lines) < 2:
        return None
    names = lines[0].split()
    rows = [dict(zip(names, _numbers(line.split(), 16), strict=False)) for line in lines[1:]]
    return rows[0].get("entries", 0), sum(row.get("table_fulls", 0) for row in rows)


PROBE = Probe("counters", "counters", (Way(parse, shell=READ, program="grep", accept=(1, 2)),), limit=500_000)
