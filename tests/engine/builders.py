"""Healthy pieces of a cluster, as values: a test builds a healthy one and changes just what it is about.

Everything happens around `NOW`. Nodes are 30 days old, Ready, and their kubelets sent a heartbeat five seconds ago, so
that they are *settled* and *alive* in the catalogue's sense.

    w1 = announced(node("w1", "10.244.1.0/24", ip="10.20.0.1"))
    w2 = announced(node("w2", "10.244.1.0/24", ip="10.20.0.2"))  # a twin
    found = findings(snapshot([w1, w2], control_plane_pods=[manager_pod()]), "FLN101")
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from flannelscope.checks import all_checks
from flannelscope.flannel.annotations import DEFAULT_PREFIX
from flannelscope.judge import Judgement, judge
from flannelscope.model import (
    IN_API,
    Cluster,
    ConfigMap,
    Container,
    ContainerStatus,
    DaemonSet,
    Declared,
    Event,
    Finding,
    Gap,
    Lease,
    Node,
    Pod,
    PodDetail,
    Reading,
    ServiceCidr,
    Snapshot,
    Toleration,
    Topic,
    Unknown,
)

NOW = 1_790_000_000.0  # 2026-09-21T13:33:20Z
DAY = 86_400.0
OLD = NOW - 30 * DAY
FLANNEL_IMAGE = "ghcr.io/flannel-io/flannel:v0.28.10"
CLUSTER = Cluster(
    uid="uid-kube-system", server="https://k8s.test:6443", context="test", version="v1.34.4", major=1, minor=34, now=NOW
)
MANAGER_FLAGS = (
    "--allocate-node-cidrs=true",
    "--cluster-cidr=10.244.0.0/16",
    "--service-cluster-ip-range=10.96.0.0/12",
    "--controllers=*,bootstrapsigner,tokencleaner",
    "--leader-elect=true",
)


def node(name: str, *pod_cidrs: str, ip: str | Sequence[str] = (), **changes: Any) -> Node:
    """A healthy Linux Node of 30 days. `ip` are its InternalIPs; `changes` set any other field."""
    fields: dict[str, Any] = {
        "uid": f"uid-{name}",
        "resource_version": "1000",
        "created": OLD,
        "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"},
        "pod_cidrs": pod_cidrs,
        "internal_ips": (ip,) if isinstance(ip, str) else tuple(ip),
        "ready": "True",
        "ready_reason": "KubeletReady",
        "ready_since": OLD,
        "network_unavailable": "False",
        "network_unavailable_reason": "FlannelIsUp",
        "pod_capacity": 110,
        "os": "linux",
        "architecture": "amd64",
        "kubelet_version": "v1.34.4",
        "container_runtime": "containerd://1.7.24",
    }
    return Node(name=name, **{**fields, **changes})


def announced(
    what: Node,
    backend: str = "vxlan",
    public_ip: str | None = None,
    mac: str | None = None,
    vni: int | None = 1,
    prefix: str = DEFAULT_PREFIX,
    *,
    public_ipv6: str | None = None,
    mac_v6: str | None = None,
    **extra: str,
) -> Node:
    """The Node as flanneld announces it: gate, backend, backend-data, public-ip (default: its first IPv4 InternalIP).

    A MAC is made of the name where none is given. IPv6 is announced when `public_ipv6` is given; a `public_ip` of
    "0.0.0.0" is IPv6-only. `extra` adds or overrides annotations, e.g. `public_ip_overwrite="203.0.113.7"`.
    """
    address = public_ip if public_ip is not None else next((a for a in what.internal_ips if ":" not in a), "0.0.0.0")
    said = {"kube-subnet-manager": "true", "backend-type": backend, "public-ip": address}
    said["backend-data"] = _backend_data(backend, mac or mac_of(what.name), vni)
    if public_ipv6 is not None:
        said["public-ipv6"] = public_ipv6
        said["backend-v6-data"] = _backend_data(backend, mac_v6 or mac_of(what.name + "/v6"), vni)
    said.update({key.replace("_", "-"): value for key, value in extra.items()})
    return replace(what, annotations={**what.annotations, **{prefix + key: value for key, value in said.items()}})


def mac_of(name: str) -> str:
    """A locally administered MAC that belongs to this name and to no other name of a test."""
    number = int.from_bytes(name.encode()[-5:].rjust(5, b"\0"), "big")
    return "02:" + ":".join(f"{number >> shift & 255:02x}" for shift in (32, 24, 16, 8, 0))


def _backend_data(backend: str, mac: str, vni: int | None) -> str:
    if backend == "vxlan":
        return json.dumps({"VtepMAC": mac} if vni is None else {"VNI": vni, "VtepMAC": mac}, separators=(",", ":"))
    if backend == "wireguard":
        return json.dumps({"PublicKey": f"key-{mac}", "Port": 51820}, separators=(",", ":"))
    return "null"


def fleet(
    number: int, *, network: str = "10.244", first: int = 1, prefix: str = DEFAULT_PREFIX, backend: str = "vxlan"
) -> list[Node]:
    """`number` healthy members w001, w002, … with 10.244.1.0/24, 10.244.2.0/24, … and addresses 10.20.0.1, …"""
    return [
        announced(node(f"w{i:03d}", f"{network}.{i}.0/24", ip=f"10.20.{i >> 8}.{i & 255}"), backend=backend, prefix=prefix)
        for i in range(first, first + number)
    ]


def pod(name: str, on: Node | str = "", *ips: str, namespace: str = "default", **changes: Any) -> Pod:
    """A Running pod in the pod network."""
    place = on.name if isinstance(on, Node) else on
    fields: dict[str, Any] = {
        "uid": f"uid-{namespace}-{name}",
        "resource_version": "1000",
        "node": place,
        "phase": "Running",
        "ips": ips,
        "owner_kind": "ReplicaSet",
        "owner_name": name.rpartition("-")[0],
    }
    return Pod(namespace=namespace, name=name, **{**fields, **changes})


def waiting_pod(name: str, on: Node | str, *, namespace: str = "default", since: float = NOW - 600, **changes: Any) -> Pod:
    """A pod that was scheduled (`since`) and has no address yet."""
    return pod(name, on, namespace=namespace, **{"phase": "Pending", "scheduled": since, **changes})


def running(name: str = "kube-flannel", *, since: float = OLD, **changes: Any) -> ContainerStatus:
    """The status of a container that runs since `since`."""
    return ContainerStatus(name=name, **{"ready": True, "state": "running", "started": since, "image": FLANNEL_IMAGE, **changes})


def crashing(name: str = "kube-flannel", *, restarts: int = 12, ended: float = NOW - 60, **changes: Any) -> ContainerStatus:
    """The status of a container in CrashLoopBackOff that ended at `ended`."""
    fields: dict[str, Any] = {
        "state": "waiting",
        "reason": "CrashLoopBackOff",
        "restarts": restarts,
        "last_reason": "Error",
        "last_exit_code": 1,
        "last_started": ended - 5,
        "last_finished": ended,
        "image": FLANNEL_IMAGE,
    }
    return ContainerStatus(name=name, **{**fields, **changes})


def flannel_container(image: str = FLANNEL_IMAGE, *args: str) -> Container:
    """flannel's container as the upstream manifest has it."""
    return Container(
        name="kube-flannel", image=image, command=("/opt/bin/flanneld",), args=args or ("--ip-masq", "--kube-subnet-mgr")
    )


