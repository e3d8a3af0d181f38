"""Peers learn of a node only from its Node object: without the annotation kube-subnet-manager "true" no other flannel sets
a route to it. Its pods reach nobody on other nodes, and nobody reaches them, while everything on the node looks well.

How it is known

The Node has a podCIDR, its flannel container has been running for more than two minutes, and yet the Node carries no
kube-subnet-manager "true" under the annotation prefix of that flannel. In etcd mode flannel writes no annotations: nothing
is judged then.

How to see it

The Node's annotations lack `flannel.alpha.coreos.com/kube-subnet-manager`.

    kubectl get node NODE -o yaml

What to do

Read flannel's log on that node: it waits for the API server, may not patch nodes/status, or hangs in the choice of its
interface. Once the cause is gone, delete its flannel pod; it announces the node at its start.

How to undo it

Deleting the pod needs no undoing: the DaemonSet starts it again, and the entries of the kernel stay meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.facts import Facts, FlannelOnNode
from flannelscope.flannel.annotations import GATE, prefixes
from flannelscope.model import Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import annotation, flannel_runs, pod_cidrs, quoted, restart_flannel

RUNS_LONG_ENOUGH = 120.0  # seconds: a flannel that starts contacts the API server and announces within a few


@check(
    "FLN201",
    "not-announced",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.FLANNEL_PODS),
    swallows=("FLN310", "FLN401", "FLN402", "FLN403", "FLN404", *REACHABILITY),
)
def not_announced(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Nodes whose running flannel did not announce them."""
    for node in facts.snapshot.nodes:
        if node.pod_cidrs and facts.settled(node):
            silent = [item for item in facts.flannel_on.get(node.name, ()) if _silent(facts, node, item)]
            if silent:
                yield _finding(self, facts, node, silent[0])


def _silent(facts: Facts, node: Node, item: FlannelOnNode) -> bool:
    installation, status = facts.discovery.installations[item.installation], item.status
    if installation.etcd or status is None or status.state != "running" or status.started is None:
        return False
    return facts.now - status.started > RUNS_LONG_ENOUGH and node.annotations.get(installation.prefix + GATE) != "true"


def _finding(self: Check, facts: Facts, node: Node, item: FlannelOnNode) -> Finding:
    prefix = facts.discovery.installations[item.installation].prefix
    key = prefix + GATE
    others = [p for p in prefixes(node) if p != prefix and node.annotations[p + GATE] == "true"]
    said = f"; it is announced under {others[0]} only, by another flannel" if others else ""
    name = quoted(item.pod.name)
    log = f"kubectl -n {quoted(item.pod.namespace)} logs {name} -c {quoted(item.container)} --tail=100"
    return self.finding(
        f"flannel runs on {node.name} but has not announced it{said}: no other node sets a route to its pods.",
        (node_subject(node.name),),
        evidence=(annotation(node.name, key, node.annotations.get(key)), flannel_runs(item), pod_cidrs(node)),
        remedy=Remedy(
            "Read flannel's log for what it waits for, remove the cause, then start this flannel anew.",
            (log, *restart_flannel([item])),
        ),
    )
