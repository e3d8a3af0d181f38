"""A node without flannel gets no routes to its peers and is announced to nobody; where it never ran, no pod on that node
gets an address. What an earlier flannel set up stays, and grows old.

How it is known

A Ready Node, there for more than five minutes, passes the nodeSelector, affinity and taints of a flannel DaemonSet as its
controller computes them, and there is no such pod on it (the DaemonSet's own count misses it too), or the pod there did not
get its flannel container running in five minutes. Not while a rollout is on its way, and not where another flannel of the
same annotation prefix has a pod. Members that no DaemonSet covers (k3s, RKE2, flannel as a service of the host) are taken to
run it while they are alive; Windows and virtual Nodes count only for a DaemonSet of their own.

How to see it

The DaemonSet counts fewer pods than Nodes, or a pod of it has never run.

    kubectl -n kube-flannel get daemonset,pods -o wide

What to do

Where there is no pod: see the events of the DaemonSet (quota, admission, PodSecurity) and whether the controller manager
runs. Where it never ran: see the pod's events (image, mounts, init containers). To keep flannel off a node on purpose, give
the DaemonSet a node affinity that says so.

How to undo it

There is nothing to undo: nothing is changed by looking.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.flannel.discovery import Installation
from flannelscope.model import (
    ContainerStatus,
    DaemonSet,
    Evidence,
    Finding,
    Node,
    Pod,
    Remedy,
    Severity,
    Topic,
    Unknown,
    node_subject,
)
from flannelscope.proofs import pod_origin, progressing, quoted, show_daemonset, show_pod, when

REPLACED = "no pod of flannel was seen there, but its DaemonSet counts one: it is being replaced, or nobody counts any more"
MISSING_LONG = 300.0  # seconds: image pulls and a controller's back-off are over by then


@check(
    "FLN305",
    "flannel-missing-on-node",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.DAEMONSETS, Topic.FLANNEL_PODS),
    swallows=(
        "FLN114",
        "FLN201",
        "FLN310",
        "FLN401",
        "FLN402",
        "FLN403",
        "FLN404",
        "FLN405",
        "FLN406",
        "FLN407",
        "FLN410",
        "FLN601",
    ),
)
def flannel_missing(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Nodes that a flannel DaemonSet covers and on which none of its network runs."""
    for prefix, group in _by_prefix(facts).items():
        pods = _pods_by_node(i for i in facts.discovery.installations if i.prefix == prefix)
        told: set[str] = set()
        doubtful: list[str] = []
        for installation in group:
            for node in facts.snapshot.nodes:
                if node.name in installation.covered and node.name not in told and _long_ready(facts, node, installation):
                    here = pods.get(node.name, [])
                    if not here and _counts_all(installation):
                        doubtful.append(node.name)
                    elif all(_never_ran(facts, pod, container) for pod, container in here):
                        told.add(node.name)
                        yield _finding(self, node, installation, here)
        if doubtful:
            yield self.unknown(REPLACED, tuple(dict.fromkeys(doubtful)))


def _by_prefix(facts: Facts) -> dict[str, list[Installation]]:
    """Installations by a DaemonSet in kube mode whose rollout stands still, by annotation prefix."""
    found: dict[str, list[Installation]] = {}
    for installation in facts.discovery.installations:
        if installation.daemonset is not None and not installation.etcd and not progressing(facts, installation):
            found.setdefault(installation.prefix, []).append(installation)
    return found


def _counts_all(installation: Installation) -> bool:
    """Whether the DaemonSet's own count misses no pod: one that has just gone is created anew within a second."""
    daemonset = installation.daemonset
    return daemonset is not None and 0 < daemonset.desired <= daemonset.current


def _pods_by_node(installations: Iterable[Installation]) -> dict[str, list[tuple[Pod, str]]]:
    """flannel's pods with the name of its container; pods that are going count as being there."""
    found: dict[str, list[tuple[Pod, str]]] = {}
    for installation in installations:
        for pod in installation.pods:
            if pod.node and pod.phase not in ("Succeeded", "Failed"):
                found.setdefault(pod.node, []).append((pod, installation.container))
    return found


def _long_ready(facts: Facts, node: Node, installation: Installation) -> bool:
    """Whether Node and DaemonSet have been there, and the Node Ready, for over five minutes."""
    daemonset = installation.daemonset
    moments = (node.created, node.ready_since, daemonset.created if daemonset else None)
    return node.ready == "True" and facts.settled(node) and all(at is None or facts.now - at > MISSING_LONG for at in moments)


def _never_ran(facts: Facts, pod: Pod, container: str) -> bool:
    """Whether flannel's container never got to run in this pod, although it had five minutes. A crash loop is FLN301."""
    if pod.deleting or pod.detail is None or pod.detail.created is None:
        return False
    if facts.now - pod.detail.created <= MISSING_LONG:
        return False
    status = _status(pod, container)
    return status is None or (status.state == "waiting" and status.last_started is None and not status.restarts)


def _status(pod: Pod, container: str) -> ContainerStatus | None:
    statuses = pod.detail.statuses if pod.detail else ()
    return next((s for s in statuses if s.name == container and not s.init), None)


def _finding(self: Check, node: Node, installation: Installation, here: list[tuple[Pod, str]]) -> Finding:
    if here:
        pod, container = here[0]
        reason = _reason(pod, container)
        summary = f"flannel never ran on {node.name}: its pod {pod.namespace}/{pod.name} waits ({reason})."
        proofs = (Evidence(f"flannel's pod on {node.name}", reason, pod_origin(pod), show_pod(pod)),)
        look = (show_pod(pod),)
    else:
        summary = f"flannel is missing on {node.name}: DaemonSet {installation.title} covers it, and there is no pod of it."
        proofs = (_no_pod(node, installation),)
        look = (f"kubectl -n {quoted(installation.namespace)} describe daemonset {quoted(installation.name)}",)
    return self.finding(
        summary,
        (node_subject(node.name),),
        evidence=(*proofs, *(_wanted(d) for d in [installation.daemonset] if d is not None)),
        remedy=Remedy("See the events: they say why the pod is not created or does not start.", look),
    )


def _reason(pod: Pod, container: str) -> str:
    """Why its container waits; an init container that does not get through comes first."""
    statuses = pod.detail.statuses if pod.detail else ()
    blocking = next((s for s in statuses if s.init and s.state != "terminated"), None) or _status(pod, container)
    if blocking is None:
        return f"phase {pod.phase}"
    return ": ".join(part for part in (blocking.name, blocking.reason or blocking.state, blocking.message) if part)


def _no_pod(node: Node, installation: Installation) -> Evidence:
    return Evidence(
        f"flannel's pods on {node.name}",
        "none",
        f"Pods of namespace {installation.namespace}",
        f"kubectl -n {quoted(installation.namespace)} get pods -o wide --field-selector spec.nodeName={quoted(node.name)}",
    )


def _wanted(daemonset: DaemonSet) -> Evidence:
    return Evidence(
        f"DaemonSet {daemonset.namespace}/{daemonset.name}",
        f"desired {daemonset.desired}, current {daemonset.current}, available {daemonset.available}, "
        f"created {when(daemonset.created)}",
        "DaemonSet, status, and the template's selector, affinity and tolerations",
        show_daemonset(daemonset),
    )
