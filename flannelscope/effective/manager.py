"""The controller manager: what its running arguments say, and whether it is seen to be up or down.

kubeadm and RKE2 run it as a static pod, whose mirror shows the arguments in effect. k3s and RKE2 servers write their own
arguments to an annotation of their Node; the manager inside k3s is no pod and cannot be seen to be up or down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from flannelscope.effective.flags import Flags, last, listed, number, parts, read_flags, true
from flannelscope.effective.values import origin
from flannelscope.model import Lease, Node, Origin, Pod, Snapshot, Topic, Value
from flannelscope.text import count, fold

MANAGER = "kube-controller-manager"
API_SERVER = "kube-apiserver"
NODE_ARGS = ("k3s.io/node-args", "rke2.io/node-args")
EMBEDDED_CLUSTER_CIDR = ("10.42.0.0/16",)
EMBEDDED_SERVICE_CIDR = ("10.43.0.0/16",)
NODE_IPAM_NAMES = ("nodeipam", "node-ipam-controller")
STALE = 60.0  # seconds: a leading manager renews its Lease every 2 s
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
    found = [_embedded(snapshot, node, key) for node in snapshot.nodes for key in NODE_ARGS if key in node.annotations]
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
    stale = _stale_lease(snapshot, now)
    if stale:
        return Liveness(False, stale)
    if pods:
        places = fold([pod.node or pod.name for pod in pods if (pod.node or pod.name) not in failing])
        return Liveness(True, f"the controller manager runs on {places}")
    return Liveness(None, "the controller manager is no pod of this cluster: it cannot be seen")


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


def _stale_lease(snapshot: Snapshot, now: float) -> str:
    lease = manager_lease(snapshot)
    if lease is None or lease.renewed is None:
        return ""
    age = snapshot.readings[Topic.CONTROL_PLANE].at - lease.renewed
    long = [n for n in waiting_nodes(snapshot) if n.created is not None and now - n.created > WAITING]
    if age <= STALE or not long:
        return ""
    who = f"held by {lease.holder}" if lease.holder else "held by nobody"
    return f"its Lease kube-system/{MANAGER}, {who}, was last renewed {age:.0f} s ago, and {count(len(long), 'Node')} waits"
