"""The controller manager: what its running arguments say, and whether it is seen to be up or down.

kubeadm and RKE2 run it as a static pod, whose mirror shows the arguments in effect. k3s and RKE2 servers write their own
arguments to an annotation of their Node; the manager inside k3s is no pod and cannot be seen to be up or down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from flannelscope.effective.flags import Flags, last, listed, number, parts, read_flags, true
from flannelscope.effective.values import origin
from flannelscope.heartbeats import alive, fresh, kubelet_lease
from flannelscope.model import Lease, Node, Origin, Pod, Snapshot, Topic, Value
from flannelscope.text import count, fold

MANAGER = "kube-controller-manager"
API_SERVER = "kube-apiserver"
NODE_ARGS = ("k3s.io/node-args", "rke2.io/node-args")
EMBEDDED_CLUSTER_CIDR = ("10.42.0.0/16",)
EMBEDDED_SERVICE_CIDR = ("10.43.0.0/16",)
NODE_IPAM_NAMES = ("nodeipam", "node-ipam-controller")
WAITING = 120.0
RECENT = 600.0


class Arguments(Value, frozen=True, kw_only=True):
    """What one controller manager was started with. `masks` by family, None where the flag is absent (the default holds).

    `allocates` is whether it hands out podCIDRs with the RangeAllocator; `why_not` says why not.
    """

    place: str  # the Node it runs on
    origin: Origin
    cluster_cidrs: tuple[str, ...] = ()
    service_cidrs: tuple[str, ...] = ()
    masks: Mapping[int, int] = {}
    allocates: bool = False
    why_not: str = ""


class Liveness(Value, frozen=True):
    """Whether the manager is up: True and False only when that is seen; `reason` in words."""

    up: bool | None
    reason: str


def component_pods(snapshot: Snapshot, component: str) -> tuple[Pod, ...]:
    """The pods of a control plane component, by label or by the name of their container; those being deleted left out."""
    return tuple(
        pod
        for pod in snapshot.control_plane_pods
        if pod.detail is not None
        and not pod.deleting
        and (pod.detail.labels.get("component") == component or any(c.name == component for c in pod.detail.containers))
    )


def component_flags(pod: Pod, component: str) -> Flags | None:
    """The flags of the component's container, None when the pod shows none."""
    containers = pod.detail.containers if pod.detail else ()
    named = [c for c in containers if c.name == component] or list(containers[:1])
    return read_flags((*named[0].command, *named[0].args)) if named and (named[0].command or named[0].args) else None


def running(snapshot: Snapshot) -> tuple[Arguments, ...]:
    """The arguments of every controller manager that is a pod, by Node."""
    found = []
    for pod in component_pods(snapshot, MANAGER):
        flags = component_flags(pod, MANAGER)
        if flags is not None:
            path = f"Pod {pod.namespace}/{pod.name} command"
            found.append(_arguments(flags, pod.node or pod.name, origin(snapshot, path, Topic.CONTROL_PLANE)))
    return tuple(sorted(found, key=lambda a: a.place))


def embedded(snapshot: Snapshot) -> tuple[Arguments, ...]:
    """What k3s and RKE2 servers say of the manager they carry, by Node."""
    noted = [node for node in snapshot.nodes if node.annotations]
    found = [_embedded(snapshot, node, key) for node in noted for key in NODE_ARGS if key in node.annotations]
    return tuple(sorted((a for a in found if a is not None), key=lambda a: a.place))


def _embedded(snapshot: Snapshot, node: Node, key: str) -> Arguments | None:
    try:
        words = msgspec.json.decode(node.annotations[key], type=list[str])
    except (msgspec.DecodeError, UnicodeError):
        return None
    if "server" not in words[:1]:
        return None
    flags = read_flags(words)
    passed = read_flags([f"--{text.lstrip('-')}" for text in flags.get("kube-controller-manager-arg", ())])
    merged: dict[str, tuple[str, ...]] = {
        "allocate-node-cidrs": ("true",),
        "cluster-cidr": (",".join(listed(flags, "cluster-cidr") or EMBEDDED_CLUSTER_CIDR),),
        "service-cluster-ip-range": (",".join(listed(flags, "service-cidr") or EMBEDDED_SERVICE_CIDR),),
        **passed,
    }
    return _arguments(merged, node.name, origin(snapshot, f"Node {node.name} annotation {key}", Topic.NODES))


def _arguments(flags: Flags, place: str, origin: Origin) -> Arguments:
    both = number(flags, "node-cidr-mask-size")
    masks = {family: number(flags, f"node-cidr-mask-size-ipv{family}") or both for family in (4, 6)}
    why_not = _why_not(flags)
    return Arguments(
        place=place,
        origin=origin,
        cluster_cidrs=parts(flags, "cluster-cidr"),
        service_cidrs=parts(flags, "service-cluster-ip-range"),
        masks={family: mask for family, mask in masks.items() if mask is not None},
        allocates=not why_not,
        why_not=why_not,
    )