def flannel_pod(
    on: Node | str, status: ContainerStatus | None = None, *, image: str = FLANNEL_IMAGE, namespace: str = "kube-flannel"
) -> Pod:
    """The upstream DaemonSet's pod on a Node, running for 30 days."""
    place = on if isinstance(on, str) else on.name
    addresses = () if isinstance(on, str) else on.internal_ips[:1]
    detail = PodDetail(
        labels={"app": "flannel", "tier": "node"},
        containers=(flannel_container(image),),
        init_containers=(Container(name="install-cni", image=image, command=("cp",)),),
        statuses=(status or running(image=image),),
        config_maps=("kube-flannel-cfg",),
        created=OLD,
    )
    return pod(
        f"kube-flannel-ds-{place}",
        place,
        *addresses,
        namespace=namespace,
        host_network=True,
        owner_kind="DaemonSet",
        owner_name="kube-flannel-ds",
        detail=detail,
    )


def daemonset(number: int, *, image: str = FLANNEL_IMAGE, namespace: str = "kube-flannel", **changes: Any) -> DaemonSet:
    """The upstream flannel DaemonSet, fully rolled out on `number` Nodes; it tolerates everything."""
    fields: dict[str, Any] = {
        "uid": "uid-flannel-ds",
        "resource_version": "1000",
        "created": OLD,
        "generation": 1,
        "observed_generation": 1,
        "desired": number,
        "current": number,
        "updated": number,
        "available": number,
        "labels": {"app": "flannel", "tier": "node"},
        "match_labels": {"app": "flannel"},
        "template_labels": {"app": "flannel", "tier": "node"},
        "tolerations": (Toleration(operator="Exists", effect="NoSchedule"),),
        "containers": (flannel_container(image),),
        "config_maps": ("kube-flannel-cfg",),
        "service_account": "flannel",
        "host_network": True,
    }
    return DaemonSet(namespace=namespace, name=changes.pop("name", "kube-flannel-ds"), **{**fields, **changes})


