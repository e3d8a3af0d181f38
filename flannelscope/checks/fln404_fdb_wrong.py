"""A node's FDB does not say where a peer's tunnel is, or says it wrongly: encapsulated packets go to an address that is not
the peer's, or nowhere.

How it is known

With vxlan (but for peers that DirectRouting reaches without the tunnel) the FDB of flannel.VNI needs an entry that leads
from the peer's VtepMAC to the address it announces. In two readings there is none or another. Where several members announce
one MAC, the address of any of them is right.

How to see it

On the node, `bridge fdb show dev flannel.1` beside VtepMAC and public-ip of the peer's annotations.

    flannelscope check --ssh --only FLN404

What to do

Set the entry as shown, or start flannel on that node anew. Where many nodes keep an old address of one peer, touch that
peer's annotation (the same JSON with other white space): every flannel then sets its entries again.

How to undo it

Set the former address with the same command; the evidence shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.kernel_words import ON_NODES, Group, dead, doubts, groups, mends, proof, shown, whose
from flannelscope.mesh import Leg, State
from flannelscope.model import Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.text import listed


@check("FLN404", "fdb-wrong", Severity.CRITICAL, needs=(Topic.NODES, Topic.KERNELS))
def fdb_wrong(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Nodes whose FDB does not lead to a living member."""
    for group in groups(facts, Leg.FDB):
        if not dead(facts, group):
            yield _finding(this, facts, group)
    for reason, names in doubts(facts, Leg.FDB):
        yield this.unknown(reason, names)


def _finding(this: Check, facts: Facts, group: Group) -> Finding:
    entries = shown(facts, group)
    has = "has" if len(group.observers) == 1 else "have"
    ways: dict[State | None, str] = {State.MISSING: "no FDB entry", State.DIFFERS: "another address in the FDB"}
    what = ways.get(group.state, "no FDB entry, or another address in it,")
    return this.finding(
        f"{listed(group.observers)} {has} {what} for {whose(facts, group.peers)}: what is sent there is lost.",
        tuple(map(node_subject, group.observers)),
        evidence=tuple(proof(problem, entry) for problem, entry in entries),
        remedy=Remedy("Set the FDB entries again, or start flannel on these nodes anew.", mends(entries), ON_NODES),
        towards=group.peers,
    )
