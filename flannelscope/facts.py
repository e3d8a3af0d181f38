"""What follows from a Snapshot, worked out once and shared by all checks and views.

Words as the catalogue uses them: a *network* is the Nodes that share one annotation prefix; a *member* has
kube-subnet-manager "true"; *alive* means a fresh kubelet Lease and Ready not Unknown (heartbeats.py); *settled* means that
a fresh start is over and nobody has the Node in hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from flannelscope.addresses import Holders, Overlap
from flannelscope.addresses import PodCidr as PodCidr
from flannelscope.allocator import Restart, start
from flannelscope.cidr import parse
from flannelscope.effective import AddressConfiguration, effective
from flannelscope.flannel.annotations import Announcement, announcements
from flannelscope.flannel.discovery import Discovery, discover, members_by_prefix
from flannelscope.flannel.netconf import NetConf
from flannelscope.heartbeats import alive
from flannelscope.mesh import Mesh, Web
from flannelscope.model import NO_EYES, ContainerStatus, Kernel, Lease, Link, Node, Pod, Prefix, Snapshot, Topic, Value

NEW_NODE = 120.0  # seconds: a younger Node may still be without podCIDR, flannel, CNI
FLANNEL_STARTED = 60.0
RECENT = 600.0
TUNNEL_MADE = 120.0  # seconds a flannel may take to make its device (FLN406)
STANDS_STILL = ("simulated", "file")  # sources whose world does not change: one reading of a node is enough


class Network(Value, frozen=True):
    """A flannel network: an annotation prefix and what every Node announces under it, by Node name."""

    prefix: str
    announcements: Mapping[str, Announcement]
    members: Mapping[str, Announcement]  # those whose gate is "true"


class FlannelOnNode(Value, frozen=True):
    """flannel's pod on a Node and the status of its flannel container (None while it has none)."""

    pod: Pod
    container: str
    status: ContainerStatus | None
    installation: int  # index into Discovery.installations


