"""The Node object of a machine that is gone keeps its podCIDR from everybody else, and every flannel keeps routes to it.

How it is known

A member whose kubelet has been silent for more than 24 hours: its Lease was last renewed before that, or its Ready
condition has been Unknown for that long. A Node for which no kubelet ever spoke counts from its creation.

How to see it

When its kubelet renewed its Lease last.

    kubectl -n kube-node-lease get lease NODE -o yaml

What to do

If the machine is gone for good, delete its Node object. First see whether FLN101, FLN202 or FLN205 name it: where a living
Node holds the same podCIDR or VtepMAC, running peers drop the living one's entries with it, until it is announced again.
The Node of a control plane or etcd machine is taken out as its distribution says, that of a provider's machine there; one
with finalizers waits for their owner. For these no command is given.

How to undo it

The Node registers again when its kubelet starts, perhaps with another podCIDR; save the object before deleting it.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from flannelscope.checks import Check, check
from flannelscope.deletion import dead, objection
from flannelscope.exchange import exchange_remedy
from flannelscope.facts import Facts
from flannelscope.model import Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import heartbeat, pod_cidrs, when

DAY = 86_400.0
CAUTION = (
    "First see FLN101, FLN202 and FLN205: where a living Node holds the same podCIDR or VtepMAC, deleting this one cuts the "
    "living one off from running peers until it is announced again. Each line only after the one before has ended well."
)


@check("FLN604", "left-over-node", Severity.INFO, needs=(Topic.NODES,))
def left_over_node(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Members that have been silent for a day."""
    for node in facts.snapshot.nodes:
        if node.name in facts.member_names and facts.alive(node) is not True:
            since = _silent_since(facts, node)
            if since is not None and facts.now - since > DAY:
                yield _finding(self, node, since, facts)


def _silent_since(facts: Facts, node: Node) -> float | None:
    """When its kubelet was last heard of, as far as that is known; None while it may well be alive."""
    lease = facts.lease_of.get(node.name)
    if lease is not None and lease.renewed is not None:
        return lease.renewed
    if node.ready == "Unknown":
        return node.ready_since
    return node.created if not node.ready and facts.snapshot.has(Topic.LEASES) else None


def _finding(self: Check, node: Node, since: float, facts: Facts) -> Finding:
    held = ", ".join(node.pod_cidrs)
    return self.finding(
        f"{node.name} has been silent since {when(since)} and still holds {held or 'its announcement'}.",
        (node_subject(node.name),),
        evidence=(heartbeat(facts, node), pod_cidrs(node)),
        remedy=_remedy(facts, node),
    )


def _remedy(facts: Facts, node: Node) -> Remedy:
    if node.ready in ("True", "False"):
        return Remedy(
            f"Its Ready condition is still {node.ready}: see whether the clock of {node.name} is behind, or no controller "
            "manager is there that would say that it is silent. Nothing is to be deleted before."
        )
    if objection(facts, node):
        return replace(
            exchange_remedy(facts, "If its machine is gone for good, its Node has to go too.", node.name), caution=CAUTION
        )
    if dead(facts, node):
        return replace(exchange_remedy(facts, "", node.name), caution=CAUTION)
    return Remedy("If its machine is gone for good, save and delete its Node object.", caution=CAUTION)
