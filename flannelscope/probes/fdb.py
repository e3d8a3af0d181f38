"""Forwarding entries of VXLAN and bridge devices: behind which remote address, or port, a hardware address is.

Group addresses that a device merely listens to (`self permanent` without destination) are no forwarding, and left out.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from flannelscope.model.kernel import FdbEntry
from flannelscope.probes import Parsed, Probe, Way, framing
from flannelscope.probes.framing import is_json, lines
from flannelscope.probes.json_lists import JsonList

_SINGLE = "02468ace"  # the second digit of an address that is no group's


class _Entry(msgspec.Struct, gc=False):
    mac: str = ""
    ifname: str = ""
    dev: str = ""  # the name in older versions
    dst: str = ""
    state: str = ""


_LIST = JsonList(_Entry)
LISTENING = FdbEntry("", "", "", True)  # stands for what is left out


@lru_cache(262_144)
def entry(mac: str, device: str, dst: str, state: str) -> FdbEntry | None:
    """One object for equal entries of all nodes; None where it makes no sense."""
    address, hardware = framing.address(dst), framing.mac(mac)
    if not hardware or not device or (dst and not address):
        return None
    if not dst and hardware[1] not in _SINGLE:
        return LISTENING
    return FdbEntry(hardware, device, address, state == "permanent")


def _from_text(output: bytes) -> Parsed[tuple[FdbEntry, ...]]:
    found: list[FdbEntry] = []
    unparsed: list[str] = []
    for line in lines(output):
        mac, *words = line.split()
        values = {word: words[at + 1] for at, word in enumerate(words[:-1]) if word in ("dev", "dst")}
        found_entry = entry(mac, values.get("dev", ""), values.get("dst", ""), "permanent" if "permanent" in words else "")
        if found_entry is None:
            unparsed.append(line)
        else:
            found.append(found_entry)
    return Parsed(tuple(found), tuple(unparsed))


def parse(output: bytes) -> Parsed[tuple[FdbEntry, ...]]:
    """The entries; raises Unparsable."""
    if is_json(output):
        parsed = _LIST.parse(output, lambda item: entry(item.mac, item.ifname or item.dev, item.dst, item.state))
    else:
        parsed = _from_text(output)
    return Parsed(tuple(held for held in parsed.value if held is not LISTENING), parsed.unparsed)


PROBE = Probe(
    "fdb",
    "forwarding entries",
    (
        Way(parse, argv=("bridge", "-j", "fdb", "show"), trial=("bridge", "-j", "-V")),
        Way(parse, argv=("bridge", "fdb", "show")),
    ),
    limit=8_000_000,
)
