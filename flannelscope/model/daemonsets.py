"""DaemonSets, with what decides which Nodes they cover."""

from __future__ import annotations

from collections.abc import Mapping

from flannelscope.model.base import Value
from flannelscope.model.pods import Container


class Toleration(Value, frozen=True):
    """A toleration of a pod template; an empty `effect` or `key` matches all."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""


class NodeRequirement(Value, frozen=True):
    """One matchExpression or matchField of a node affinity term."""

    key: str
    operator: str
    values: tuple[str, ...] = ()
    field: bool = False  # matchFields (only metadata.name)


class DaemonSet(Value, frozen=True, kw_only=True):
    """A DaemonSet with what decides which Nodes it covers. `affinity` is OR of ANDs; `None` means no node affinity."""

    namespace: str
    name: str
    uid: str = ""
    resource_version: str = ""
    created: float | None = None
    generation: int = 0
    observed_generation: int = 0
    desired: int = 0
    current: int = 0
    updated: int = 0
    available: int = 0
    labels: Mapping[str, str] = {}
    match_labels: Mapping[str, str] = {}
    template_labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}  # only kured's lock
    update_strategy: str = "RollingUpdate"
    node_selector: Mapping[str, str] = {}
    affinity: tuple[tuple[NodeRequirement, ...], ...] | None = None
    tolerations: tuple[Toleration, ...] = ()
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    config_maps: tuple[str, ...] = ()
    service_account: str = ""
    host_network: bool = False
