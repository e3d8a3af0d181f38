"""Healthy kernels for the Nodes of a test, as flannel and the kernel leave them; a test then spoils just what it is about.

    taken = seen(healthy(nodes))                        # a sweep of all of them, read once more
    taken = changed(taken, "w001", routes=without(route_to("10.244.2.0/24")))
    found = findings(taken, "FLN401")

Every node has lo, eth0 (10.20.0.0/16, default route by 10.20.255.254), its tunnel, cni0 with its podCIDR's first address, and
the rules that every kernel has. What stands in for flannel here is written by hand from flannel.md 5.5 and is independent of
flannelscope.flannel.expected.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from functools import lru_cache
from ipaddress import ip_network
from typing import Any

from msgspec.structs import replace

from flannelscope.flannel.annotations import DEFAULT_PREFIX
from flannelscope.model import (
    Address,
    FdbEntry,
    Kernel,
    Link,
    Neighbour,
    Node,
    Reading,
    Route,
    Rule,
    Said,
    Snapshot,
    Sweep,
    Topic,
    Vxlan,
)
from tests.engine.builders import NOW

READ_AT = NOW - 20
COMMANDS = {
    "routes": "ip -j -4 route show table all",
    "neighbours": "ip -j neigh show",
    "fdb": "bridge -j fdb show",
    "links": "ip -j -d link show",
}
UP = ("UP", "LOWER_UP")
Facts = dict[str, Any]


def rules() -> tuple[Rule, ...]:
    """What `ip rule` and `ip -6 rule` show on a machine that nobody touched."""
    usual = ((0, "local"), (32766, "main"), (32767, "default"))
    four = [Rule(family=4, priority=priority, selector="from all", table=table) for priority, table in usual]
    return (*four, *(Rule(family=6, priority=priority, selector="from all", table=table) for priority, table in usual[:2]))


class Said4:
    """What one Node announces in one family, read here in the plainest way."""

    def __init__(self, node: Node, family: int, prefix: str = DEFAULT_PREFIX) -> None:
        said = node.annotations
        data = json.loads(said.get(prefix + ("backend-data" if family == 4 else "backend-v6-data"), "null")) or {}
        self.name = node.name
        self.member = said.get(prefix + "kube-subnet-manager") == "true"
        self.backend = said.get(prefix + "backend-type", "")
        self.address = said.get(prefix + ("public-ip" if family == 4 else "public-ipv6"), "")
        self.mac, self.vni = data.get("VtepMAC", ""), data.get("VNI", 1)
        self.port = data.get("Port") or (4789 if self.vni == 4096 else 8472)  # 4096 is of networks with Windows
        overwrite = said.get(prefix + ("public-ip-overwrite" if family == 4 else "public-ipv6-overwrite"))
        self.inside = next((ip for ip in node.internal_ips if (":" in ip) == (family == 6)), self.address)
        self.card, self.local = "eth0", self.inside if overwrite else self.address
        self.block = next((c for c in node.pod_cidrs if (":" in c) == (family == 6)), "")
        self.base = self.block.partition("/")[0]


def kernel(
    node: Node,
    nodes: Iterable[Node],
    *,
    families: tuple[int, ...] = (4,),
    direct: Iterable[str] = (),
    second_card: bool = False,
    at: float = READ_AT,
) -> Kernel:
    """The kernel of `node` among `nodes`. `direct` are the peers to which DirectRouting has it go straight.

    With `second_card` an announced address that is no InternalIP, and that no annotation asks for, is on eth1.
    """
    facts: Facts = {"rules": rules(), "links": (), "addresses": (), "routes": (), "neighbours": (), "fdb": ()}
    everybody = tuple(nodes)
    for family in families:
        own = _said(node, family)
        peers = [said for said in (_said(other, family) for other in everybody) if _taken_in(own, said)]
        for name, values in _machine(own, family).items():
            facts[name] += tuple(value for value in values if value not in facts[name])
        if second_card and own.member and own.local not in ("0.0.0.0", own.inside):
            own = copy(own)
            own.card = "eth1"
            facts["addresses"] += (Address("eth1", family, own.local, 16 if family == 4 else 64),)
            facts["links"] += (Link(index=3, name="eth1", flags=UP, mtu=1500, mac="52:54:00:00:00:02", operstate="UP"),)
        if own.member:
            for name, values in _flannel(own, peers, family, frozenset(direct)).items():
                facts[name] += values
    raw = {name: Said(command=command) for name, command in COMMANDS.items()}
    return Kernel(node=node.name, at=at, origin=f"ssh ops@{(node.internal_ips or ('?',))[0]}", facts=facts, raw=raw)


_said = lru_cache(maxsize=4096)(Said4)  # Nodes are hashed by what they are, not by what they hold


def _taken_in(own: Said4, said: Said4) -> bool:
    """flanneld takes in members of its own backend that have a block; one with its own block it passes over."""
    usable = bool(said.block and (said.mac or said.backend != "vxlan") and (said.address or said.backend == "wireguard"))
    return said.member and said.name != own.name and said.backend == own.backend and said.base != own.base and usable


def _machine(own: Said4, family: int) -> Facts:
    """What there is without flannel: cards, addresses, the bridge of the CNI."""
    inside = own.inside
    network, router, lo, everything = (
        ("10.20.0.0/16", "10.20.255.254", "127.0.0.1/32", "0.0.0.0/0")
        if family == 4
        else ("fd01::/64", "fe80::1", "::1/128", "::/0")
    )
    links = (
        Link(index=1, name="lo", flags=("LOOPBACK", *UP), mtu=65536),
        Link(index=2, name="eth0", flags=UP, mtu=1500, mac="52:54:00:00:00:01", operstate="UP"),
        Link(index=4, name="cni0", kind="bridge", flags=UP, mtu=1450, operstate="UP"),
    )
    gateway = str(next(ip_network(own.block).hosts())) if own.block else ""
    routes = [
        Route(family=family, destination=everything, gateway=router, device="eth0", protocol="static"),
        Route(family=family, destination=network, device="eth0", protocol="kernel", source=inside),
        Route(family=family, destination=lo, device="lo", table="local", kind="local", protocol="kernel"),
    ]
    if own.block:
        routes.append(Route(family=family, destination=own.block, device="cni0", protocol="kernel", source=gateway))
        host = f"{gateway}/{32 if family == 4 else 128}"
        routes.append(Route(family=family, destination=host, device="cni0", table="local", kind="local", protocol="kernel"))
    addresses: tuple[Address, ...] = (
        Address("lo", family, lo.partition("/")[0], 8 if family == 4 else 128),
        Address("eth0", family, inside, 16),
    )
    if own.block:
        addresses += (Address("cni0", family, gateway, int(own.block.partition("/")[2])),)
    near = Neighbour(router, "eth0", "52:54:00:ff:ff:fe", ("REACHABLE",))
    return {"links": links, "addresses": addresses, "routes": tuple(routes), "neighbours": (near,)}


def _flannel(own: Said4, peers: list[Said4], family: int, direct: frozenset[str]) -> Facts:
    if own.backend == "vxlan":
        return _vxlan(own, peers, family, direct)
    if own.backend == "host-gw":
        return {"routes": tuple(_straight(said, family) for said in peers)}
    if own.backend == "ipip":
        through = [Route(family=4, destination=s.block, gateway=s.address, device="flannel.ipip", onlink=True) for s in peers]
        link = Link(index=5, name="flannel.ipip", kind="ipip", flags=UP, mtu=1480)
        return {
            "links": (link,),
            "routes": tuple(_straight(s, 4) if s.name in direct else r for s, r in zip(peers, through, strict=True)),
        }
    if own.backend == "wireguard":
        device = "flannel-wg" if family == 4 else "flannel-wg-v6"
        network = "10.244.0.0/16" if family == 4 else "fd00::/16"
        link = Link(index=5 + family, name=device, kind="wireguard", flags=UP, mtu=1420)
        return {"links": (link,), "routes": (Route(family=family, destination=network, device=device),)}
    if own.backend == "":
        return {
            "links": (Link(index=5, name="flannel0", kind="tun", flags=UP),),
            "routes": (Route(family=4, destination="10.244.0.0/16", device="flannel0"),),
        }
    return {}


def _straight(said: Said4, family: int) -> Route:
    return Route(family=family, destination=said.block, gateway=said.address, device="eth0")


def _vxlan(own: Said4, peers: list[Said4], family: int, direct: frozenset[str]) -> Facts:
    device = f"flannel.{own.vni}" if family == 4 else f"flannel-v6.{own.vni}"
    length = 32 if family == 4 else 128
    made = Vxlan(vni=own.vni, port=own.port, local=own.local, parent=own.card)
    mtu = 1450 if family == 4 else 1430  # IPv6 outside adds 20 more
    link = Link(index=3 + family, name=device, kind="vxlan", flags=UP, mtu=mtu, mac=own.mac, operstate="UNKNOWN", vxlan=made)
    tunnelled = [said for said in peers if said.name not in direct]
    routes = [Route(family=family, destination=said.block, gateway=said.base, device=device, onlink=True) for said in tunnelled]
    routes += [_straight(said, family) for said in peers if said.name in direct]
    routes.append(
        Route(family=family, destination=f"{own.base}/{length}", device=device, table="local", kind="local", protocol="kernel")
    )
    if family == 6:  # the kernel sets a route for the tunnel's own address, in main too
        routes.append(Route(family=6, destination=f"{own.base}/128", device=device, protocol="kernel", metric=256))
    heard = {said.block: said for said in tunnelled}  # of twins the later one
    return {
        "links": (link,),
        "addresses": (Address(device, family, own.base, length),),
        "routes": tuple({route.destination: route for route in routes}.values()),
        "neighbours": tuple(Neighbour(said.base, device, said.mac, ("PERMANENT",)) for said in heard.values()),
        "fdb": tuple({said.mac: FdbEntry(said.mac, device, said.address, True) for said in tunnelled}.values()),
    }


def sweep(nodes: Iterable[Node], kernels: Iterable[Kernel], *, begun: float = READ_AT) -> Sweep:
    """A finished sweep around which no Node changed."""
    known = {node.name: node for node in nodes}
    return Sweep(begun=begun, ended=begun + 2, kernels={k.node: k for k in kernels}, before=known, after=known)


def with_sweep(taken: Snapshot, made: Sweep, second: Sweep | None = None) -> Snapshot:
    """The Snapshot with what the nodes said, by default twice the same."""
    readings = {
        **taken.readings,
        Topic.KERNELS: Reading(at=made.begun, source="ssh", asked=len(taken.nodes), answered=len(made.kernels)),
    }
    return replace(
        taken,
        source="api",
        sweep=made,
        second_sweep=second or replace(made, begun=made.begun + 6, ended=made.begun + 8),
        readings=readings,
    )


def seen(
    taken: Snapshot,
    *,
    families: tuple[int, ...] = (4,),
    direct: Callable[[str, str], bool] = lambda a, b: False,
    second_card: bool = False,
) -> Snapshot:
    """The Snapshot with healthy kernels of all its Nodes."""
    kernels = [
        kernel(
            node,
            taken.nodes,
            families=families,
            direct=[o.name for o in taken.nodes if direct(node.name, o.name)],
            second_card=second_card,
        )
        for node in taken.nodes
    ]
    return with_sweep(taken, sweep(taken.nodes, kernels))


def changed(
    taken: Snapshot, name: str, *, once: bool = False, **changes: Callable[[tuple[Any, ...]], Iterable[Any]] | None
) -> Snapshot:
    """The Snapshot with facts of one node's kernel passed through functions; None removes a fact. `once`: the first time only."""
    assert taken.sweep is not None and taken.second_sweep is not None
    first = _spoilt(taken.sweep, name, changes)
    return replace(taken, sweep=first, second_sweep=taken.second_sweep if once else _spoilt(taken.second_sweep, name, changes))


