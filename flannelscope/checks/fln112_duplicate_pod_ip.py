"""Two running pods have one address. Whoever calls it reaches one of them, by the routes of the caller's node, and never
the other.

How it is known

The addresses of all running pods that are not ending and not on the host network are compared, on Nodes whose kubelets
live (a dead Node's pods only seem to run). The Nodes are read a second time some seconds later; only what is seen again on
unchanged Nodes counts. Nodes that share or overlap podCIDRs produce this by themselves: then it stands under FLN101 or
FLN102.

How to see it

Two lines for one address.

    kubectl get pods -A -o wide --field-selector status.podIP=ADDRESS

What to do

Find out which pod has the address rightly (it lies in its Node's podCIDR) and delete the other; where both lie in their
Nodes' podCIDRs, repair the podCIDRs first.

How to undo it

There is nothing to undo: the pod is started again by its controller.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.cidr import holds, parse_address
from flannelscope.facts import Facts
from flannelscope.model import Evidence, Finding, Pod, Remedy, Severity, Topic, Unknown, node_subject, pod_subject
from flannelscope.pod_addresses import left_out, seen_again, shared, unconfirmed
from flannelscope.pods_to_delete import LOST, delete_pods
from flannelscope.proofs import SHOWN, doubtful, pod_cidrs, why_doubtful
from flannelscope.text import count, fold

NOT_CONFIRMED = "seen once only: the second read that confirms it has not been made, or showed a Node that is changing"


@check("FLN112", "duplicate-pod-ip", Severity.CRITICAL, needs=(Topic.NODES, Topic.PODS))
def duplicate_pod_ip(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each set of Nodes whose pods share addresses."""
    if reason := left_out(facts):
        yield this.unknown(reason)
    waiting: dict[str, dict[str, None]] = {NOT_CONFIRMED: {}, why_doubtful(facts): {}}
    for item in shared(facts):
        if unsure := unconfirmed(facts, item.nodes):
            waiting[NOT_CONFIRMED].update(dict.fromkeys(unsure))
            continue
        stable = {text: pods for text, pods in item.pods.items() if all(seen_again(facts, pod, text) for pod in pods)}
        if stable:
            yield _finding(this, facts, item.nodes, stable)
            waiting[why_doubtful(facts)].update(dict.fromkeys(_deciding(facts, item.nodes, stable)))
    for reason, names in waiting.items():
        if names:
            yield this.unknown(reason, tuple(names))


def _deciding(facts: Facts, names: tuple[str, ...], pods: dict[str, tuple[Pod, ...]]) -> tuple[str, ...]:
    """The doubtful Nodes without whose life no address would be used twice: the pods of a dead Node only seem to run."""
    if any(sum(1 for pod in found if facts.alive(facts.nodes[pod.node])) > 1 for found in pods.values()):
        return ()
    return doubtful(facts, (facts.nodes[name] for name in names))


def _finding(this: Check, facts: Facts, nodes: tuple[str, ...], pods: dict[str, tuple[Pod, ...]]) -> Finding:
    text, first = next(iter(pods.items()))
    return this.finding(
        f"{count(len(pods), 'address', 'addresses')} of pods on {fold(nodes)} {'is' if len(pods) == 1 else 'are'} used twice "
        f"({text} by {' and '.join(f'{p.namespace}/{p.name}' for p in first)}): callers reach one pod and never the other.",
        (*(node_subject(name) for name in nodes), *sorted({pod_subject(pod) for found in pods.values() for pod in found})),
        evidence=(
            *(_proof(text, found) for text, found in list(pods.items())[:SHOWN]),
            *_further(len(pods) - SHOWN),
            *(pod_cidrs(facts.nodes[name]) for name in nodes[:SHOWN]),
        ),
        remedy=_remedy(facts, pods),
    )


def _further(rest: int) -> tuple[Evidence, ...]:
    command = "flannelscope check --only FLN112 -o json  # the subjects name every pod"
    return (Evidence("further addresses", f"{rest} more like these", "Pods, status.podIPs", command),) if rest > 0 else ()


def _remedy(facts: Facts, pods: dict[str, tuple[Pod, ...]]) -> Remedy:
    """Only a pod whose address is not its Node's to give can be called the wrong one."""
    wrong = [pod for text, found in pods.items() for pod in found if _foreign(facts, pod, text)]
    if not wrong:
        return Remedy("Each of these pods has an address of its own Node's podCIDR: repair the podCIDRs first, then delete one.")
    names = ", ".join(dict.fromkeys(f"{pod.namespace}/{pod.name}" for pod in wrong[:SHOWN]))
    return Remedy(
        f"Delete the pods whose address is not in their Node's podCIDR ({names}); their controllers start them again.",
        delete_pods(wrong[:SHOWN]),
        LOST,
    )


def _foreign(facts: Facts, pod: Pod, text: str) -> bool:
    """Whether the address is in none of its Node's podCIDRs, while the Node has one of this family."""
    address = parse_address(text)
    own = [i.prefix for i in facts.pod_cidrs_of.get(pod.node, ()) if i.prefix and address and i.prefix.family == address[0]]
    return bool(own) and address is not None and not any(holds(prefix, *address) for prefix in own)


def _proof(text: str, pods: tuple[Pod, ...]) -> Evidence:
    return Evidence(
        text,
        " and ".join(f"{pod.namespace}/{pod.name} on {pod.node}" for pod in pods),
        "Pods, status.podIPs",
        f"kubectl get pods -A -o wide --field-selector status.podIP={text}",
    )
