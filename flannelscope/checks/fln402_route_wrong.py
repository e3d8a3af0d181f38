"""Packets for a peer's pods leave by another way than flannel's: a more specific route, a routing rule or a left-over route
takes them, all or some. Or packets for the node's own pods leave the node instead of reaching its bridge.

How it is known

The look-up is followed as the kernel does it: rules by priority, in each table the longest prefix, in two readings. Wrong is
another device or gateway than the backend wants, for the whole podCIDR or for a part of it; and for the own podCIDR a
gateway or flannel's tunnel. A pod's own route (cali*, veth) and a blackhole that holds a block together are right. Of Nodes
with one podCIDR either is right.

How to see it

On the node, `ip route get` for an address of the podCIDR; `ip rule` and `ip route show table all root PODCIDR` show which
route it is.

    flannelscope check --ssh --only FLN402

What to do

Remove the route or rule that is in the way once it is known whose it is: VPN clients, docker networks, static routes of a
former backend. If it must stay, the pods need another range (FLN109).

How to undo it

Add what was removed again, with the words that the evidence shows.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.kernel_words import Group, doubts, groups, mends, only_once, proof, said_by, shown, whose
from flannelscope.mesh import Leg, Reading, State, where
from flannelscope.mesh.cells import ip, past_rule, remove
from flannelscope.model import Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import living
from flannelscope.text import listed

LOOK = "Look whose the route is before it is removed: who set it may set it again. Each line belongs on the node named behind it."


@check("FLN402", "route-wrong", Severity.CRITICAL, needs=(Topic.NODES, Topic.KERNELS))
def route_wrong(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Nodes that send what is for pods another way."""
    for group in groups(facts, Leg.ROUTE, State.DIFFERS):
        if any(living(facts, facts.nodes[peer]) for peer in group.peers):
            yield _finding(this, facts, group)
    yield from _own(this, facts)
    for reason, names in doubts(facts, Leg.ROUTE):
        yield this.unknown(reason, names)


def _finding(this: Check, facts: Facts, group: Group) -> Finding:
    entries = shown(facts, group)
    sends = "sends" if len(group.observers) == 1 else "send"
    return this.finding(
        f"{listed(group.observers)} {sends} what is for the pods of {whose(facts, group.peers)} another way than flannel's.",
        tuple(map(node_subject, group.observers)),
        evidence=tuple(proof(problem, entry) for problem, entry in entries),
        remedy=Remedy("Remove what is in the way, lead past it, or set flannel's route again.", mends(entries), LOOK),
        towards=group.peers,
    )


def _own(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Nodes whose own podCIDR leaves the bridge."""
    mesh = facts.mesh
    for grid in mesh.grids if mesh is not None else ():
        for name, reading in grid.readings.items():
            first = grid.firsts.get(name, reading)
            if mesh is None or not reading.astray() or not first.astray():
                continue
            if name in mesh.doubts:
                yield this.unknown(f"settling: {mesh.doubts[name]}", (name,))
            elif not mesh.twice(name):
                yield this.unknown(only_once(mesh), (name,))
            else:
                yield _leaves(this, name, reading)


def _leaves(this: Check, name: str, reading: Reading) -> Finding:
    routes, own = reading.astray(), reading.own
    number = reading.members.number[name]
    ruled = reading.tables.instead.get(number)
    removed = tuple(remove(route, name) for route in routes if route is not ruled)
    show = f"{ip(own.family)} route show table all root {own.subnet}"
    return this.finding(
        f"On {name} packets for its own pods ({own.subnet}) leave the node: {'; '.join(map(where, routes[:3]))}.",
        (node_subject(name),),
        evidence=tuple(said_by(reading.kernel, f"route for {name}'s own podCIDR", where(r), "routes", show) for r in routes[:3]),
        remedy=Remedy(
            "Lead them past the rule that takes them away, and remove routes for them alone that lead away; the bridge's own "
            "comes back when its address is set (the next pod there does it).",
            (*removed, *(past_rule(reading, number) if ruled in routes else ())),
            LOOK,
        ),
    )
