"""The addresses of the devices."""

from __future__ import annotations

import msgspec

from flannelscope.model.kernel import Address
from flannelscope.probes import Parsed, Probe, framing
from flannelscope.probes.framing import is_json, lines
from flannelscope.probes.iproute import ways
from flannelscope.probes.json_lists import JsonList
from flannelscope.probes.links import heading

FAMILIES = {"inet": 4, "inet6": 6}


class _Info(msgspec.Struct, gc=False):
    family: str = ""
    local: str = ""
    prefixlen: int = 0
    scope: str = "global"


class _Device(msgspec.Struct, gc=False):
    ifname: str = ""
    addr_info: tuple[_Info, ...] = ()


_LIST = JsonList(_Device)


def _of_device(device: _Device) -> tuple[Address, ...]:
    return tuple(
        Address(device.ifname, FAMILIES[info.family], framing.address(info.local), info.prefixlen, info.scope)
        for info in device.addr_info
        if info.family in FAMILIES and framing.address(info.local)
    )


def _from_line(device: str, words: list[str]) -> Address | None:
    """inet 10.244.2.1/24 brd 10.244.2.255 scope global cni0, or inet 10.0.0.1 peer 10.0.0.2/32 scope global tun0."""
    text, slash, length = words[1].partition("/")
    if not slash and "peer" in words[:-1]:
        length = words[words.index("peer") + 1].partition("/")[2]
    family, address = FAMILIES[words[0]], framing.address(text)
    if not address or (":" in address) != (family == 6):
        return None
    whole = 32 if family == 4 else 128
    held = int(length) if length.isascii() and length.isdigit() and len(length) < 4 else whole
    scope = words[words.index("scope") + 1] if "scope" in words[:-1] else "global"
    return Address(device, family, address, held, scope) if held <= whole else None


def _from_text(output: bytes) -> Parsed[tuple[Address, ...]]:
    device = ""
    found: list[Address] = []
    unparsed: list[str] = []
    for line in lines(output):
        words = line.split()
        if not line[0].isspace():
            named = heading(line)
            device = named.name if named else ""
            if not named:
                unparsed.append(line)
        elif words[0] in FAMILIES:
            address = _from_line(device, words) if device and len(words) > 1 else None
            if address is None:
                unparsed.append(line)
            else:
                found.append(address)
    return Parsed(tuple(found), tuple(unparsed))


def parse(output: bytes) -> Parsed[tuple[Address, ...]]:
    """The addresses of both families; raises Unparsable."""
    if not is_json(output):
        return _from_text(output)
    parsed = _LIST.parse(output, _of_device)
    return Parsed(tuple(address for addresses in parsed.value for address in addresses), parsed.unparsed)


PROBE = Probe("addresses", "addresses", ways(parse, "addr", "show"), limit=2_000_000)
