"""A node has no route to the pods of a peer: what it sends there leaves by the default route and is lost. flannel with vxlan
sets a route once and never looks at it again; one that somebody removes stays away until flannel hears of that peer anew.

How it is known

For every member that a node should reach (findings name whom), its backend wants a route: vxlan by the peer's base address
on flannel.VNI, host-gw and DirectRouting by the peer's own address, ipip on flannel.ipip, wireguard and udp one for all of
Network. In none of the tables that the node's rules use is there one, in two readings, while neither Node changed. A peer
that is not alive is told as info: nobody there answers anyway.

How to see it

On the node, `ip route show table all root PODCIDR` says nothing, and `ip route get` for an address of the peer's podCIDR
names the default route.

    flannelscope check --ssh --only FLN401

What to do

Set the route as shown, or start flannel on that node anew: it then sets all of them. Find who removed it (network managers,
a restart of the network, a colleague), or it will happen again. With host-gw flannel sets a route again within ten seconds:
one that stays away cannot be set, mostly because the peer's address is not on the node's own link.

How to undo it

Remove the route that was set with `ip route del` and the same words.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.kernel_words import ON_NODES, Group, dead, doubts, groups, mends, proof, shown, way_to, whose
from flannelscope.mesh import Leg, State
from flannelscope.model import Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import SHOWN
from flannelscope.text import listed


@check("FLN401", "route-missing", Severity.CRITICAL, needs=(Topic.NODES, Topic.KERNELS))
def route_missing(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Nodes without a route to a member."""
    for group in groups(facts, Leg.ROUTE, State.MISSING):
        yield _finding(this, facts, group)
    for reason, names in doubts(facts, Leg.ROUTE):
        yield this.unknown(reason, names)


def _finding(this: Check, facts: Facts, group: Group) -> Finding:
    if group.off_link and not dead(facts, group):
        return _cannot(this, facts, group)
    entries = shown(facts, group)
    has = "has" if len(group.observers) == 1 else "have"
    gone = dead(facts, group)
    return this.finding(
        f"{listed(group.observers)} {has} no route to the pods of {whose(facts, group.peers)}"
        + (", which is not alive." if gone else ": what goes there is lost."),
        tuple(map(node_subject, group.observers)),
        severity=Severity.INFO if gone else None,
        evidence=tuple(proof(problem, entry) for problem, entry in entries),
        remedy=Remedy("Set the routes again, or start flannel on these nodes anew.", mends(entries), ON_NODES),
        towards=group.peers,
    )


def _cannot(this: Check, facts: Facts, group: Group) -> Finding:
    """host-gw makes the peer's own address the gateway, and the kernel takes none that is behind a router."""
    has, their = ("has", "its") if len(group.observers) == 1 else ("have", "their")
    evidence = (item for problem, entry in shown(facts, group) for item in (proof(problem, entry), *way_to(facts, problem)))
    whom = whose(facts, group.peers)
    return this.finding(
        f"{listed(group.observers)} {has} no route to the pods of {whom} and can have none: the address announced there is not "
        f"on {their} link, and host-gw does not work across a router.",
        tuple(map(node_subject, group.observers)),
        evidence=tuple(evidence)[:SHOWN],
        remedy=Remedy(
            "Bring these nodes onto one link, have flannel announce the addresses that are (--iface), or use a backend that "
            "crosses routers, such as vxlan."
        ),
        towards=group.peers,
    )
