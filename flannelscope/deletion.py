"""Deleting a Node object by hand: what speaks against it, which of several goes first, and what goes with it.

A Node object is more than a row: k3s and RKE2 servers leave etcd with theirs, providers replace machines, finalizers make
their owners act, every flannel drops the routes to its podCIDR, and the controller manager clears the blocks that it
touched, whoever else lives there (k8s.io/kubernetes v1.34 pkg/controller/nodeipam/ipam, flannel pkg/subnet/kube/kube.go).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

import msgspec

from flannelscope.cidr import BITS, last, overlaps
from flannelscope.effective import Allocator
from flannelscope.effective.manager import NODE_ARGS
from flannelscope.facts import Facts
from flannelscope.heartbeats import fresh
from flannelscope.model import Gap, Node, Prefix, Topic
from flannelscope.text import count, fold, natural

DAY = 86_400.0
SERVER_LABELS = (
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
    "node-role.kubernetes.io/etcd",
    "node-role.kubernetes.io/controlplane",  # RKE1
)
_PROVIDER_LABELS = {
    "eks.amazonaws.com/nodegroup": "EKS",
    "alpha.eksctl.io/nodegroup-name": "eksctl",
    "cloud.google.com/gke-nodepool": "GKE",
    "kubernetes.azure.com/agentpool": "AKS",
    "kubernetes.azure.com/cluster": "AKS",
    "kops.k8s.io/instancegroup": "kOps",
    "karpenter.sh/nodepool": "Karpenter",
    "karpenter.sh/provisioner-name": "Karpenter",
}
_PROVIDER_ANNOTATIONS = "cluster.x-k8s.io/"
_PROVIDER_TAINTS = ("ToBeDeletedByClusterAutoscaler", "DeletionCandidateOfClusterAutoscaler", "karpenter.sh/")
_LOCAL_PROVIDERS = ("k3s", "rke2", "kind", "k0s", "minikube")  # they name the machine that is there; nobody replaces it

Group = tuple[object, ...]
Answer = TypeVar("Answer")


def once(question: Callable[[Facts], Answer]) -> Callable[[Facts], Answer]:
    """The question, asked once of the same Facts: thousands of findings need one answer. It must not hold the Facts."""
    told: WeakKeyDictionary[Facts, Answer] = WeakKeyDictionary()

    @wraps(question, updated=())
    def answer(facts: Facts) -> Answer:
        if facts not in told:
            told[facts] = question(facts)
        return told[facts]

    return answer


def server(facts: Facts, node: Node) -> bool:
    """Whether it is a control plane or etcd node, or a k3s or RKE2 server."""
    if any(label in node.labels for label in SERVER_LABELS):
        return True
    if any(_is_server(node.annotations[key]) for key in NODE_ARGS if key in node.annotations):
        return True
    return any(pod.node == node.name and pod.mirror for pod in facts.snapshot.control_plane_pods)


def _is_server(text: str) -> bool:
    try:
        return msgspec.json.decode(text, type=list[str])[:1] == ["server"]
    except (msgspec.DecodeError, UnicodeError):
        return True  # it cannot be told from a server


def provider(node: Node) -> str:
    """Who else makes, replaces and removes this Node's machine; "" where nothing shows anybody."""
    marks = [name for label, name in _PROVIDER_LABELS.items() if label in node.labels]
    marks += ["Cluster API" for key in node.annotations if key.startswith(_PROVIDER_ANNOTATIONS)]
    marks += ["an autoscaler" for taint in node.taints if taint.key.startswith(_PROVIDER_TAINTS)]
    scheme = node.provider_id.partition("://")[0]
    if scheme and scheme not in _LOCAL_PROVIDERS:
        marks.append(f"the provider {scheme}")
    return marks[0] if marks else ""


def objection(facts: Facts, node: Node) -> str:
    """Why no command to delete this Node is given, as the rest of a sentence about it; "" where nothing speaks against it."""
    held = ", ".join(node.finalizers)
    if node.deleting is not None:
        return "is being deleted already" + (
            f" and waits for its finalizers ({held}): their owner must let it go" if held else ""
        )
    if held:
        return f"carries finalizers ({held}): their owner acts when it is deleted, and it stays until then"
    if server(facts, node):
        return "is a control plane or etcd node: with its Node it may leave etcd; take it out and back as its distribution says"
    if owner := provider(node):
        return f"belongs to {owner}: replace its machine there"
    return ""


def dead(facts: Facts, node: Node) -> bool:
    """Whether its kubelet is known to be silent: Ready is Unknown and no fresh Lease speaks against it, or none ever spoke."""
    lease = facts.lease_of.get(node.name)
    reading = facts.snapshot.readings.get(Topic.LEASES)
    if facts.alive(node) is not False or (lease is not None and reading is not None and fresh(lease, reading.at)):
        return False
    return node.ready == "Unknown" or (node.created is not None and facts.now - node.created > DAY)


def leaving_order(facts: Facts, nodes: Iterable[Node]) -> list[Node]:
    """Who goes first, so that the last one may stay: the dead before the living, those in no flannel before members, workers
    before servers, those for which a command can be given before others, the younger before the older.
    """
    by_name = sorted(nodes, key=lambda node: natural(node.name), reverse=True)
    return sorted(by_name, key=lambda node: _stays(facts, node))


def _stays(facts: Facts, node: Node) -> tuple[bool, bool, bool, bool, float]:
    going = node.deleting is not None or dead(facts, node)
    age = facts.now - node.created if node.created is not None else 0.0
    return server(facts, node), not going, bool(objection(facts, node)), facts.in_flannel(node.name), age