def net_conf(
    network: str | None = "10.244.0.0/16", *, namespace: str = "kube-flannel", backend: Any = None, **keys: Any
) -> ConfigMap:
    """flannel's ConfigMap. `keys` are further keys of net-conf.json (`EnableIPv6=True`, `IPv6Network="fd00::/48"`)."""
    written = {**({} if network is None else {"Network": network}), "Backend": backend or {"Type": "vxlan"}, **keys}
    return ConfigMap(namespace, "kube-flannel-cfg", {"net-conf.json": json.dumps(written), "cni-conf.json": "{}"}, OLD, OLD)


def config_map(name: str, data: Mapping[str, str], *, namespace: str = "kube-system") -> ConfigMap:
    """Any other ConfigMap: kubeadm-config, kube-proxy."""
    return ConfigMap(namespace, name, data, OLD, OLD)


def manager_pod(
    *flags: str, on: str = "cp1", status: ContainerStatus | None = None, component: str = "kube-controller-manager"
) -> Pod:
    """The mirror pod of a controller manager. `flags` are added to, and win over, `MANAGER_FLAGS`."""
    names = {flag.partition("=")[0] for flag in flags}
    kept = tuple(flag for flag in MANAGER_FLAGS if flag.partition("=")[0] not in names)
    return mirror_pod(component, *kept, *flags, on=on, status=status)


def mirror_pod(component: str, *flags: str, on: str = "cp1", status: ContainerStatus | None = None) -> Pod:
    """The mirror pod of any control plane component, with just these flags."""
    detail = PodDetail(
        labels={"component": component, "tier": "control-plane"},
        containers=(Container(name=component, image=f"registry.k8s.io/{component}:v1.34.4", command=(component, *flags)),),
        statuses=(status or running(component, image=f"registry.k8s.io/{component}:v1.34.4"),),
        created=OLD,
    )
    return pod(
        f"{component}-{on}",
        on,
        namespace="kube-system",
        host_network=True,
        mirror=True,
        owner_kind="Node",
        owner_name=on,
        detail=detail,
    )


def lease(of: Node | str, *, ago: float = 5.0) -> Lease:
    """The heartbeat of a Node's kubelet, `ago` seconds old."""
    name = of if isinstance(of, str) else of.name
    return Lease("kube-node-lease", name, name, NOW - ago, 40)


def manager_lease(holder: str = "cp1", *, ago: float = 2.0) -> Lease:
    """The Lease that the leading controller manager renews every two seconds."""
    return Lease("kube-system", "kube-controller-manager", f"{holder}_6f9d1c6e-8b0a-4a3e-9a0b-1f1f1f1f1f1f", NOW - ago, 15)


