"""The fields that are used of the API's objects, as they stand in JSON.

Everything may be absent or null (Go writes null for empty lists and maps) unless an object without it cannot be judged:
a Node without `spec` is not a Node without podCIDR. `Raw` fields are looked into for few objects only.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec
from msgspec import Raw, field

T = TypeVar("T")


class Wire(msgspec.Struct, gc=False):
    """The base: plain data that lives as long as a page."""


class Owner(Wire):
    kind: str = ""
    name: str = ""
    controller: bool | None = None


class WrittenSpec(Wire):
    podCIDR: Raw = field(default=Raw(), name="f:podCIDR")
    podCIDRs: Raw = field(default=Raw(), name="f:podCIDRs")


class WrittenMeta(Wire):
    annotations: Raw = field(default=Raw(), name="f:annotations")


class Fields(Wire):
    """fieldsV1: of all that somebody wrote, where podCIDRs and annotations would stand."""

    spec: WrittenSpec | None = field(default=None, name="f:spec")
    metadata: WrittenMeta | None = field(default=None, name="f:metadata")


class Managed(Wire):
    manager: str | None = None
    operation: str | None = None
    time: str | None = None
    fieldsV1: Fields | None = None


class Meta(Wire):
    name: str
    namespace: str | None = None
    uid: str | None = None
    resourceVersion: str | None = None
    creationTimestamp: str | None = None
    deletionTimestamp: str | None = None


class FullMeta(Meta):
    """With labels and annotations."""

    generation: int | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    finalizers: list[str] | None = None
    managedFields: list[Managed] | None = None


class Taint(Wire):
    key: str = ""
    value: str | None = None
    effect: str = ""


class NodeSpec(Wire):
    podCIDR: str | None = None
    podCIDRs: list[str] | None = None
    providerID: str | None = None
    unschedulable: bool | None = None
    taints: list[Taint] | None = None


class Condition(Wire):
    type: str = ""
    status: str | None = None
    reason: str | None = None
    message: str | None = None
    lastTransitionTime: str | None = None


class Address(Wire):
    type: str = ""
    address: str = ""


class Capacity(Wire):
    pods: str | int | None = None


class NodeInfo(Wire):
    operatingSystem: str | None = None
    architecture: str | None = None
    kubeletVersion: str | None = None
    containerRuntimeVersion: str | None = None


class NodeStatus(Wire):
    capacity: Capacity | None = None
    allocatable: Capacity | None = None
    conditions: list[Condition] | None = None
    addresses: list[Address] | None = None
    nodeInfo: NodeInfo | None = None


class Node(Wire):
    metadata: FullMeta
    spec: NodeSpec
    status: NodeStatus | None = None


class PodAnnotations(Wire):
    mirror: Raw = field(default=Raw(), name="kubernetes.io/config.mirror")


class PodMeta(Meta):
    annotations: PodAnnotations | None = None
    ownerReferences: list[Owner] | None = None
    labels: Raw = Raw()


class PodSpec(Wire):
    nodeName: str | None = None
    hostNetwork: bool | None = None
    containers: Raw = Raw()
    initContainers: Raw = Raw()
    volumes: Raw = Raw()


class PodIP(Wire):
    ip: str | None = None


class PodStatus(Wire):
    phase: str | None = None
    podIP: str | None = None
    podIPs: list[PodIP] | None = None
    conditions: Raw = Raw()
    containerStatuses: Raw = Raw()
    initContainerStatuses: Raw = Raw()


class Pod(Wire):
    metadata: PodMeta
    spec: PodSpec
    status: PodStatus | None = None


class EnvVar(Wire):
    name: str = ""
    value: str | None = None


class Limits(Wire):
    memory: str | int | None = None


class Resources(Wire):
    limits: Limits | None = None


class Container(Wire):
    name: str = ""
    image: str | None = None
    command: list[str] | None = None
    args: list[str] | None = None
    env: list[EnvVar] | None = None
    resources: Resources | None = None


class Running(Wire):
    startedAt: str | None = None


class Waiting(Wire):
    reason: str | None = None
    message: str | None = None


class Terminated(Wire):
    exitCode: int | None = None
    reason: str | None = None
    message: str | None = None
    startedAt: str | None = None
    finishedAt: str | None = None


class State(Wire):
    running: Running | None = None
    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(Wire):
    name: str = ""
    image: str | None = None
    ready: bool | None = None
    restartCount: int | None = None
    state: State | None = None
    lastState: State | None = None


class ConfigMapRef(Wire):
    name: str | None = None


class Projection(Wire):
    configMap: ConfigMapRef | None = None


class Projected(Wire):
    sources: list[Projection] | None = None


class Volume(Wire):
    configMap: ConfigMapRef | None = None
    projected: Projected | None = None


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


class ConfigMap(Wire):
    metadata: FullMeta
    data: dict[str, str] | None = None


class LeaseSpec(Wire):
    holderIdentity: str | None = None
    renewTime: str | None = None
    leaseDurationSeconds: int | None = None


class Lease(Wire):
    metadata: Meta
    spec: LeaseSpec | None = None


class Involved(Wire):
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None


class EventSource(Wire):
    component: str | None = None


class Series(Wire):
    count: int | None = None
    lastObservedTime: str | None = None


class Event(Wire):
    metadata: Meta
    involvedObject: Involved | None = None
    reason: str | None = None
    type: str | None = None
    message: str | None = None
    source: EventSource | None = None
    reportingComponent: str | None = None
    count: int | None = None
    firstTimestamp: str | None = None
    lastTimestamp: str | None = None
    eventTime: str | None = None
    series: Series | None = None


class ServiceCidrSpec(Wire):
    cidrs: list[str] | None = None


class ServiceCidr(Wire):
    metadata: Meta
    spec: ServiceCidrSpec | None = None


class ServiceSpec(Wire):
    clusterIP: str | None = None
    clusterIPs: list[str] | None = None


class Service(Wire):
    metadata: Meta
    spec: ServiceSpec | None = None


class Named(Wire):
    """Any object, only who it is."""

    metadata: Meta


class Items(Wire, Generic[T]):
    """A list of any kind."""

    items: list[T] | None = None


class Version(Wire):
    major: str | None = None
    minor: str | None = None
    gitVersion: str | None = None
