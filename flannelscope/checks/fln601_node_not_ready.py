"""A Node that is not Ready gets no new pods, and its pods may not be served. Where the reason is the pod network itself, no
pod on it can start until the network is repaired.

How it is known

The Node's Ready condition, as the API says it. Critical where the kubelet gives NetworkPluginNotReady as its reason for
more than five minutes: the CNI configuration, a plugin, or flannel's subnet.env is missing there.

How to see it

Conditions and events of the Node.

    kubectl describe node NODE

What to do

See why the kubelet is silent or what it complains about. With NetworkPluginNotReady, look at flannel's pod on that node
first: it installs the CNI configuration and writes subnet.env.

How to undo it

There is nothing to undo: nothing is changed by looking.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.model import Evidence, Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import heartbeat, quoted, show_pod, when

NO_NETWORK = "NetworkPluginNotReady"
LONG = 300.0


@check("FLN601", "node-not-ready", Severity.INFO, needs=(Topic.NODES,))
def node_not_ready(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Nodes whose Ready condition is not True."""
    for node in facts.snapshot.nodes:
        if node.ready != "True":
            yield _finding(self, facts, node)


def _finding(self: Check, facts: Facts, node: Node) -> Finding:
    network = node.ready == "False" and NO_NETWORK in f"{node.ready_reason} {node.ready_message}"
    long = node.ready_since is not None and facts.now - node.ready_since > LONG
    message = node.ready_message or node.ready_reason or "no message"
    look = [show_pod(item.pod) for item in facts.flannel_on.get(node.name, ())] if network else []
    return self.finding(
        f"{node.name} {_state(node, network)}.",
        (node_subject(node.name),),
        severity=Severity.CRITICAL if network and long else Severity.INFO,
        evidence=(
            heartbeat(facts, node),
            Evidence(f"the kubelet of {node.name} says", message, f"Node {node.name}, status.conditions, Ready"),
        ),
        remedy=Remedy(
            "See why flannel did not set up this node's network." if network else "See why its kubelet is not Ready.",
            (f"kubectl describe node {quoted(node.name)}", *look),
        ),
    )


def _state(node: Node, network: bool) -> str:
    since = f" since {when(node.ready_since)}" if node.ready_since is not None else ""
    if not node.ready:
        return "has never reported its state: no kubelet has spoken for it"
    if node.ready == "Unknown":
        return f"is silent{since}: its kubelet sends no heartbeat"
    if network:
        return f"is not Ready{since}: its pod network is not set up (NetworkPluginNotReady), no pod can start there"
    return f"is not Ready{since}: {node.ready_reason or 'no reason given'}"
