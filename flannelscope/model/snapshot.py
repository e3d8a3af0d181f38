"""What was read, where and when, and what could not be read: all that is known at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from flannelscope.model.base import Value
from flannelscope.model.changes import NodeChange
from flannelscope.model.daemonsets import DaemonSet
from flannelscope.model.kernel import Sweep
from flannelscope.model.nodes import Node
from flannelscope.model.others import ConfigMap, Event, Lease, ServiceCidr
from flannelscope.model.pods import Pod


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
    KERNELS = "kernels"  # what nodes say of themselves, over SSH or netlink: only where that is asked for


NO_EYES = "the nodes were not looked at (no --ssh)"
IN_API = tuple(topic for topic in Topic if topic is not Topic.KERNELS)  # what the API server tells, in the order of reading


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
    """Cluster-level facts given by option; they win over what was discovered.

    `world` are the options that name what is looked at (--demo, --from, --kubeconfig, --context): commands to be copied need
    them, or they would answer for another cluster.
    """

    cluster_cidrs: tuple[str, ...] = ()
    node_masks: tuple[int, ...] = ()
    service_cidrs: tuple[str, ...] = ()
    world: tuple[str, ...] = ()


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
    sweep: Sweep | None = None
    changes: tuple[NodeChange, ...] = ()  # of Nodes, since they were first read; oldest first
    second_sweep: Sweep | None = None  # of the nodes only that the first one makes suspicious

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
        if topic is Topic.KERNELS and reading is None:
            return NO_EYES
        return "still being read" if reading is not None and not reading.complete else f"{topic} not looked at"
