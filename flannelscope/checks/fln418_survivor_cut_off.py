"""Nodes dropped the entries of a living member when another Node with the same podCIDR was deleted (or with the same MAC and
public-ip). flannel forgets by subnet: it removes what the last announcement had set, whoever still lives there.

How it is known

Most nodes were read, and all of these whose flannel has been running lack what an alive member needs, in two readings, while
flannel on those started later, if there are any, has it. With vxlan mostly route and neighbour are gone and the member's own
FDB entry is left behind, as after the removal of a twin; after a machine was renamed the FDB entry alone is gone. Where nothing
is left, something else must tell that they had it: flannel there started when the member was there already, others that
started later have it, or a Node with its podCIDR was seen to go. A member that none of them can have heard of is told as
FLN207, and one of which nothing tells is not known there. Which Node was deleted stands in flannel's log, if that reaches back.

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
from flannelscope.kernel_words import doubts_elsewhere, lacks
from flannelscope.model import Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.text import listed

_SAYS = {
    Lack.REMOVED: "route and neighbour are gone while its FDB entry is still there, as after the removal of a twin",
    Lack.FDB_ALONE: "its FDB entry alone is gone, as after the removal of a Node with the same MAC",
    Lack.NOTHING_THERE: "nothing of it is left",
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
    for reason, names in doubts_elsewhere(facts):
        yield this.unknown(reason, names)


def _finding(this: Check, facts: Facts, blamed: Blamed) -> Finding:
    return this.finding(
        f"{listed(blamed.observers)} no longer know {blamed.peer}, which is alive: {_SAYS[blamed.lack]}.{_sign(blamed)}",
        (node_subject(blamed.peer),),
        evidence=lacks(facts, blamed),
        remedy=Remedy(
            f"Touch the annotation of {blamed.peer}: every running flannel then sets its entries again.",
            touch(facts, (blamed.peer,)),
        ),
    )


def _sign(blamed: Blamed) -> str:
    """What tells that they once had it, where that is not plain from what is left."""
    if blamed.later:
        have = "has" if len(blamed.later) == 1 else "have"
        return f" {listed(blamed.later)} started later and {have} it."
    if blamed.twin:
        return f" {blamed.twin}, which had its podCIDR too, is gone."
    return " Their flannel started when it was there already." if blamed.lack is Lack.NOTHING_THERE else ""
