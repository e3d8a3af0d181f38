"""What a node's kernel and files say, read over SSH or netlink. Addresses are text in canonical form, devices are names.

There are N² of routes, neighbours and FDB entries in all, so whoever parses them shares equal texts (`sys.intern`).
Field names follow iproute2's JSON (ip-link(8), ip-route(8), bridge(8)).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flannelscope.model.base import Value
from flannelscope.model.nodes import Node


class Vxlan(Value, frozen=True, kw_only=True):
    """What a VXLAN device was made with. `parent` is the device its packets leave by, "" where none is fixed."""

    vni: int
    port: int
    local: str = ""  # either family
    parent: str = ""
    learning: bool = False
    gbp: bool = False


class Link(Value, frozen=True, kw_only=True):
    """A network device. `kind` is vxlan, bridge, veth, bond, … or "" (hardware, or not told); `mac` is lower-case."""

    index: int
    name: str
    kind: str = ""
    flags: tuple[str, ...] = ()
    mtu: int = 0
    mac: str = ""
    operstate: str = ""
    master: str = ""
    parent: str = ""  # of a stacked device: the device below
    peer_index: int | None = None  # of a veth: the other end's index, which may lie in another network namespace
    vxlan: Vxlan | None = None


class Address(Value, frozen=True):
    """An address of a device."""

    device: str
    family: int
    address: str
    length: int
    scope: str = "global"


class Route(Value, frozen=True, kw_only=True):
    """A route. `destination` is a canonical prefix (default: 0.0.0.0/0 or ::/0); "" gateway means on link.

    `kind` is unicast, blackhole, unreachable, local, …; `further` are the other next hops of a multipath route.
    """

    family: int
    destination: str
    gateway: str = ""
    device: str = ""
    onlink: bool = False
    table: str = "main"
    kind: str = "unicast"
    protocol: str = ""
    metric: int = 0
    source: str = ""
    dead: bool = False  # the kernel passes over it
    linkdown: bool = False  # without carrier, and used all the same unless a sysctl says otherwise
    further: tuple[tuple[str, str], ...] = ()  # (gateway, device)


class Rule(Value, frozen=True, kw_only=True):
    """A policy routing rule: `selector` as the kernel words it without table ("from all", "fwmark 0x1/0xff", …)."""

    family: int
    priority: int
    selector: str
    table: str = ""
    action: str = ""  # of a rule that is no look-up: blackhole, prohibit, goto 100, …


class Neighbour(Value, frozen=True):
    """An ARP or ND entry; `states` as PERMANENT, REACHABLE, STALE, FAILED, …; `mac` "" while unresolved."""

    address: str
    device: str
    mac: str
    states: tuple[str, ...]


class FdbEntry(Value, frozen=True):
    """A forwarding entry of a VXLAN or bridge device; `destination` is the remote VTEP's address ("" for a bridge port)."""

    mac: str
    device: str
    destination: str
    permanent: bool


class Said(Value, frozen=True, kw_only=True):
    """What a node answered to one probe, exactly. `command` is what ran; `cut` says that the size limit ended it."""

    command: str
    output: bytes = b""
    error: str = ""
    status: int | None = None
    cut: bool = False


class Kernel(Value, frozen=True, kw_only=True):
    """One reading of one node. `at` is when it began to answer, `origin` how it was reached.

    `facts` are parsed values by the name of their probe (`Probe.of` gives them back with their type), `missing` the reason
    for each that is not there, `unparsed` lines that no parser understood, by probe, `raw` the answers as they came.
    """

    node: str
    at: float
    origin: str
    facts: Mapping[str, Any] = {}
    missing: Mapping[str, str] = {}
    unparsed: Mapping[str, tuple[str, ...]] = {}
    raw: Mapping[str, Said] = {}


class Sweep(Value, frozen=True, kw_only=True):
    """One reading of several nodes' kernels.

    API and kernels are not one instant: `before` and `after` are the Nodes (by name) as the API showed them right before it
    began and after it ended; `after` is None while it goes on or where they could not be read again.
    """

    begun: float
    ended: float | None = None
    kernels: Mapping[str, Kernel] = {}  # by Node name; one that did not answer is a Gap
    before: Mapping[str, Node] = {}
    after: Mapping[str, Node] | None = None
