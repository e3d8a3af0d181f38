"""Nodes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from sys import intern

from flannelscope.flannel.annotations import KEYS
from flannelscope.model import Node, Taint, Writer
from flannelscope.sources import wire
from flannelscope.sources.project.common import ending, seconds

# Besides flannel's (under any prefix): what k3s and RKE2 say of their arguments, and who has the Node in hand.
_KEPT_PREFIXES = ("k3s.io/", "rke2.io/", "weave.works/kured", "kured.dev/", "flannelscope", "cluster.x-k8s.io/")
_NO_CONDITION = wire.Condition()
# What peers act on. public-ip-overwrite and node-public-ip only say what flannel is to announce at its next start.
_ANNOUNCING = re.compile(rb'(?:kube-subnet-manager|backend-type|backend-(?:v6-)?data|(?<![/-]node)[/-]public-ip(?:v6)?)"')


def project_node(said: wire.Node) -> Node:
    """The Node; podCIDRs as written."""
    meta, spec, status = said.metadata, said.spec, said.status or wire.NodeStatus()
    info = status.nodeInfo or wire.NodeInfo()
    ready = network = _NO_CONDITION
    for condition in status.conditions or ():
        if condition.type == "Ready":
            ready = condition
        elif condition.type == "NetworkUnavailable":
            network = condition
    addresses = status.addresses or ()
    return Node(
        name=meta.name,
        uid=meta.uid or "",
        resource_version=meta.resourceVersion or "",
        created=seconds(meta.creationTimestamp),
        deleting=ending(meta.deletionTimestamp),
        finalizers=tuple(meta.finalizers or ()),
        labels=meta.labels or {},
        annotations=_kept(meta.annotations),
        pod_cidrs=_pod_cidrs(spec),
        provider_id=spec.providerID or "",
        unschedulable=bool(spec.unschedulable),
        taints=tuple([Taint(t.key, t.value or "", t.effect) for t in spec.taints or ()]),
        internal_ips=tuple([a.address for a in addresses if a.type == "InternalIP"]),
        external_ips=tuple([a.address for a in addresses if a.type == "ExternalIP"]),
        ready=intern(ready.status or ""),
        ready_reason=intern(ready.reason or ""),
        ready_message=intern(ready.message or ""),
        ready_since=seconds(ready.lastTransitionTime),
        network_unavailable=intern(network.status or ""),
        network_unavailable_reason=intern(network.reason or ""),
        pod_capacity=_pods(status),
        os=intern(info.operatingSystem or ""),
        architecture=intern(info.architecture or ""),
        kubelet_version=intern(info.kubeletVersion or ""),
        container_runtime=intern(info.containerRuntimeVersion or ""),
        machine_id=info.machineID or "",
        boot_id=info.bootID or "",
        writers=_writers(meta.managedFields or ()),
    )


def _pod_cidrs(spec: wire.NodeSpec) -> tuple[str, ...]:
    """podCIDRs; where only podCIDR is set (objects written by hand), that one."""
    if spec.podCIDRs:
        return tuple(spec.podCIDRs)
    return (spec.podCIDR,) if spec.podCIDR else ()


def _kept(annotations: Mapping[str, str] | None) -> dict[str, str]:
    return {k: v for k, v in (annotations or {}).items() if _wanted(k)}


@lru_cache(4096)
def _wanted(key: str) -> bool:
    return key.endswith(KEYS) or key.startswith(_KEPT_PREFIXES)


def _pods(status: wire.NodeStatus) -> int | None:
    """How many pods the kubelet takes: status.allocatable.pods, else capacity."""
    for said in (status.allocatable, status.capacity):
        if said is not None and said.pods is not None:
            text = str(said.pods)
            return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    return None


def _writers(entries: Sequence[wire.Managed]) -> tuple[Writer, ...]:
    """Who wrote spec.podCIDR, and who flannel's annotations (any that peers act on, under whatever prefix)."""
    found: list[Writer] = []
    for entry in entries:
        fields = entry.fieldsV1
        if fields is None:
            continue
        spec, meta = fields.spec, fields.metadata
        if spec is not None and (spec.podCIDR or spec.podCIDRs):
            found.append(_writer(entry, "podCIDR"))
        if meta is not None and meta.annotations and _ANNOUNCING.search(bytes(meta.annotations)):
            found.append(_writer(entry, "flannel"))
    return tuple(found)


def _writer(entry: wire.Managed, field: str) -> Writer:
    return Writer(entry.manager or "", field, entry.operation or "", seconds(entry.time))
