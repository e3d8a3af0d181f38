"""What is true: frozen values read from a cluster, nothing about how they were read or what they mean.

Times are seconds since the epoch, UTC; `None` where the world did not say. Sequences are tuples, so that a value can be
shared between Snapshots: an object whose uid and resourceVersion did not change is the same Python object in the next one.
Values do not compare by content (`eq=False`) and are not tracked by the cyclic collector (`gc=False`): 150,000 pods stay cheap.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum

import msgspec


class Value(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The base of all values."""


class Severity(IntEnum):
    """How bad a finding is. critical: traffic or pods fail now, or the control plane will not start again."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3


class Topic(StrEnum):
    """What can be read, each of it a part of a Snapshot that a check may need."""

    VERSION = "version"
    NODES = "nodes"
    LEASES = "leases"  # kube-node-lease: which kubelets are alive
    DAEMONSETS = "daemonsets"
    FLANNEL_PODS = "flannel-pods"
    CONTROL_PLANE = "control-plane"  # mirror pods of the controller manager and API server, its Lease
    CONFIGURATION = "configuration"  # the ConfigMaps, each by name
    SERVICES = "services"  # ServiceCIDR objects and the address of Service default/kubernetes
    EVENTS = "events"
    POLICIES = "policies"  # NetworkPolicies: only whether there are any
    PODS = "pods"


class Prefix(msgspec.Struct, frozen=True, gc=False, order=True):
    """An IP prefix with its host bits masked; compares and sorts by family, base address, length.

    `base` is the first address as an integer, `family` 4 or 6.
    """

    family: int
    base: int
    length: int


class Origin(Value, frozen=True):
    """Where a datum came from: `source` (api, option, file, simulated, inferred), `path` (object and field), `at`."""

    source: str
    path: str
    at: float | None = None


class Gap(Value, frozen=True):
    """Something asked for and not learnt. `node` is empty when it concerns the whole cluster.

    `verb` and `resource` name the missing right when RBAC forbade it.
    """

    topic: Topic
    reason: str
    node: str = ""
    verb: str = ""
    resource: str = ""


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
    writers: tuple[Writer, ...] = ()


class Container(Value, frozen=True, kw_only=True):
    """A container's specification. `env` holds only names that start with FLANNELD_ (Canal's settings)."""

    name: str
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    memory_limit: str = ""


class ContainerStatus(Value, frozen=True, kw_only=True):
    """How a container runs. `state` is running, waiting, terminated or ""; `last_*` tell of its previous life."""

    name: str
    init: bool = False
    image: str = ""
    ready: bool = False
    restarts: int = 0
    state: str = ""
    reason: str = ""  # of waiting or terminated
    message: str = ""
    started: float | None = None
    finished: float | None = None
    exit_code: int | None = None
    last_reason: str = ""
    last_exit_code: int | None = None
    last_started: float | None = None
    last_finished: float | None = None

    def ended_twice(self, now: float, within: float) -> bool:
        """Whether it ended at least twice in the last `within` seconds, as far as the API tells, which keeps one end only.

        The end before the last one came before the last start: a start in that time too tells of it.
        """
        since = now - within
        finished, started = self.last_finished, self.last_started
        return self.restarts >= 2 and finished is not None and finished >= since and (started is None or started >= since)


class PodDetail(Value, frozen=True, kw_only=True):
    """What is kept of hostNetwork pods only: flannel, the control plane and their like are found among these."""

    labels: Mapping[str, str] = {}
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    statuses: tuple[ContainerStatus, ...] = ()
    config_maps: tuple[str, ...] = ()  # names mounted as volumes
    created: float | None = None


class Pod(Value, frozen=True, kw_only=True):
    """A Pod, projected. `phase` is Pending, Running, Succeeded, Failed or Unknown; `node` is "" while unscheduled."""

    namespace: str
    name: str
    uid: str = ""
    resource_version: str = ""
    node: str = ""
    phase: str = ""
    ips: tuple[str, ...] = ()
    host_network: bool = False
    deleting: bool = False
    mirror: bool = False
    owner_kind: str = ""
    owner_name: str = ""
    scheduled: float | None = None  # kept only while the pod has no address
    detail: PodDetail | None = None


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


class ConfigMap(Value, frozen=True):
    """A ConfigMap read by name. `written` is the newest time in its managedFields."""

    namespace: str
    name: str
    data: Mapping[str, str]
    created: float | None = None
    written: float | None = None


class Lease(Value, frozen=True):
    """A coordination Lease: of a kubelet, or of the controller manager."""

    namespace: str
    name: str
    holder: str = ""
    renewed: float | None = None
    duration: int | None = None


class Event(Value, frozen=True, kw_only=True):
    """An Event about a Node or a Pod."""

    reason: str
    type: str = "Normal"
    kind: str = ""
    namespace: str = ""
    name: str = ""  # of the object it is about
    uid: str = ""
    message: str = ""
    component: str = ""
    count: int = 1
    first: float | None = None
    last: float | None = None


class ServiceCidr(Value, frozen=True):
    """A ServiceCIDR object (networking.k8s.io): the ranges Services take their addresses from."""

    name: str
    cidrs: tuple[str, ...]


class Cluster(Value, frozen=True, kw_only=True):
    """Which cluster this is. `uid` is that of namespace kube-system; `now` is the API server's clock when last heard."""

    uid: str = ""
    server: str = ""
    context: str = ""
    version: str = ""
    major: int = 0
    minor: int = 0
    now: float | None = None