class Facts:
    """A Snapshot and everything that follows from it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.targets: dict[str, tuple[Prefix, ...]] = {}  # podCIDRs proposed so far, by Node name (targets.py)
        self.touches: dict[str, dict[str, int]] = {}  # which write to a Node each deletion of another needs (exchange.py)
        self._settled: dict[str, bool] = {}  # by Node name: many checks ask
        self.fresh_blocks: Iterator[tuple[Prefix, ...]] | None = None

    @property
    def now(self) -> float:
        """The API server's clock when last heard, else the time of the Snapshot."""
        return self.snapshot.cluster.now or self.snapshot.taken

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Nodes by name."""
        return {node.name: node for node in self.snapshot.nodes}

    @cached_property
    def pod_cidrs(self) -> tuple[PodCidr, ...]:
        """Every podCIDR of every Node."""
        return tuple(
            [
                PodCidr(node.name, index, text, parse(text))
                for node in self.snapshot.nodes
                for index, text in enumerate(node.pod_cidrs)
            ]
        )

    @cached_property
    def pod_cidrs_of(self) -> dict[str, tuple[PodCidr, ...]]:
        """podCIDRs by Node name; a Node without any is absent."""
        found: dict[str, tuple[PodCidr, ...]] = {item.node: (item,) for item in self.pod_cidrs}  # nearly every Node has one
        if len(found) < len(self.pod_cidrs):
            several: dict[str, list[PodCidr]] = {}
            for item in self.pod_cidrs:
                several.setdefault(item.node, []).append(item)
            return {name: tuple(items) for name, items in several.items()}
        return found

    @cached_property
    def _judged_holders(self) -> Holders:
        return Holders(self.pod_cidrs, self.families)

    @cached_property
    def duplicates(self) -> tuple[tuple[PodCidr, ...], ...]:
        """Groups of Nodes that hold one podCIDR of a family that flannel serves."""
        return self._judged_holders.duplicates()

    @cached_property
    def overlaps(self) -> tuple[Overlap, ...]:
        """podCIDRs that contain other Nodes' podCIDRs, of families that flannel serves."""
        return self._judged_holders.overlaps()

    @cached_property
    def waiting(self) -> tuple[Node, ...]:
        """Nodes of any age without a podCIDR that are not being deleted."""
        return tuple(node for node in self.snapshot.nodes if not node.pod_cidrs and node.deleting is None)

    def in_flannel(self, name: str) -> bool:
        """Whether the Node takes part in some flannel: it is a member, or a flannel pod runs there."""
        return name in self.member_names or name in self.flannel_on

    @cached_property
    def networks(self) -> tuple[Network, ...]:
        """The flannel networks, by prefix."""
        by_prefix: dict[str, dict[str, Announcement]] = {}
        for node in self.snapshot.nodes:
            for said in announcements(node) if node.annotations else ():
                by_prefix.setdefault(said.prefix, {})[node.name] = said
        return tuple(
            Network(prefix, said, {name: item for name, item in said.items() if item.member})
            for prefix, said in sorted(by_prefix.items())
        )

    @cached_property
    def member_names(self) -> frozenset[str]:
        """Nodes that are a member of any network."""
        return frozenset().union(*self.members_of.values())

    @cached_property
    def members_of(self) -> dict[str, set[str]]:
        """The names of the members by annotation prefix."""
        return members_by_prefix(self.snapshot.nodes)

    @cached_property
    def discovery(self) -> Discovery:
        """Where and how flannel is installed."""
        return discover(self.snapshot, self.members_of)

    @cached_property
    def configuration(self) -> AddressConfiguration:
        """The effective address configuration."""
        return effective(self.snapshot, self.discovery)

    @cached_property
    def restart(self) -> Restart | None:
        """What a start of the controller manager would do with these Nodes, None without any cluster CIDR.

        It is built from hints and estimates too: where `configuration.known` is false, whoever shows it must say so.
        """
        known = self.configuration
        if not known.cluster_cidrs:
            return None
        return start(known.cluster_cidrs, known.node_masks, known.manager_service_cidrs, self.pod_cidrs)

    @cached_property
    def families(self) -> frozenset[int]:
        """The families that flannel serves: what net-conf enables; without a readable net-conf those the members announce."""
        enabled = self.discovery.families
        if enabled is not None:
            return enabled
        announced: set[int] = set()
        for prefix, names in self.members_of.items():
            said = [self.nodes[name].annotations for name in names]
            for family, key in ((4, prefix + "public-ip"), (6, prefix + "public-ipv6")):
                if any(key in annotations for annotations in said):
                    announced.add(family)
        return frozenset(announced or {4})

    @cached_property
    def flannel_on(self) -> dict[str, tuple[FlannelOnNode, ...]]:
        """flannel's pods by Node name, those being deleted or finished left out."""
        found: dict[str, list[FlannelOnNode]] = {}
        for index, installation in enumerate(self.discovery.installations):
            for pod in installation.pods:
                if not pod.node or pod.deleting or pod.phase in ("Succeeded", "Failed"):
                    continue
                container = installation.container
                statuses = pod.detail.statuses if pod.detail else ()
                status = next((s for s in statuses if s.name == container and not s.init), None)
                found.setdefault(pod.node, []).append(FlannelOnNode(pod, container, status, index))
        return {name: tuple(items) for name, items in found.items()}

    @cached_property
    def lease_of(self) -> dict[str, Lease]:
        """Kubelet Leases by Node name."""
        return {lease.name: lease for lease in self.snapshot.leases if lease.namespace == "kube-node-lease"}

    def alive(self, node: Node) -> bool | None:
        """Whether the kubelet lives, None where that is doubtful or its Lease was not read (heartbeats.py)."""
        return alive(self.snapshot, node, self.lease_of.get(node.name))

    def covered(self, node: Node) -> bool:
        """Whether some flannel is meant to run on this Node: a DaemonSet covers it, or it is a member."""
        return node.name in self.member_names or node.name in self.discovery.covered

    def settled(self, node: Node) -> bool:
        """Node older than 2 min, not being deleted, its flannel container (if any) past its start or failing."""
        known = self._settled.get(node.name)
        if known is None:
            known = self._settled[node.name] = self._settles(node)
        return known

    def _settles(self, node: Node) -> bool:
        if node.deleting is not None or (node.created is not None and self.now - node.created < NEW_NODE):
            return False
        here = self.flannel_on.get(node.name)
        return here is None or all(self._flannel_settled(item) for item in here)

    def _flannel_settled(self, item: FlannelOnNode) -> bool:
        status = item.status
        if status is None:
            detail = item.pod.detail
            if detail is None or any(s.state == "waiting" and s.restarts for s in detail.statuses):
                return detail is not None
            return detail.created is not None and self.now - detail.created >= FLANNEL_STARTED
        if status.state == "running":
            return status.started is None or self.now - status.started >= FLANNEL_STARTED or status.ended_twice(self.now, RECENT)
        return True

    @cached_property
    def pods_on(self) -> dict[str, tuple[Pod, ...]]:
        """Pods by Node name."""
        found: dict[str, list[Pod]] = {}
        for pod in self.snapshot.pods:
            if pod.node:
                found.setdefault(pod.node, []).append(pod)
        return {name: tuple(pods) for name, pods in found.items()}

    @property
    def kernels(self) -> Mapping[str, Kernel]:
        """What nodes said of themselves in the first sweep, by Node name; empty where none was made."""
        return self.snapshot.sweep.kernels if self.snapshot.sweep is not None else {}

    def why_no_kernel(self, name: str) -> str:
        """Why there is nothing of a node's kernel, in words."""
        node = self.nodes.get(name)
        if node is not None and node.os.lower() == "windows":
            return "it runs Windows: only what the API tells of it is judged"
        gaps = [gap for gap in self.snapshot.gaps if gap.topic is Topic.KERNELS]
        told = [gap.reason for gap in gaps if gap.node == name] or [gap.reason for gap in gaps if not gap.node]
        return told[-1] if told else NO_EYES if Topic.KERNELS not in self.snapshot.readings else "the node was not looked at"

    @cached_property
    def mesh(self) -> Mesh | None:
        """Every kernel beside what it should have, None before any was read."""
        sweep = self.snapshot.sweep
        if sweep is None:
            return None
        webs = [
            Web(prefix=n.prefix, members=n.members, conf=(conf := self._conf(n.prefix)), families=self._families_of(conf))
            for n in self.networks
        ]
        still = self.snapshot.source in STANDS_STILL
        second = None if still else self.snapshot.second_sweep
        return Mesh(webs, self.nodes, sweep, second, why_not=self.why_no_kernel, settled=self._tunnel_settled, still=still)

    def _tunnel_settled(self, node: Node) -> bool:
        """Settled, and not without its tunnel only because flannel has just started there: then FLN406 is still to come."""
        if not self.settled(node):
            return False
        started = [item.status.started for item in self.flannel_on.get(node.name, ()) if item.status is not None]
        if all(at is None or self.now - at >= TUNNEL_MADE for at in started):
            return True
        kernel = self.kernels.get(node.name)
        links: tuple[Link, ...] = (kernel.facts.get("links") or ()) if kernel is not None else ()
        tunnels = [link for link in links if link.kind in ("vxlan", "wireguard", "ipip") and link.name.startswith("flannel")]
        return not links or (bool(tunnels) and all("UP" in link.flags for link in tunnels))

    def _conf(self, prefix: str) -> NetConf | None:
        """The net-conf of a network, None where none is known that a flannel would start with."""
        found = (i.net_conf for i in self.discovery.installations if i.prefix == prefix and i.os != "windows")
        return next((conf for conf in found if conf is not None and not conf.broken), None)

    def _families_of(self, conf: NetConf | None) -> frozenset[int]:
        enabled = conf.families if conf is not None else None
        return self.families if enabled is None else enabled
