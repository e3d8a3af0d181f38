"""A pod has an address that no route leads to: other nodes send what is meant for it to the Node that holds that podCIDR,
or nowhere. It happens to pods that were started before their Node got another podCIDR.

How it is known

Every running pod of a member Node that is not on the host network must have its addresses inside the Node's podCIDRs, in
the families that flannel serves. The Node and its pods are read a second time some seconds later; only what is seen again
on an unchanged Node counts. Where nearly all pods are outside, addresses come from another IPAM than podCIDRs, and that is
only worth knowing.

How to see it

An address in this list that is not in the Node's podCIDR.

    kubectl get pods -A -o wide --field-selector spec.nodeName=NODE

What to do

Delete these pods, so that they are started again with an address of the present podCIDR. If new pods get wrong addresses
too, the bridge cni0 or the CNI's reservations on the node are left over from the former podCIDR.

How to undo it

There is nothing to undo: the pods are started again by their controllers. Pods without one are gone for good.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.model import CLUSTER, Evidence, Finding, Pod, Remedy, Severity, Topic, Unknown, node_subject, pod_subject
from flannelscope.pod_addresses import Outside, left_out, other_ipam, outside, seen_again, unconfirmed
from flannelscope.pods_to_delete import LOST, delete_pods
from flannelscope.proofs import SHOWN, pod_cidrs
from flannelscope.text import count

NOT_CONFIRMED = "seen once only: the second read that confirms it has not been made, or showed a Node that is changing"


@check("FLN111", "pod-outside-podcidr", Severity.CRITICAL, needs=(Topic.NODES, Topic.PODS))
def pod_outside_podcidr(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each Node with such pods."""
    strays = outside(facts)
    if other_ipam(facts, strays):
        yield _other_ipam(this, strays)
        return
    if reason := left_out(facts):
        yield this.unknown(reason)
    waiting = unconfirmed(facts, tuple(item.node for item in strays))
    if waiting:
        yield this.unknown(NOT_CONFIRMED, waiting)
    for item in strays:
        if item.node not in waiting:
            stable = [(pod, text) for pod, text in item.pods if seen_again(facts, pod, text)]
            if stable:
                yield _finding(this, facts, item.node, stable)


def _finding(this: Check, facts: Facts, name: str, pods: list[tuple[Pod, str]]) -> Finding:
    node = facts.nodes[name]
    one = len(pods) == 1
    return this.finding(
        f"{count(len(pods), 'pod')} on {name} {'has an address' if one else 'have addresses'} outside its podCIDR "
        f"{', '.join(node.pod_cidrs)}: other nodes do not reach {'it' if one else 'them'}.",
        (node_subject(name), *(pod_subject(pod) for pod, _ in pods)),
        evidence=(pod_cidrs(node), *(_proof(pod, text) for pod, text in pods[:SHOWN])),
        remedy=Remedy(
            "Delete these pods, so that they get addresses of the present podCIDR; when new ones are wrong too, the bridge and "
            "its reservations on the node are still those of the former podCIDR.",
            delete_pods(pod for pod, _ in pods[:SHOWN]),
            LOST,
        ),
    )


def _proof(pod: Pod, text: str) -> Evidence:
    return Evidence(
        f"address of {pod.namespace}/{pod.name}",
        text,
        f"Pod {pod.namespace}/{pod.name}, status.podIPs",
        f"kubectl -n {shlex.quote(pod.namespace)} get pod {shlex.quote(pod.name)} -o wide",
    )


def _other_ipam(this: Check, strays: tuple[Outside, ...]) -> Finding:
    pods = [pair for item in strays for pair in item.pods]
    return this.finding(
        f"Nearly all pods ({len(pods)}) have addresses outside their Nodes' podCIDRs: addresses come from another IPAM than "
        "podCIDRs, and flannel's routes do not lead to them.",
        (CLUSTER,),
        severity=Severity.INFO,
        evidence=tuple(_proof(pod, text) for pod, text in pods[:SHOWN]),
    )