def survivors(facts: Facts, name: str) -> tuple[str, ...]:
    """Members whose entries every peer drops with those of this Node: they share its podCIDR, its gateway, or its VTEP.

    Peers keep one entry for all that share it: one Node of each such group, the one that leaves last. A twin goes before
    others with its gateway: announced again, it has both its route and that entry, and another would have only the entry.
    """
    index = _index(facts)
    left: dict[Group, str] = {}
    for group in index.groups_of.get(name, ()):
        other = next((n for n in reversed(index.order(facts, group)) if n != name), None)
        if other is not None:
            left[group] = other
    twins = {group[:2] for group in left if len(group) == 3}
    return tuple(dict.fromkeys(other for group, other in left.items() if group not in twins))


def clears_others(facts: Facts, name: str) -> bool:
    """Whether the controller manager clears blocks with this Node that others, or Services, still use."""
    if facts.configuration.allocator == Allocator.OFF:
        return False
    return any(
        _index(facts).shared(block) or any(overlaps(service, block) for service in facts.configuration.manager_service_cidrs)
        for block in _blocks(facts, name)
    )


def _blocks(facts: Facts, name: str) -> Iterator[Prefix]:
    """The blocks of the manager's pools that are cleared with this Node; what lies in no pool is handed out to nobody."""
    masks = facts.configuration.node_masks
    for item in facts.pod_cidrs_of.get(name, ()):
        if (prefix := item.prefix) is not None and _pooled(facts, item.index, prefix):
            mask = min(masks[item.index], prefix.length) if item.index < len(masks) else prefix.length
            bits = BITS[prefix.family] - mask
            yield Prefix(prefix.family, prefix.base >> bits << bits, mask)


def _pooled(facts: Facts, index: int, prefix: Prefix) -> bool:
    """Whether a podCIDR touches the pool of its index; it may, where the pools are not known."""
    pools = facts.configuration.cluster_cidrs
    return not facts.configuration.known or (index < len(pools) and overlaps(pools[index], prefix))


def not_read(facts: Facts) -> tuple[Gap, ...]:
    """Nodes that the API has and that could not be read: what they hold is not known."""
    return tuple(gap for gap in facts.snapshot.gaps if gap.topic == Topic.NODES)


@once
def said_not_read(facts: Facts) -> str:
    """That Nodes could not be read, as a part of a sentence; "" when all were."""
    gaps = not_read(facts)
    names = fold(gap.node for gap in gaps if gap.node)
    return f"{count(len(gaps), 'Node')} could not be read{f' ({names})' if names else ''}" if gaps else ""


@once
def no_restart(facts: Facts) -> str:
    """Why the controller manager must not be restarted yet, as a sentence; "" where nothing is known against it."""
    start = facts.restart
    if start is not None and facts.configuration.known and not start.would_start:
        if start.misfits:
            names = fold(item.node for item in start.misfits)
            return (
                f"First FLN103: until the podCIDR of {names} is inside the cluster CIDR, do not restart the controller manager."
            )
        return f"The controller manager would not start again ({start.reason}): repair that first, and do not restart it before."
    if missing := said_not_read(facts):
        return f"{missing}: first see that their podCIDRs are inside the cluster CIDR, or the controller manager will not start."
    return ""


class _Index:
    """podCIDRs by what their Nodes share, for questions about thousands of Nodes."""

    def __init__(self, facts: Facts) -> None:
        self._members: dict[Group, list[str]] = {}
        self._orders: dict[Group, list[str]] = {}
        self.groups_of: dict[str, list[Group]] = {}
        for group, name in (*_gateways(facts), *_vteps(facts)):
            self._members.setdefault(group, []).append(name)
            self.groups_of.setdefault(name, []).append(group)
        prefixes = [item.prefix for item in facts.pod_cidrs if item.prefix is not None]
        self._bases = sorted([p.family << 128 | p.base for p in prefixes])  # integers sort several times faster than pairs
        self._held = set(prefixes)
        self._lengths = {(p.family, p.length) for p in self._held}

    def order(self, facts: Facts, group: Group) -> list[str]:
        """The Nodes of a group, the one that may stay last. `facts` are those it was built from."""
        if group not in self._orders:
            nodes = [facts.nodes[name] for name in dict.fromkeys(self._members[group])]
            self._orders[group] = [node.name for node in leaving_order(facts, nodes)]
        return self._orders[group]

    def shared(self, block: Prefix) -> bool:
        """Whether more than one podCIDR touches the block."""
        family = block.family
        inside = bisect_right(self._bases, family << 128 | last(block)) - bisect_left(self._bases, family << 128 | block.base)
        shorter = (length for held_family, length in self._lengths if held_family == family and length < block.length)
        around = sum(_cut(block, length) in self._held for length in shorter)
        return around + inside > 1


def _gateways(facts: Facts) -> Iterator[tuple[Group, str]]:
    """Members by podCIDR (family, base, length), and by the gateway that it has in flannel (family, base)."""
    for item in facts.pod_cidrs:
        if (prefix := item.prefix) is not None and item.node in facts.member_names:
            yield (prefix.family, prefix.base, prefix.length), item.node
            yield (prefix.family, prefix.base), item.node


def _vteps(facts: Facts) -> Iterator[tuple[Group, str]]:
    for network in facts.networks:
        for name, said in network.members.items():
            for data in (said.data, said.v6_data):
                if key := data.vtep_mac or data.public_key:
                    yield (network.prefix, key), name


def _cut(prefix: Prefix, length: int) -> Prefix:
    bits = BITS[prefix.family] - length
    return Prefix(prefix.family, prefix.base >> bits << bits, length)


_index = once(_Index)
