"""Two running pods have one address. Whoever calls it reaches one of them, by the routes of the caller's node, and never
the other.

How it is known

The addresses of all running pods that are not ending and not on the host network are compared, on Nodes whose kubelets
live (a dead Node's pods only seem to run). The Nodes are read a second time some seconds later; only what is seen again on
unchanged Nodes counts. Nodes that share or overlap podCIDRs produce this by themselves: then it stands under FLN101 or
FLN102.

What to do

Find out which pod has the address rightly (it lies in its Node's podCIDR) and delete the other; where both lie in their
Nodes' podCIDRs, repair the podCIDRs first.

How to undo it

There is nothing to undo: the pod is started again by its controller.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.model import Evidence, Finding, Pod, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.pod_addresses import left_out, seen_again, shared, unconfirmed
from flannelscope.proofs import SHOWN, pod_cidrs
from flannelscope.text import count, fold

HEARTBEAT = "whether the Nodes live is not known: the Leases of their kubelets were not read"
NOT_CONFIRMED = "seen once only: the second read that confirms it has not been made, or showed a Node that is changing"


@check("FLN112", "duplicate-pod-ip", Severity.CRITICAL, needs=(Topic.NODES, Topic.PODS))
def duplicate_pod_ip(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each set of Nodes whose pods share addresses."""
    if reason := left_out(facts):
        yield this.unknown(reason)
    waiting: dict[str, dict[str, None]] = {NOT_CONFIRMED: {}, HEARTBEAT: {}}
    for item in shared(facts):
        silent = tuple(name for name in item.nodes if facts.alive(facts.nodes[name]) is None)
        unsure = unconfirmed(facts, item.nodes)
        if silent or unsure:
            waiting[HEARTBEAT if silent else NOT_CONFIRMED].update(dict.fromkeys(silent or unsure))
            continue
        stable = {text: pods for text, pods in item.pods.items() if all(seen_again(facts, pod, text) for pod in pods)}
        if stable:
            yield _finding(this, facts, item.nodes, stable)
    for reason, names in waiting.items():
        if names:
            yield this.unknown(reason, tuple(names))


def _finding(this: Check, facts: Facts, nodes: tuple[str, ...], pods: dict[str, tuple[Pod, ...]]) -> Finding:
    text, first = next(iter(pods.items()))
    return this.finding(
        f"{count(len(pods), 'address', 'addresses')} of pods on {fold(nodes)} {'is' if len(pods) == 1 else 'are'} used twice "
        f"({text} by {' and '.join(f'{p.namespace}/{p.name}' for p in first)}): callers reach one pod and never the other.",
        tuple(node_subject(name) for name in nodes),
        evidence=(
            *(_proof(text, found) for text, found in list(pods.items())[:SHOWN]),
            *(pod_cidrs(facts.nodes[name]) for name in nodes[:SHOWN]),
        ),
        remedy=Remedy(
            "Delete the pod whose address is not in its Node's podCIDR; where both are, repair the podCIDRs first.",
            (f"kubectl -n {shlex.quote(first[-1].namespace)} delete pod {shlex.quote(first[-1].name)}",),
            "Look at the podCIDRs before deleting either.",
        ),
    )


def _proof(text: str, pods: tuple[Pod, ...]) -> Evidence:
    return Evidence(
        text,
        " and ".join(f"{pod.namespace}/{pod.name} on {pod.node}" for pod in pods),
        "Pods, status.podIPs",
        f"kubectl get pods -A -o wide --field-selector status.podIP={text}",
    )
