"""The network devices with what they were made with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from sys import intern
from typing import NamedTuple

import msgspec

from flannelscope.model.kernel import Link, Vxlan
from flannelscope.probes import Parsed, Probe, framing
from flannelscope.probes.framing import is_json, lines
from flannelscope.probes.iproute import ways
from flannelscope.probes.json_lists import JsonList


class _Info(msgspec.Struct, gc=False):
    info_kind: str = ""
    info_data: msgspec.Raw = msgspec.Raw()


class _VxlanData(msgspec.Struct, gc=False):
    id: int = 0
    port: int = 8472
    local: str = ""
    local6: str = ""
    link: str = ""
    learning: bool = True
    gbp: bool = False


class _Entry(msgspec.Struct, gc=False):
    ifindex: int
    ifname: str
    flags: tuple[str, ...] = ()
    mtu: int = 0
    operstate: str = ""
    address: str = ""
    master: str = ""
    link: str | None = None  # the device below, or the other end of a veth, by name
    link_index: int | None = None  # the same in another network namespace
    linkinfo: _Info | None = None


_LIST = JsonList(_Entry)
_VXLAN = msgspec.json.Decoder(_VxlanData)


def _vxlan(data: _VxlanData) -> Vxlan:
    local = framing.address(data.local or data.local6)
    return Vxlan(vni=data.id, port=data.port, local=local, parent=intern(data.link), learning=data.learning, gbp=data.gbp)


@lru_cache(1024)
def _flags(flags: tuple[str, ...]) -> tuple[str, ...]:
    """The device's own flags. iproute2 adds M-DOWN where the device below, or a veth's other end, is down."""
    return tuple(intern(flag) for flag in flags if flag and flag != "M-DOWN")


def _link(entry: _Entry, kind: str, vxlan: Vxlan | None, indexes: Mapping[str, int]) -> Link:
    """The value. What stands behind the @ is the other end of a veth, and the device below of others.

    Without a kind it is neither: busybox looks the number up where it does not hold.
    """
    other = entry.link if entry.link and entry.link != "NONE" else ""
    below = vxlan.parent if vxlan else other if kind not in ("", "veth") else ""
    index = entry.link_index if entry.link_index is not None else indexes.get(other)
    return Link(
        index=entry.ifindex,
        name=intern(entry.ifname),
        kind=intern(kind),
        flags=_flags(entry.flags),
        mtu=entry.mtu,
        mac=framing.mac(entry.address),
        operstate=intern(entry.operstate),
        master=intern(entry.master),
        parent=intern(below),
        peer_index=index if kind == "veth" else None,
        vxlan=vxlan,
    )


def _from_entry(entry: _Entry, indexes: Mapping[str, int]) -> Link | None:
    kind = entry.linkinfo.info_kind if entry.linkinfo else ""
    vxlan = None
    if entry.linkinfo and kind == "vxlan":
        try:
            vxlan = _vxlan(_VXLAN.decode(bytes(entry.linkinfo.info_data) or b"{}"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
    return _link(entry, kind, vxlan, indexes)


def _from_json(output: bytes) -> Parsed[tuple[Link, ...]]:
    entries = _LIST.parse(output, lambda entry: entry if entry.ifname else None)
    indexes = {entry.ifname: entry.ifindex for entry in entries.value}
    found = [(_from_entry(entry, indexes), entry.ifname) for entry in entries.value]
    odd = tuple(f"{name}: its VXLAN details" for link, name in found if link is None)
    return Parsed(tuple(link for link, _ in found if link is not None), entries.unparsed + odd)


class Heading(NamedTuple):
    """The first line of a device: 4: flannel.1@eth1: <BROADCAST,UP> mtu 1450 … state UNKNOWN …"""

    number: int
    name: str
    other: str
    flags: tuple[str, ...]
    rest: list[str]


_HEADING = re.compile(r"([0-9]{1,10}): ([^\s:@]\S*?)(?:@(\S+?))?: <([^>]*)>(.*)")
# What may stand where the kind of a device stands, and is none: `ip -d link` has no word before it.
_NO_KIND = re.compile(
    r"link/|inet6?$|valid_lft$|altname$|alias$|vf$|RX:|TX:|addrgenmode$|numtxqueues$|prog/|promiscuity$|[0-9]|.*_slave$"
)


def heading(line: str) -> Heading | None:
    """The first line of a device in the text format, None for another one."""
    found = _HEADING.fullmatch(line)
    if found is None:
        return None
    return Heading(int(found[1]), found[2], found[3] or "", tuple(found[4].split(",")), found[5].split())


def _after(words: list[str], word: str) -> str:
    """The word that follows another one, "" where it does not stand there."""
    return words[words.index(word) + 1] if word in words[:-1] else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 else 0


def _vxlan_of(words: list[str]) -> Vxlan:
    return _vxlan(
        _VxlanData(
            id=_number(_after(words, "id")),
            port=_number(_after(words, "dstport")),
            local=_after(words, "local"),
            link=_after(words, "dev"),
            learning="nolearning" not in words,
            gbp="gbp" in words,
        )
    )


def _from_lines(top: Heading, below: list[list[str]], indexes: Mapping[str, int]) -> Link:
    entry = _Entry(top.number, top.name, top.flags, _number(_after(top.rest, "mtu")))
    entry.operstate, entry.master = _after(top.rest, "state"), _after(top.rest, "master")
    entry.address = next((words[1] for words in below if words[0].startswith("link/") and len(words) > 1), "")
    details = next((words for words in below if not _NO_KIND.match(words[0])), [])
    kind = details[0] if details else ""
    if re.fullmatch(r"if[0-9]{1,10}", top.other):
        entry.link_index = int(top.other[2:])
    else:
        entry.link = top.other
    return _link(entry, kind, _vxlan_of(details) if kind == "vxlan" else None, indexes)


def _from_text(output: bytes) -> Parsed[tuple[Link, ...]]:
    devices: list[tuple[Heading, list[list[str]]]] = []
    unparsed: list[str] = []
    for line in lines(output):
        top = heading(line)
        if top:
            devices.append((top, []))
        elif devices and line[0].isspace():
            devices[-1][1].append(line.split())
        else:
            unparsed.append(line)
    indexes = {top.name: top.number for top, _ in devices}
    return Parsed(tuple(_from_lines(top, below, indexes) for top, below in devices), tuple(unparsed))


def parse(output: bytes) -> Parsed[tuple[Link, ...]]:
    """The devices; raises Unparsable. Without -d, as in busybox, the text says no kind and nothing about VXLAN."""
    return _from_json(output) if is_json(output) else _from_text(output)


PROBE = Probe("links", "network devices", ways(parse, "link", "show", details=True), limit=4_000_000)