def event(reason: str, about: Node | Pod, message: str = "", *, ago: float = 60.0, **changes: Any) -> Event:
    """An Event about a Node or a Pod, last seen `ago` seconds ago."""
    fields: dict[str, Any] = {
        "type": "Warning",
        "kind": "Node" if isinstance(about, Node) else "Pod",
        "namespace": "" if isinstance(about, Node) else about.namespace,
        "name": about.name,
        "uid": about.uid,
        "message": message,
        "first": NOW - ago,
        "last": NOW - ago,
    }
    return Event(reason=reason, **{**fields, **changes})


def snapshot(
    nodes: Iterable[Node] = (),
    *,
    pods: Iterable[Pod] = (),
    flannel_pods: Iterable[Pod] = (),
    control_plane_pods: Iterable[Pod] = (),
    daemonsets: Iterable[DaemonSet] = (),
    config_maps: Iterable[ConfigMap] = (),
    leases: Iterable[Lease] | None = None,
    events: Iterable[Event] = (),
    service_cidrs: Iterable[ServiceCidr] = (),
    kubernetes_service_ips: tuple[str, ...] = ("10.96.0.1",),
    network_policies: int | None = 0,
    topics: Iterable[Topic] = IN_API,
    gaps: Iterable[Gap] = (),
    declared: Declared | None = None,
    source: str = "simulated",
    **changes: Any,
) -> Snapshot:
    """A Snapshot taken at NOW in which `topics` (default: all) were read to their end.

    Without `leases`, every Node's kubelet and the controller manager are alive.
    """
    all_nodes = tuple(nodes)
    heartbeats = (*(lease(n) for n in all_nodes), manager_lease()) if leases is None else tuple(leases)
    fields: dict[str, Any] = {
        "cluster": CLUSTER,
        "network_policies": network_policies,
    }
    return Snapshot(
        taken=NOW,
        source=source,
        declared=declared or Declared(),
        nodes=all_nodes,
        pods=tuple(pods),
        flannel_pods=tuple(flannel_pods),
        control_plane_pods=tuple(control_plane_pods),
        daemonsets=tuple(daemonsets),
        config_maps=tuple(config_maps),
        leases=heartbeats,
        events=tuple(events),
        service_cidrs=tuple(service_cidrs),
        kubernetes_service_ips=kubernetes_service_ips,
        readings={topic: Reading(at=NOW, source=source, asked=1, answered=1) for topic in topics},
        gaps=tuple(gaps),
        **{**fields, **changes},
    )


def healthy(nodes: Sequence[Node] | None = None, **changes: Any) -> Snapshot:
    """A whole healthy cluster: members, their flannel pods and DaemonSet, net-conf, a controller manager.

    The DaemonSet wants a pod on every Node and counts those that are there.
    """
    members = tuple(fleet(3) if nodes is None else nodes)
    pods: Sequence[Pod] = changes.get("flannel_pods", [flannel_pod(n) for n in members])
    there = min(len({pod.node for pod in pods}), len(members))
    parts: dict[str, Any] = {
        "flannel_pods": pods,
        "daemonsets": [daemonset(len(members), current=there, updated=there, available=there)],
        "config_maps": [net_conf()],
        "control_plane_pods": [manager_pod()],
    }
    return snapshot(members, **{**parts, **changes})


def judged(taken: Snapshot, *codes: str) -> Judgement:
    """What the checks with these codes (default: all) say."""
    return judge(taken, [c for c in all_checks() if not codes or c.code in codes])


def findings(taken: Snapshot, *codes: str) -> list[Finding]:
    """The findings of the checks with these codes, run without any other."""
    return list(judged(taken, *codes).findings)


def unknowns(taken: Snapshot, *codes: str) -> list[Unknown]:
    """What these checks could not judge."""
    return list(judged(taken, *codes).unknown)


def nodes_of(found: Iterable[Finding]) -> list[tuple[str, ...]]:
    """The Nodes of each finding."""
    return [f.nodes for f in found]
