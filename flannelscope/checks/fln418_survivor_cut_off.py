"""Nodes dropped the entries of a living member when another Node with the same podCIDR was deleted (or with the same MAC and
public-ip). flannel forgets by subnet: it removes what the last announcement had set, whoever still lives there.

How it is known

All nodes that were read and whose flannel has been running lack what an alive member needs, in two readings, while flannel
on those started later, if there are any, has it. With vxlan mostly route and neighbour are gone and the member's own FDB
entry is left behind, as after the removal of a twin; after a machine was renamed the FDB entry alone is gone. A member that
none of them can have heard of is told as FLN207. Which Node was deleted stands in flannel's log there, if that reaches back.

How to see it

On the nodes named in the evidence, `ip route`, `ip neigh` and `bridge fdb show dev flannel.1` lack what the Node announces.

    flannelscope check --ssh --only FLN418

What to do

Touch the annotation: write the Node's backend-data as the same JSON with other white space (in dual-stack backend-v6-data
too). Every running flannel takes it for a change and sets route, neighbour and FDB entry again; nothing needs to be started
anew.

How to undo it

Nothing to undo: flannel writes the annotation in its own form at its next start.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.exchange import touch
from flannelscope.facts import Facts
from flannelscope.kernel_causes import Blamed, Lack, causes
from flannelscope.kernel_words import doubts, lacks
from flannelscope.mesh import Leg
from flannelscope.model import Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.text import fold

_SAYS = {
    Lack.REMOVED: "route and neighbour are gone while its FDB entry is still there, as after the removal of a twin",
    Lack.FDB_ALONE: "its FDB entry alone is gone, as after the removal of a Node with the same MAC",
    Lack.NOTHING_THERE: "nothing of it is left, though their flannel has known it",
}


@check(
    "FLN418",
    "survivor-cut-off",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.KERNELS),
    swallows=("FLN207", "FLN401", "FLN402", "FLN403", "FLN404", *REACHABILITY),
)
def survivor_cut_off(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Living members that every running flannel has dropped."""
    known = causes(facts)
    for blamed in known.cut_off.values() if known is not None else ():
        yield _finding(this, facts, blamed)
    for reason, names in doubts(facts, Leg.ROUTE):
        yield this.unknown(reason, names)


def _finding(this: Check, facts: Facts, blamed: Blamed) -> Finding:
    later = f" {fold(blamed.later)} started later and has it." if blamed.later else ""
    return this.finding(
        f"{fold(blamed.observers)} no longer know {blamed.peer}, which is alive: {_SAYS[blamed.lack]}.{later}",
        (node_subject(blamed.peer),),
        evidence=lacks(facts, blamed),
        remedy=Remedy(
            f"Touch the annotation of {blamed.peer}: every running flannel then sets its entries again.",
            touch(facts, (blamed.peer,)),
        ),
    )