class Declared(Value, frozen=True, kw_only=True):
    """Cluster-level facts given by option; they win over what was discovered."""

    cluster_cidrs: tuple[str, ...] = ()
    node_masks: tuple[int, ...] = ()
    service_cidrs: tuple[str, ...] = ()


class Reading(Value, frozen=True, kw_only=True):
    """How a topic was read: when, from where, how much of what was asked came. `complete` is False while it goes on.

    `asked` and `answered` count objects or Nodes; `scope` says what was left out on purpose ("suspect", "none").
    """

    at: float
    source: str = "api"
    asked: int = 0
    answered: int = 0
    complete: bool = True
    scope: str = ""
    absent: bool = False  # this version of the server does not have the kind


class SecondRead(Value, frozen=True):
    """A Node and its pods read again (`at`), some seconds after the first time, to see whether a suspicion is stable."""

    at: float
    node: Node | None
    pods: tuple[Pod, ...]


class Snapshot(Value, frozen=True, kw_only=True):
    """All that is known at one moment; grows topic by topic. `taken` is the time of the newest part.

    `readings` has an entry for each topic that was read, wholly or in part; a topic without one was not looked at.
    """

    taken: float = 0.0
    source: str = "api"
    cluster: Cluster = Cluster()
    declared: Declared = Declared()
    nodes: tuple[Node, ...] = ()
    pods: tuple[Pod, ...] = ()
    flannel_pods: tuple[Pod, ...] = ()
    control_plane_pods: tuple[Pod, ...] = ()
    daemonsets: tuple[DaemonSet, ...] = ()
    config_maps: tuple[ConfigMap, ...] = ()
    leases: tuple[Lease, ...] = ()
    events: tuple[Event, ...] = ()
    service_cidrs: tuple[ServiceCidr, ...] = ()
    kubernetes_service_ips: tuple[str, ...] = ()
    network_policies: int | None = None
    readings: Mapping[Topic, Reading] = {}
    gaps: tuple[Gap, ...] = ()
    second_reads: Mapping[str, SecondRead] = {}  # by Node name, only those that pod_addresses.confirm_targets names

    def has(self, topic: Topic) -> bool:
        """Whether the topic was read to its end (the server not having the kind counts: nothing is there)."""
        reading = self.readings.get(topic)
        return reading is not None and reading.complete

    def why_not(self, topic: Topic) -> str:
        """The reason why a topic is not there, in words."""
        for gap in self.gaps:
            if gap.topic == topic and not gap.node:
                return gap.reason
        reading = self.readings.get(topic)
        return "still being read" if reading is not None and not reading.complete else f"{topic} not looked at"


class Subject(msgspec.Struct, frozen=True, order=True):
    """What a finding is about: a Node, Pod, DaemonSet, ConfigMap, or the Cluster. `node` is where a Pod runs."""

    kind: str
    name: str
    namespace: str = ""
    node: str = ""


class Evidence(Value, frozen=True):
    """One proof: `what` it is, the `value`, where it was read (`origin`), and the `command` that shows it."""

    what: str
    value: str
    origin: str
    command: str = ""


class Remedy(Value, frozen=True):
    """What to do, in a sentence, and the commands in their order. flannelscope does none of them by itself.

    `proof` is the command that shows whether it worked; every check sets it for all its remedies.
    """

    summary: str
    commands: tuple[str, ...] = ()
    caution: str = ""
    proof: str = ""


class Consequence(Value, frozen=True):
    """A finding that another one explains."""

    code: str
    subjects: tuple[Subject, ...]
    summary: str


class Finding(Value, frozen=True, kw_only=True):
    """Something that is wrong or worth knowing.

    `summary` says in one sentence what is true and what it means. `reach` names further Nodes on which this cause
    explains other findings ("*" for all, "" for findings that name no Node): a cause without Node subjects, like a dead
    controller manager, needs it.
    """

    code: str
    slug: str
    severity: Severity
    subjects: tuple[Subject, ...]
    summary: str
    why: str = ""
    evidence: tuple[Evidence, ...] = ()
    remedy: Remedy | None = None
    reach: tuple[str, ...] = ()
    consequences: tuple[Consequence, ...] = ()

    @property
    def nodes(self) -> tuple[str, ...]:
        """The Nodes concerned, each once, in the order of the subjects."""
        return tuple(dict.fromkeys(s.name if s.kind == "Node" else s.node for s in self.subjects if s.kind == "Node" or s.node))


class Unknown(Value, frozen=True):
    """A check that could not judge: for these `nodes` (empty: for the whole cluster), for this `reason`."""

    code: str
    nodes: tuple[str, ...]
    reason: str


def node_subject(name: str) -> Subject:
    """The Subject of a Node."""
    return Subject("Node", name)


def pod_subject(pod: Pod) -> Subject:
    """The Subject of a Pod."""
    return Subject("Pod", pod.name, pod.namespace, pod.node)


CLUSTER = Subject("Cluster", "cluster")
WHOLE_CLUSTER = ""  # stands for the Nodes of a finding that names none; in `reach` it explains such findings
