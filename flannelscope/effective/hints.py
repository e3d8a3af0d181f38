"""ConfigMaps that tell of the address configuration: what was meant at init or upgrade, and may be stale.

The YAML inside them is read by msgspec's decoder into just the keys used (pure: text in, values out), so that whatever
else stands there, or is of another type, does not matter.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
import msgspec.yaml

from flannelscope.effective.flags import Flags
from flannelscope.model import ConfigMap, Snapshot, Value

Scalar = str | int | float | bool | None


class _Argument(msgspec.Struct):
    name: str = ""
    value: Scalar = ""


class _Component(msgspec.Struct):
    extraArgs: dict[str, Scalar] | list[_Argument] | None = None


class _Networking(msgspec.Struct):
    podSubnet: str | None = None
    serviceSubnet: str | None = None


class _ClusterConfiguration(msgspec.Struct):
    networking: _Networking | None = None
    controllerManager: _Component | None = None


class _KubeProxy(msgspec.Struct):
    clusterCIDR: str | None = None
    detectLocalMode: str | None = None
    mode: str | None = None


class Kubeadm(Value, frozen=True):
    """ConfigMap kube-system/kubeadm-config: the subnets, and the extra arguments of the controller manager."""

    pod_subnets: tuple[str, ...]
    service_subnets: tuple[str, ...]
    manager_arguments: Flags


class KubeProxy(Value, frozen=True):
    """ConfigMap kube-system/kube-proxy. `local_mode` is the effective one: an empty setting means ClusterCIDR."""

    cluster_cidrs: tuple[str, ...]
    local_mode: str


def config_map(snapshot: Snapshot, name: str, namespace: str = "kube-system") -> ConfigMap | None:
    """A ConfigMap that was read."""
    return next((c for c in snapshot.config_maps if c.name == name and c.namespace == namespace), None)


def kubeadm(snapshot: Snapshot) -> Kubeadm | None:
    """What kubeadm-config says, None when it is absent or not readable as what it should be."""
    said = _decode(config_map(snapshot, "kubeadm-config"), "ClusterConfiguration", _ClusterConfiguration)
    if said is None:
        return None
    networking = said.networking or _Networking()
    return Kubeadm(_items(networking.podSubnet), _items(networking.serviceSubnet), _extra(said.controllerManager))


def kube_proxy(snapshot: Snapshot) -> KubeProxy | None:
    """What kube-proxy's configuration says, None when it is absent or not readable."""
    said = _decode(config_map(snapshot, "kube-proxy"), "config.conf", _KubeProxy)
    return None if said is None else KubeProxy(_items(said.clusterCIDR), said.detectLocalMode or "ClusterCIDR")


T = TypeVar("T")


def _decode(found: ConfigMap | None, key: str, kind: type[T]) -> T | None:
    text = found.data.get(key) if found else None
    if not text:
        return None
    try:
        return msgspec.yaml.decode(text, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _extra(component: _Component | None) -> Flags:
    """extraArgs: a map up to kubeadm's v1beta3, a list of name and value since v1beta4."""
    arguments = component.extraArgs if component else None
    pairs = arguments.items() if isinstance(arguments, dict) else ((a.name, a.value) for a in arguments or ())
    return {name: (str(value),) for name, value in pairs}


def _items(text: str | None) -> tuple[str, ...]:
    return tuple(item.strip() for item in (text or "").split(",") if item.strip())