def _why_not(flags: Flags) -> str:
    if not true(flags, "allocate-node-cidrs"):
        return "it runs without --allocate-node-cidrs"
    kind = last(flags, "cidr-allocator-type") or "RangeAllocator"
    if kind != "RangeAllocator":
        return f"it runs with --cidr-allocator-type={kind}: a cloud hands out podCIDRs"
    controllers = listed(flags, "controllers") or ("*",)
    if any(f"-{name}" in controllers for name in NODE_IPAM_NAMES):
        return f"its --controllers turn nodeipam off ({','.join(controllers)})"
    if "*" not in controllers and not any(name in controllers for name in NODE_IPAM_NAMES):
        return f"its --controllers do not name nodeipam ({','.join(controllers)})"
    return ""


def manager_lease(snapshot: Snapshot) -> Lease | None:
    """The Lease by which the managers choose their leader."""
    return next((x for x in snapshot.leases if x.namespace == "kube-system" and x.name == MANAGER), None)


def leader(snapshot: Snapshot, managers: Iterable[Arguments]) -> Arguments | None:
    """The manager that holds the Lease (its holder is `<host name>_<uuid>`), None when that cannot be told."""
    lease = manager_lease(snapshot)
    host = lease.holder.rpartition("_")[0] if lease else ""
    return next((a for a in managers if host and host.partition(".")[0] == a.place.partition(".")[0]), None)


def waiting_nodes(snapshot: Snapshot) -> tuple[Node, ...]:
    """Nodes that have no podCIDR and are not being deleted."""
    return tuple(node for node in snapshot.nodes if not node.pod_cidrs and node.deleting is None)


def liveness(snapshot: Snapshot) -> Liveness:
    """Whether the controller manager is seen to be up or down. One that is no pod proves nothing by its absence."""
    if not snapshot.has(Topic.CONTROL_PLANE):
        return Liveness(None, snapshot.why_not(Topic.CONTROL_PLANE))
    now = snapshot.cluster.now or snapshot.taken
    pods = component_pods(snapshot, MANAGER)
    failing = {pod.node or pod.name: why for pod in pods if (why := _failing(pod, now))}
    if pods and len(failing) == len(pods):
        told = ", ".join(f"{place}: {why}" for place, why in sorted(failing.items()))
        return Liveness(False, f"{count(len(pods), 'controller manager')} seen, none of them runs ({told})")
    if not pods and embedded(snapshot):
        return Liveness(None, "k3s and RKE2 carry the controller manager inside themselves: it cannot be seen")
    seen = {pod.node or pod.name: _host_lives(snapshot, pod) for pod in pods if _runs(pod, now)}
    if any(seen.values()):
        return Liveness(True, f"the controller manager runs on {fold(name for name, lives in seen.items() if lives)}")
    return _by_lease(snapshot, now, tuple(name for name, lives in seen.items() if lives is None), pods)


def _by_lease(snapshot: Snapshot, now: float, doubtful: tuple[str, ...], pods: tuple[Pod, ...]) -> Liveness:
    """What the Lease proves where no pod is seen to run for sure: leader election may be off, and clocks may be behind."""
    lease = manager_lease(snapshot)
    at = snapshot.readings[Topic.CONTROL_PLANE].at
    if doubtful and lease is not None and fresh(lease, at):
        return Liveness(True, f"the controller manager runs on {fold(doubtful)}")
    if doubtful:
        where = fold(doubtful)
        return Liveness(None, f"the controller manager is said to run on {where}, but whether that machine lives is doubtful")
    waiting = sum(1 for n in waiting_nodes(snapshot) if n.created is not None and now - n.created > WAITING)
    if lease is not None and lease.renewed is not None and waiting and not fresh(lease, at):
        who = f"held by {lease.holder}" if lease.holder else "held by nobody"
        renewed = f"was last renewed {at - lease.renewed:.0f} s ago"
        waits = f"{count(waiting, 'Node')} {'waits' if waiting == 1 else 'wait'}"
        return Liveness(False, f"its Lease kube-system/{MANAGER}, {who}, {renewed}, and {waits}")
    if pods:
        return Liveness(None, "the controller manager is not seen to run: its pods start, or their Nodes are silent")
    return Liveness(None, "the controller manager is no pod of this cluster: it cannot be seen")


def _runs(pod: Pod, now: float) -> bool:
    """Whether its kubelet said last that it runs."""
    status = next((s for s in (pod.detail.statuses if pod.detail else ()) if s.name == MANAGER), None)
    return not _failing(pod, now) and (pod.phase == "Running" if status is None else status.state == "running")


def _host_lives(snapshot: Snapshot, pod: Pod) -> bool | None:
    """Whether somebody still speaks for this pod: on a dead Node it seems to run for ever. None when that is doubtful."""
    node = next((n for n in snapshot.nodes if n.name == pod.node), None)
    if node is None or (node.ready != "Unknown" and not snapshot.has(Topic.LEASES)):
        return True
    return alive(snapshot, node, kubelet_lease(snapshot, node.name))


def _failing(pod: Pod, now: float) -> str:
    """Why this manager does not run, "" when it does (or when its pod does not tell)."""
    status = next((s for s in (pod.detail.statuses if pod.detail else ()) if s.name == MANAGER), None)
    if status is None:
        return "" if pod.phase == "Running" else f"its pod is {pod.phase or 'unknown'}"
    if status.state == "running":
        return "ended twice in the last 10 min" if status.ended_twice(now, RECENT) else ""
    if status.state == "waiting" and status.reason in ("ContainerCreating", "PodInitializing"):
        return ""
    return status.reason or status.state
