"""Two Nodes hand out the same pod addresses, and every other node keeps only one route for both. Traffic for either goes
to the one it heard of last, so the pods of the other get no answers from there, while everything on the node itself looks
healthy.

How it is known

The podCIDRs of all Nodes are compared with their host bits masked, in every family that flannel serves. Where at least two
holders are members of a flannel network (or run flannel) the finding is critical: peers see two leases for one subnet.
With fewer, flannel sees one lease or none: traffic works for now, and it is a warning, because deleting either Node clears
the block in the controller manager, which may hand it out again. Which of the twins gets the traffic, each other node has
decided for itself: it goes by the announcement that its flannel took in last. The evidence says on how many nodes that can be
told, and the command that shows it on any of them.

How to see it

Two lines with one podCIDR in the list of all Nodes; on any third node, `ip neigh show BASE dev flannel.1` (BASE is the
first address of the podCIDR) shows the VtepMAC of the twin that gets the traffic from there.

    kubectl get nodes -o custom-columns=NAME:.metadata.name,PODCIDRS:.spec.podCIDRs

What to do

One holder keeps the podCIDR, all others leave it. A dead one goes first, then one outside flannel, then a worker; of equals
the younger. If a dead one's machine is gone for good, its Node is deleted; a living one is drained, its Node deleted and
created again with a free podCIDR. Deleting the Node makes every peer drop its entries for the subnet although the other
still lives there; writing the survivor's backend-data annotation again with another blank makes all peers set them within a
second. Restart the controller manager after the deletion and before any Node joins, but never while FLN103 stands: it would
not start. Of several pairs rebuild one Node at a time, and run the check between. For Nodes that belong to etcd, a provider or
a finalizer no command is given.

How to undo it

The same commands once more, with the former podCIDR in the saved manifest: the Node is deleted and created again, its flannel
started anew, and pods that got an address meanwhile are deleted. `kubectl create` takes no manifest with a resourceVersion and
no name that exists. What was wrong before is then wrong again.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.address_proofs import age_order, held_by
from flannelscope.addresses import PodCidr
from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.cidr import show
from flannelscope.deletion import dead, leaving_order
from flannelscope.exchange import exchange_remedy
from flannelscope.facts import Facts
from flannelscope.model import Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.text import count, fold
from flannelscope.winners import winner


@check(
    "FLN101",
    "duplicate-podcidr",
    Severity.CRITICAL,
    needs=(Topic.NODES,),
    swallows=(
        "FLN112",
        "FLN204",
        "FLN205",
        "FLN207",
        "FLN310",
        "FLN401",
        "FLN402",
        "FLN403",
        "FLN404",
        "FLN405",
        "FLN418",
        *REACHABILITY,
    ),
)
def duplicate_podcidr(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each podCIDR that several Nodes hold."""
    for group in facts.duplicates:
        yield _finding(this, facts, group)


def _finding(this: Check, facts: Facts, group: tuple[PodCidr, ...]) -> Finding:
    nodes = age_order(facts.nodes[name] for name in dict.fromkeys(item.node for item in group))
    names = [node.name for node in nodes]
    seen = [name for name in names if facts.in_flannel(name)]
    prefix = group[0].prefix
    assert prefix is not None  # only CIDRs are grouped
    return this.finding(
        f"{fold(names)} hold the same podCIDR {show(prefix)}: {_effect(facts, names, seen)}.{_older(nodes)}",
        tuple(node_subject(item.node) for item in sorted(group, key=lambda i: names.index(i.node))),
        severity=Severity.CRITICAL if len(seen) > 1 else Severity.WARNING,
        evidence=(*held_by(facts, group), *((who,) if (who := winner(facts, names, prefix)) else ())),
        remedy=_remedy(facts, nodes),
    )


def _remedy(facts: Facts, nodes: list[Node]) -> Remedy:
    """All holders but one leave the podCIDR."""
    *leaving, staying = leaving_order(facts, nodes)
    moving = [node.name for node in leaving if not dead(facts, node) and node.deleting is None]
    keeps = f"{staying.name} keeps this podCIDR"
    summary = f"Give {fold(moving)} another podCIDR; {keeps}." if moving else f"{keeps}."
    return exchange_remedy(facts, summary, *(node.name for node in leaving))


def _effect(facts: Facts, names: list[str], seen: list[str]) -> str:
    leases = [name for name in names if name in facts.member_names]
    if len(seen) > 1:
        told = f"flannel sees {count(len(leases), 'lease')} for one subnet" if leases else "both run flannel"
        return f"{told}, and each peer sends its traffic to the one it heard of last: pods of the others get no answers from it"
    if leases:
        return f"flannel sees one lease ({leases[0]}), so traffic works until another of them joins flannel or a Node is deleted"
    return "none of them is in flannel yet; the second that joins takes the traffic of the first"


def _older(nodes: list[Node]) -> str:
    first, second = nodes[0], nodes[1]
    if first.created is None or second.created is None or first.created == second.created:
        return ""
    return f" {first.name} is the older."
