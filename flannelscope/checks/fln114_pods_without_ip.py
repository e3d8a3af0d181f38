"""Pods that were placed on a Node get no network: they stay in ContainerCreating, and what they would do is not done.

How it is known

A pod was scheduled to a living Node more than two minutes ago, is not on the host network, has no address, and an event of
the last ten minutes says that its sandbox could not be made (FailedCreatePodSandBox, NetworkNotReady). Pods that wait for a
volume, a Secret or a ConfigMap have no such event: those come before the sandbox. It is critical where no pod of the Node
has an address.

What to do

The reason in the event names the layer: subnet.env missing means that flannel did not start there; cni0 with another
address, that the podCIDR changed; no addresses available, that reservations leaked or the range is full; a plugin not
found, that a file is missing in the runtime's bin_dir.

How to undo it

There is nothing to undo: nothing is changed by looking.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import NEW_NODE, RECENT, Facts
from flannelscope.model import Event, Evidence, Finding, Pod, Remedy, Severity, Topic, Unknown, node_subject, pod_subject
from flannelscope.proofs import SHOWN, when
from flannelscope.text import clean, count

NO_NETWORK = ("FailedCreatePodSandBox", "NetworkNotReady")
CAUSES = (
    ("subnet.env", "flannel has not written its subnet file"),
    ("already has an IP address different from", "the bridge has an address of another podCIDR"),
    ("no IP addresses available", "no address is left in the node's range"),
    ("failed to find plugin", "a CNI plugin is not installed"),
    ("cni plugin not initialized", "no CNI configuration is there"),
    ("cni config uninitialized", "no CNI configuration is there"),
)
OTHER = "the network of the sandbox could not be set up"


@check(
    "FLN114",
    "pods-without-ip",
    Severity.WARNING,
    needs=(Topic.NODES, Topic.PODS, Topic.EVENTS, Topic.LEASES),
)
def pods_without_ip(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each Node, with its reasons."""
    events = _events(facts)
    waiting: dict[str, list[tuple[Pod, Event]]] = {}
    for pod in facts.snapshot.pods if events else ():
        event = events.get((pod.namespace, pod.name))
        if event is not None and _waits(facts, pod) and event.uid in ("", pod.uid):
            waiting.setdefault(pod.node, []).append((pod, event))
    for name, pods in waiting.items():
        node = facts.nodes.get(name)
        if node is not None and facts.alive(node) and facts.settled(node):
            yield _finding(this, facts, name, pods)


def _events(facts: Facts) -> dict[tuple[str, str], Event]:
    """The newest such event of each pod, none older than 10 min."""
    found: dict[tuple[str, str], Event] = {}
    for event in facts.snapshot.events:
        if event.reason in NO_NETWORK and event.kind == "Pod" and event.last is not None and facts.now - event.last <= RECENT:
            known = found.get((event.namespace, event.name))
            if known is None or (known.last or 0.0) < event.last:
                found[event.namespace, event.name] = event
    return found


def _waits(facts: Facts, pod: Pod) -> bool:
    return (
        bool(pod.node)
        and not pod.ips
        and not pod.host_network
        and not pod.deleting
        and pod.phase not in ("Succeeded", "Failed")
        and pod.scheduled is not None
        and facts.now - pod.scheduled > NEW_NODE
    )


def _finding(this: Check, facts: Facts, name: str, pods: list[tuple[Pod, Event]]) -> Finding:
    reasons = sorted({_reason(event) for _, event in pods})
    served = any(pod.ips and not pod.host_network and not pod.deleting for pod in facts.pods_on.get(name, ()))
    return this.finding(
        f"{count(len(pods), 'pod')} on {name} {'waits' if len(pods) == 1 else 'wait'} for an address: {'; '.join(reasons)}."
        + ("" if served else " No pod of this Node has one."),
        (node_subject(name), *(pod_subject(pod) for pod, _ in pods)),
        severity=Severity.WARNING if served else Severity.CRITICAL,
        evidence=tuple(_proof(pod, event) for pod, event in pods[:SHOWN]),
        remedy=Remedy(
            "Remove what the reason names; the kubelet tries again by itself.",
            (f"kubectl get pods -A -o wide --field-selector spec.nodeName={shlex.quote(name)}",),
        ),
    )


def _reason(event: Event) -> str:
    return next((cause for mark, cause in CAUSES if mark in event.message), OTHER)


def _proof(pod: Pod, event: Event) -> Evidence:
    return Evidence(
        f"event {event.reason} of {pod.namespace}/{pod.name}",
        f"{clean(event.message, 240)} (last {when(event.last)}, pod scheduled {when(pod.scheduled)})",
        f"Event about Pod {pod.namespace}/{pod.name}",
        f"kubectl -n {shlex.quote(pod.namespace)} describe pod {shlex.quote(pod.name)}",
    )
