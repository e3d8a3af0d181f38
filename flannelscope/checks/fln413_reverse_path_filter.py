"""Strict reverse-path filtering meets a path that differs by direction: packets of a peer come in by one device while the
route back leaves by another, and the kernel drops them without a word.

How it is known

In two readings the larger of net.ipv4.conf.all.rp_filter and that of the device by which a peer's packets come in is 1, while
this node's route to the peer's podCIDR leaves by another device: one side sends through the tunnel, the other directly. Strict
filtering alone is a default of many systems and drops nothing here. Peers whose own routes were not read are unknown.

How to see it

On the node, `sysctl net.ipv4.conf.all.rp_filter`, and `ip route get ADDRESS` for a pod of the peer, on both nodes.

    flannelscope check --ssh --only FLN413

What to do

Mend the route that differs (FLN402 says which is wanted). Where both ways are wanted, set rp_filter to 2 (loose) on the device
by which the packets come in, and on `all`.

How to undo it

Set the former value of rp_filter again.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.cidr import show
from flannelscope.facts import Facts, Network
from flannelscope.here import CARD_UNKNOWN, Here, NotRead
from flannelscope.model import Finding, Kernel, Route, Severity, Topic, Unknown
from flannelscope.seen_twice import Complaint, first_kernel, on_node, second_kernel, seen_twice
from flannelscope.text import fold

STRICT = 1
ALL = "net/ipv4/conf/all/rp_filter"


@check("FLN413", "reverse-path-filter", Severity.WARNING, needs=(Topic.NODES, Topic.KERNELS))
def reverse_path_filter(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each node that drops what comes by another device than it would answer by."""
    straight = _Straight(facts)
    yield from seen_twice(this, facts, lambda here: _judge(here, straight))


class _Straight:
    """By member, the podCIDRs of other members that its kernel routes past the tunnel; None where its routes are not known."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.holders: dict[str, str] = {}  # who holds a podCIDR
        for item in facts.pod_cidrs:
            if item.prefix is not None:
                self.holders.setdefault(show(item.prefix), item.node)
        self._known: dict[tuple[str, int], dict[str, Route] | None] = {}

    def of(self, network: Network, name: str, kernel: Kernel | None) -> dict[str, Route] | None:
        """The direct routes of a member, by the member they lead to."""
        if kernel is None or kernel.facts.get("routes") is None or kernel.facts.get("links") is None:
            return None
        key = (name, id(kernel))
        if key not in self._known:
            self._known[key] = self._read(Here(self.facts, self.facts.nodes[name], network, kernel))
        return self._known[key]

    def of_peer(self, here: Here, name: str) -> dict[str, Route] | None:
        """Those of another member, by its newest reading."""
        again, _ = second_kernel(self.facts, name)
        return self.of(here.network, name, again or first_kernel(self.facts, name))

    def _read(self, here: Here) -> dict[str, Route]:
        tunnels = {name for _, name in here.tunnels}
        found: dict[str, Route] = {}
        for route in here.routes:
            holder = self.holders.get(route.destination, "") if route.family == 4 else ""
            if holder and holder != here.node.name and route.table == "main" and route.device not in tunnels and route.gateway:
                found[holder] = route
        return found


def _judge(here: Here, straight: _Straight) -> Iterator[Complaint]:
    """Only of a tunnel is it known which way a peer's packets come; without one every route is direct."""
    tunnel = next((name for family, name in here.tunnels if family == 4), "")
    if not tunnel or here.said.backend_type not in ("vxlan", "ipip"):
        return
    mine = straight.of(here.network, here.node.name, here.kernel) or {}
    unknown: list[str] = []
    strict: dict[str, list[str]] = {}
    for peer, route in mine.items():
        theirs = straight.of_peer(here, peer)
        if theirs is None:
            unknown.append(peer)
        elif here.node.name not in theirs:  # it comes by the tunnel, and the way back is direct
            strict.setdefault(f"{tunnel} {route.device}", []).append(peer)
    for peer in here.network.members:
        if peer != here.node.name and peer not in mine:
            route_there = (straight.of_peer(here, peer) or {}).get(here.node.name)
            if route_there is not None:  # it comes by the card, and the way back is the tunnel
                strict.setdefault(f"{here.parent(4)} {tunnel}", []).append(peer)
    for pair, peers in strict.items():
        incoming, outgoing = pair.split(" ")
        if not incoming:
            raise NotRead(CARD_UNKNOWN)
        if _strict(here, incoming):
            yield _complaint(here, incoming, outgoing, peers)
    if unknown and _strict(here, tunnel):
        raise NotRead(f"by which device the packets of {fold(unknown)} come is not known: their routes were not read")


def _strict(here: Here, device: str) -> bool:
    """Whether the filter is strict: the larger of two settings counts. Raises NotRead where one that matters was not told."""
    of_all, of_device = here.setting(ALL), here.setting(f"net/ipv4/conf/{device}/rp_filter")
    if of_all is None or (of_device is None and of_all <= STRICT):
        raise NotRead(f"rp_filter of {'all devices' if of_all is None else device} was not told")
    return max(of_all, of_device or 0) == STRICT


def _complaint(here: Here, incoming: str, outgoing: str, peers: list[str]) -> Complaint:
    node, path = here.node.name, f"net/ipv4/conf/{incoming}/rp_filter"
    return Complaint(
        key=f"{incoming} {outgoing} {fold(peers)}",
        summary=f"{node} drops what comes from pods on {fold(peers)}: it comes in by {incoming}, the route back leaves by "
        f"{outgoing}, and reverse-path filtering is strict.",
        evidence=(
            here.proof("net.ipv4.conf.all.rp_filter", str(here.setting(ALL)), "sysctls", "sysctl net.ipv4.conf.all.rp_filter"),
            here.proof(f"rp_filter of {incoming}", str(here.setting(path)), "sysctls", f"sysctl {path}"),
            here.proof(f"routes to {fold(peers)}", f"by {outgoing}", "routes", "ip route"),
        ),
        remedy=on_node(
            here.node.name,
            f"Mend the route between {node} and {fold(peers)}; where both ways are wanted, make the filter loose on {incoming}.",
            [f"sysctl -w {path}=2"],
        ),
    )
