"""Nodes as the API shows them, projected to what is used."""

from __future__ import annotations

from collections.abc import Mapping

from flannelscope.model.base import Value


class Taint(Value, frozen=True):
    """A taint of a Node."""

    key: str
    value: str
    effect: str


class Writer(Value, frozen=True):
    """An entry of managedFields: who wrote `field` last. `at` is an upper bound (an entry is rewritten as a whole)."""

    manager: str
    field: str  # "podCIDR" or "flannel" (its annotations)
    operation: str
    at: float | None


class Node(Value, frozen=True, kw_only=True):
    """A Node as the API shows it, projected to what is used.

    `pod_cidrs` as written, `annotations` only those of flannel, k3s, RKE2 and of tools that lock nodes. `ready` is the
    status of the Ready condition: "True", "False", "Unknown", or "" when there is none.
    """

    name: str
    uid: str = ""
    resource_version: str = ""
    created: float | None = None
    deleting: float | None = None
    finalizers: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    pod_cidrs: tuple[str, ...] = ()
    provider_id: str = ""
    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()
    internal_ips: tuple[str, ...] = ()
    external_ips: tuple[str, ...] = ()
    ready: str = ""
    ready_reason: str = ""
    ready_message: str = ""
    ready_since: float | None = None
    network_unavailable: str = ""  # status of the condition
    network_unavailable_reason: str = ""
    pod_capacity: int | None = None
    os: str = ""
    architecture: str = ""
    kubelet_version: str = ""
    container_runtime: str = ""
    machine_id: str = ""  # as the kubelet reports them: who answers for the Node is told by these
    boot_id: str = ""
    writers: tuple[Writer, ...] = ()
