"""Nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flannelscope.flannel.annotations import GATE, KEYS
from flannelscope.model import Node, Taint, Writer
from flannelscope.sources import wire
from flannelscope.sources.project.common import ending, seconds

# Besides flannel's (under any prefix): what k3s and RKE2 say of their arguments, and who has the Node in hand.
_KEPT_PREFIXES = ("k3s.io/", "rke2.io/", "weave.works/kured", "kured.dev/", "flannelscope", "cluster.x-k8s.io/")
_GATE_FIELD = GATE.encode() + b'"'


def project_node(said: wire.Node) -> Node:
    """The Node; podCIDRs as written."""
    meta, spec, status = said.metadata, said.spec, said.status or wire.NodeStatus()
    info = status.nodeInfo or wire.NodeInfo()
    conditions = {c.type: c for c in status.conditions or ()}
    ready = conditions.get("Ready") or wire.Condition()
    network = conditions.get("NetworkUnavailable") or wire.Condition()
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
        internal_ips=_addresses(status, "InternalIP"),
        external_ips=_addresses(status, "ExternalIP"),
        ready=ready.status or "",
        ready_reason=ready.reason or "",
        ready_message=ready.message or "",
        ready_since=seconds(ready.lastTransitionTime),
        network_unavailable=network.status or "",
        network_unavailable_reason=network.reason or "",
        pod_capacity=_pods(status),
        os=info.operatingSystem or "",
        architecture=info.architecture or "",
        kubelet_version=info.kubeletVersion or "",
        container_runtime=info.containerRuntimeVersion or "",
        writers=_writers(meta.managedFields or ()),
    )


def _pod_cidrs(spec: wire.NodeSpec) -> tuple[str, ...]:
    """podCIDRs; where only podCIDR is set (objects written by hand), that one."""
    if spec.podCIDRs:
        return tuple(spec.podCIDRs)
    return (spec.podCIDR,) if spec.podCIDR else ()


def _kept(annotations: Mapping[str, str] | None) -> dict[str, str]:
    return {k: v for k, v in (annotations or {}).items() if k.endswith(KEYS) or k.startswith(_KEPT_PREFIXES)}


def _addresses(status: wire.NodeStatus, kind: str) -> tuple[str, ...]:
    return tuple([a.address for a in status.addresses or () if a.type == kind])


def _pods(status: wire.NodeStatus) -> int | None:
    """How many pods the kubelet takes: status.allocatable.pods, else capacity."""
    for said in (status.allocatable, status.capacity):
        if said is not None and said.pods is not None:
            text = str(said.pods)
            return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    return None


def _writers(entries: Sequence[wire.Managed]) -> tuple[Writer, ...]:
    """Who wrote spec.podCIDR, and who flannel's annotations (its gate among them, under whatever prefix)."""
    found: list[Writer] = []
    for entry in entries:
        fields = bytes(entry.fieldsV1)
        if b'"f:podCIDR' in fields:
            found.append(_writer(entry, "podCIDR"))
        if _GATE_FIELD in fields:
            found.append(_writer(entry, "flannel"))
    return tuple(found)


def _writer(entry: wire.Managed, field: str) -> Writer:
    return Writer(entry.manager or "", field, entry.operation or "", seconds(entry.time))
