"""Pods that were placed on a Node get no network: they stay in ContainerCreating, and what they would do is not done.

How it is known

A pod was scheduled to a Node that is not dead more than two minutes ago, is not on the host network, has no address, and an
event of the last ten minutes says that its sandbox could not be made (FailedCreatePodSandBox, NetworkNotReady). Pods that
wait for a volume, a Secret or a ConfigMap have no such event: those come before the sandbox.

It is critical where no pod that was scheduled since got an address. When a pod that has one was scheduled is not kept, for
want of room, so that is told by what is known: no pod of the Node has an address, or the reason lies in the Node itself
(no subnet file, no CNI configuration or plugin, a wrong bridge, no address left) and would hold for every new pod. With any
other reason it is a warning, and whether others fared better is said to be unknown.

How to see it

The events of a waiting pod name the reason.

    kubectl -n NAMESPACE describe pod POD

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
from enum import Enum

from flannelscope.checks import Check, check
from flannelscope.facts import NEW_NODE, RECENT, Facts
from flannelscope.heartbeats import LEASE_FRESH
from flannelscope.model import Event, Evidence, Finding, Node, Pod, Remedy, Severity, Topic, Unknown, node_subject, pod_subject
from flannelscope.pod_addresses import left_out
from flannelscope.proofs import SHOWN, doubtful, heartbeat, living, when, why_doubtful
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


class Fate(Enum):
    """What became of the other pods of a Node since its first waiting pod was scheduled there, in words."""

    NONE = " No pod of this Node has one."
    HELD = " Pods of this Node that have one are not known to have got it since, and the reason holds for every new pod."
    SERVED = " Another pod got one since."
    UNKNOWN = " Other pods of this Node have one; whether they got it since is not known."


@check(
    "FLN114",
    "pods-without-ip",
    Severity.WARNING,
    needs=(Topic.NODES, Topic.PODS, Topic.EVENTS),
)
def pods_without_ip(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each Node, with its reasons."""
    if reason := left_out(facts):
        yield this.unknown(reason)
    events = _events(facts)
    waiting: dict[str, list[tuple[Pod, Event]]] = {}
    for pod in facts.snapshot.pods if events else ():
        event = events.get((pod.namespace, pod.name))
        if event is not None and _waits(facts, pod) and event.uid in ("", pod.uid):
            waiting.setdefault(pod.node, []).append((pod, event))
    judged = [facts.nodes[name] for name in waiting if name in facts.nodes]
    judged = [node for node in judged if living(facts, node) and facts.settled(node)]
    fates = {node.name: _fate(facts, node.name, waiting[node.name]) for node in judged}
    for node in judged:
        yield _finding(this, facts, node, waiting[node.name], fates[node.name])
    if unsure := tuple(name for name, fate in fates.items() if fate is Fate.UNKNOWN):
        yield this.unknown("whether pods that were scheduled there since got an address is not known", unsure)
    # An event of the kubelet is a sign of life as good as a Lease, as long as it is fresh.
    quiet = [node for node in judged if not any(_just_now(facts, event) for _, event in waiting[node.name])]
    if doubt := doubtful(facts, quiet):
        yield this.unknown(why_doubtful(facts), doubt)


def _just_now(facts: Facts, event: Event) -> bool:
    return event.last is not None and facts.now - event.last <= LEASE_FRESH


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


def _fate(facts: Facts, name: str, pods: list[tuple[Pod, Event]]) -> Fate:
    """What became of the other pods of this Node since the first of these was scheduled."""
    first = min(pod.scheduled for pod, _ in pods if pod.scheduled is not None)
    served = [pod for pod in facts.pods_on.get(name, ()) if pod.ips and not pod.host_network]
    if any(pod.scheduled is not None and pod.scheduled > first for pod in served):
        return Fate.SERVED
    if not any(not pod.deleting and pod.phase not in ("Succeeded", "Failed") for pod in served):
        return Fate.NONE
    return Fate.HELD if any(_of_the_node(event) for _, event in pods) else Fate.UNKNOWN


def _of_the_node(event: Event) -> bool:
    """Whether the reason would hold for every new pod of the Node."""
    return event.reason == "NetworkNotReady" or _reason(event) != OTHER


def _finding(this: Check, facts: Facts, node: Node, pods: list[tuple[Pod, Event]], fate: Fate) -> Finding:
    name, reasons = node.name, sorted({_reason(event) for _, event in pods})
    life = () if facts.alive(node) else (heartbeat(facts, node),)
    return this.finding(
        f"{count(len(pods), 'pod')} on {name} {'waits' if len(pods) == 1 else 'wait'} for an address: {'; '.join(reasons)}."
        + fate.value,
        (node_subject(name), *(pod_subject(pod) for pod, _ in pods)),
        severity=Severity.CRITICAL if fate in (Fate.NONE, Fate.HELD) else Severity.WARNING,
        evidence=(*(_proof(pod, event) for pod, event in pods[:SHOWN]), *life),
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
