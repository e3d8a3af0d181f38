"""DaemonSets and what decides which Nodes they cover."""

from __future__ import annotations

from msgspec import field

from flannelscope.sources.wire.base import FullMeta, Wire
from flannelscope.sources.wire.containers import Container, Volume


class Toleration(Wire):
    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class Requirement(Wire):
    key: str = ""
    operator: str = ""
    values: list[str] | None = None


class Term(Wire):
    matchExpressions: list[Requirement] | None = None
    matchFields: list[Requirement] | None = None


class Required(Wire):
    nodeSelectorTerms: list[Term] | None = None


class NodeAffinity(Wire):
    required: Required | None = field(default=None, name="requiredDuringSchedulingIgnoredDuringExecution")


class Affinity(Wire):
    nodeAffinity: NodeAffinity | None = None


class TemplateMeta(Wire):
    labels: dict[str, str] | None = None


class TemplateSpec(Wire):
    nodeSelector: dict[str, str] | None = None
    affinity: Affinity | None = None
    tolerations: list[Toleration] | None = None
    containers: list[Container] | None = None
    initContainers: list[Container] | None = None
    volumes: list[Volume] | None = None
    serviceAccountName: str | None = None
    hostNetwork: bool | None = None


class Template(Wire):
    metadata: TemplateMeta | None = None
    spec: TemplateSpec | None = None


class Selector(Wire):
    matchLabels: dict[str, str] | None = None


class Strategy(Wire):
    type: str | None = None


class DaemonSetSpec(Wire):
    selector: Selector | None = None
    template: Template | None = None
    updateStrategy: Strategy | None = None


class DaemonSetStatus(Wire):
    observedGeneration: int | None = None
    desiredNumberScheduled: int | None = None
    currentNumberScheduled: int | None = None
    updatedNumberScheduled: int | None = None
    numberAvailable: int | None = None


class DaemonSet(Wire):
    metadata: FullMeta
    spec: DaemonSetSpec
    status: DaemonSetStatus | None = None