def _spoilt(made: Sweep, name: str, changes: Mapping[str, Callable[[tuple[Any, ...]], Iterable[Any]] | None]) -> Sweep:
    before = made.kernels[name]
    facts = dict(before.facts)
    for fact, change in changes.items():
        if change is None:
            del facts[fact]
        else:
            facts[fact] = tuple(change(facts.get(fact, ())))
    return replace(made, kernels={**made.kernels, name: replace(before, facts=facts)})


def without(unwanted: Callable[[Any], bool]) -> Callable[[tuple[Any, ...]], Iterable[Any]]:
    """Leaves out what matches."""
    return lambda there: [item for item in there if not unwanted(item)]


def plus(*more: Any) -> Callable[[tuple[Any, ...]], Iterable[Any]]:
    """Adds entries."""
    return lambda there: (*there, *more)


def instead(old: Callable[[Any], bool], **fields: Any) -> Callable[[tuple[Any, ...]], Iterable[Any]]:
    """Changes fields of what matches."""
    return lambda there: [replace(item, **fields) if old(item) else item for item in there]


def route_to(block: str) -> Callable[[Route], bool]:
    """The route in main for just this block."""
    return lambda route: route.destination == block and route.table == "main"


def on(device: str) -> Callable[[Any], bool]:
    """Entries of a device."""
    return lambda item: bool(item.device == device)


def to_address(address: str) -> Callable[[Neighbour], bool]:
    """The neighbour with this address."""
    return lambda entry: entry.address == address


def to_mac(mac: str) -> Callable[[FdbEntry], bool]:
    """The forwarding entry of this MAC."""
    return lambda entry: entry.mac == mac
