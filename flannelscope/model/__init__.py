"""What is true: frozen values read from a cluster, nothing about how they were read or what they mean.

Times are seconds since the epoch, UTC; `None` where the world did not say. Sequences are tuples, so that a value can be
shared between Snapshots: an object whose uid and resourceVersion did not change is the same Python object in the next one.
Values do not compare by content (`eq=False`) and are not tracked by the cyclic collector (`gc=False`): 150,000 pods stay cheap.
"""

from __future__ import annotations

from flannelscope.model.base import Prefix, Value
from flannelscope.model.changes import NodeChange
from flannelscope.model.daemonsets import DaemonSet, NodeRequirement, Toleration
from flannelscope.model.findings import (
    CLUSTER,
    WHOLE_CLUSTER,
    Consequence,
    Evidence,
    Finding,
    Remedy,
    Severity,
    Subject,
    Unknown,
    node_subject,
    pod_subject,
)
from flannelscope.model.firewall import NftChain, NftTable, SavedChain, SavedRule, SavedTable
from flannelscope.model.hostfiles import Cni, CniFile, FlannelProcess, IpamLease, NodeContainer, SubnetEnv
from flannelscope.model.kernel import Address, FdbEntry, Kernel, Link, Neighbour, Route, Rule, Said, Sweep, Vxlan
from flannelscope.model.nodes import Node, Taint, Writer
from flannelscope.model.others import ConfigMap, Event, Lease, ServiceCidr
from flannelscope.model.pods import Container, ContainerStatus, Pod, PodDetail
from flannelscope.model.snapshot import (
    IN_API,
    NO_EYES,
    Cluster,
    Declared,
    Gap,
    Origin,
    Reading,
    SecondRead,
    Snapshot,
    Topic,
)

__all__ = [
    "CLUSTER",
    "IN_API",
    "NO_EYES",
    "WHOLE_CLUSTER",
    "Address",
    "Cluster",
    "Cni",
    "CniFile",
    "ConfigMap",
    "Consequence",
    "Container",
    "ContainerStatus",
    "DaemonSet",
    "Declared",
    "Event",
    "Evidence",
    "FdbEntry",
    "Finding",
    "FlannelProcess",
    "Gap",
    "IpamLease",
    "Kernel",
    "Lease",
    "Link",
    "Neighbour",
    "NftChain",
    "NftTable",
    "Node",
    "NodeChange",
    "NodeContainer",
    "NodeRequirement",
    "Origin",
    "Pod",
    "PodDetail",
    "Prefix",
    "Reading",
    "Remedy",
    "Route",
    "Rule",
    "Said",
    "SavedChain",
    "SavedRule",
    "SavedTable",
    "SecondRead",
    "ServiceCidr",
    "Severity",
    "Snapshot",
    "Subject",
    "SubnetEnv",
    "Sweep",
    "Taint",
    "Toleration",
    "Topic",
    "Unknown",
    "Value",
    "Vxlan",
    "Writer",
    "node_subject",
    "pod_subject",
]
