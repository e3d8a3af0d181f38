"""Somebody or something else is working on these nodes: what is odd there may be on its way to being right, and changing
it at the same time would be dangerous.

How it is known

kured holds its lock (an annotation on its DaemonSet names the node), a Node carries the mark of node-maintenance, of an
autoscaler that is about to remove it or of flannelscope's own lock, or a Node is cordoned while pods on it are
terminating: a drain. A Node that is only cordoned is nobody's work in progress.

How to see it

Taints and annotations of the Node; kured's lock is an annotation of its DaemonSet.

    kubectl describe node NODE
    kubectl get daemonsets -A -o yaml | grep kured-node-lock

What to do

Wait until it is done. If a lock was left behind by something that has died, release it on purpose.

How to undo it

There is nothing to undo: nothing is changed by looking.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.model import CLUSTER, DaemonSet, Evidence, Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import SHOWN, quoted, show_daemonset
from flannelscope.text import fold

KURED_LOCK = "weave.works/kured-node-lock"
OWN_LOCK = "flannelscope"  # the name in the annotation key of a lock that flannelscope itself took
_TAINTS = {
    "medik8s.io/drain": "node-maintenance",
    "kubevirt.io/drain": "node-maintenance",
    "ToBeDeletedByClusterAutoscaler": "the cluster autoscaler (about to remove it)",
    "karpenter.sh/disrupted": "Karpenter (about to remove it)",
    "karpenter.sh/disruption": "Karpenter (about to remove it)",
}


class _Lock(msgspec.Struct):
    nodeID: str = ""


@check("FLN602", "another-hand-at-work", Severity.INFO, needs=(Topic.NODES,))
def another_hand(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Locks, maintenance, and drains in progress."""
    for daemonset in facts.snapshot.daemonsets:
        if KURED_LOCK in daemonset.annotations:
            yield from _kured(self, facts, daemonset)
    marked: dict[str, list[tuple[Node, Evidence]]] = {}
    for node in facts.snapshot.nodes:
        for hand, proof in _marks(facts, node):
            marked.setdefault(hand, []).append((node, proof))
    for hand, places in marked.items():
        names = list(dict.fromkeys(node.name for node, _ in places))
        yield self.finding(
            f"{hand[0].upper()}{hand[1:]} is at work on {fold(names)}.",
            tuple(node_subject(name) for name in names),
            evidence=tuple(proof for _, proof in places[:SHOWN]),
            remedy=Remedy("Wait until it is done before changing anything on these nodes."),
        )


def _kured(self: Check, facts: Facts, daemonset: DaemonSet) -> Iterator[Finding]:
    text = daemonset.annotations[KURED_LOCK]
    try:
        holder = msgspec.json.decode(text, type=_Lock).nodeID
    except (msgspec.DecodeError, UnicodeError):
        holder = ""
    if not text.strip() or (not holder and text.strip() in ("{}", "null")):
        return
    name = holder or "an unreadable holder"
    yield self.finding(
        f"kured holds its reboot lock for {name}: that node is being drained, rebooted or was left so.",
        (node_subject(holder) if holder in facts.nodes else CLUSTER,),
        evidence=(
            Evidence(
                "kured's lock",
                text,
                f"DaemonSet {daemonset.namespace}/{daemonset.name}, annotation {KURED_LOCK}",
                show_daemonset(daemonset),
            ),
        ),
        remedy=Remedy(
            "Wait until kured is done with that node.",
            caution=f"Releasing the lock (annotation {KURED_LOCK}) while kured lives lets it reboot the next node at once: do so "
            "by hand only where kured has died and the node is back.",
        ),
    )


def _marks(facts: Facts, node: Node) -> Iterator[tuple[str, Evidence]]:
    """(whose hand, proof) of everything that shows somebody working on this Node."""
    drained = False
    for taint in node.taints:
        if hand := _TAINTS.get(taint.key):
            drained = True
            yield hand, Evidence(f"taint of {node.name}", taint.key, f"Node {node.name}, spec.taints", _show(node))
    for key, value in node.annotations.items():
        if key.endswith("/node-maintenance") or key == "node-maintenance":
            yield "node-maintenance", Evidence(key, value, f"Node {node.name}, annotation {key}", _show(node))
        elif "lock" in key and key.startswith(OWN_LOCK):
            yield "flannelscope (its own lock)", Evidence(key, value, f"Node {node.name}, annotation {key}", _show(node))
    if node.unschedulable and not drained:
        leaving = [pod for pod in facts.pods_on.get(node.name, ()) if pod.deleting and pod.owner_kind != "DaemonSet"]
        if leaving:
            names = ", ".join(f"{pod.namespace}/{pod.name}" for pod in leaving[:3])
            yield (
                "a drain",
                Evidence(f"{node.name} is cordoned, terminating pods", f"{len(leaving)}: {names}", "Node and Pods", _show(node)),
            )


def _show(node: Node) -> str:
    return f"kubectl describe node {quoted(node.name)}"
