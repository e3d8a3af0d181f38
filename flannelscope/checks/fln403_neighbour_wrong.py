"""A node's ARP or ND entry for a peer is missing or names another MAC than the peer announces: the peer's tunnel drops what
comes for a MAC that is not its own. flannel sets these entries by hand once, the kernel never asks for them.

How it is known

With vxlan (but for peers that DirectRouting reaches without the tunnel) a node needs a permanent neighbour on flannel.VNI:
the first address of the peer's podCIDR at the peer's VtepMAC. In two readings it is not there or another. Of several members
with one base address any of their MACs is right.

How to see it

On the node, `ip neigh show BASE dev flannel.1` beside the VtepMAC in the peer's backend-data.

    flannelscope check --ssh --only FLN403

What to do

Set the entry as shown, or start flannel on that node anew. Where the peer's device was made anew and many nodes keep the old
MAC, touch the peer's annotation (the same JSON with other white space): every flannel then sets its entries again.

How to undo it

Set the former MAC with the same command; the evidence shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.kernel_words import ON_NODES, Group, dead, doubts, groups, mends, proof, shown, whose
from flannelscope.mesh import Leg, State
from flannelscope.model import Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.text import listed


@check("FLN403", "neighbour-wrong", Severity.CRITICAL, needs=(Topic.NODES, Topic.KERNELS))
def neighbour_wrong(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Nodes whose neighbour for a living member is missing or another."""
    for group in groups(facts, Leg.NEIGHBOUR):
        if not dead(facts, group):
            yield _finding(this, facts, group)
    for reason, names in doubts(facts, Leg.NEIGHBOUR):
        yield this.unknown(reason, names)


def _finding(this: Check, facts: Facts, group: Group) -> Finding:
    entries = shown(facts, group)
    has = "has" if len(group.observers) == 1 else "have"
    ways: dict[State | None, str] = {State.MISSING: "no neighbour", State.DIFFERS: "another MAC"}
    what = ways.get(group.state, "no neighbour, or another MAC,")
    return this.finding(
        f"{listed(group.observers)} {has} {what} for {whose(facts, group.peers)}: what is sent there is dropped.",
        tuple(map(node_subject, group.observers)),
        evidence=tuple(proof(problem, entry) for problem, entry in entries),
        remedy=Remedy("Set the neighbours again, or start flannel on these nodes anew.", mends(entries), ON_NODES),
        towards=group.peers,
    )
