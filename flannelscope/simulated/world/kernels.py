"""What the nodes of a simulated cluster say of themselves: as flannel would have set them up from what their peers announce.

The faults of a demo show as they would on machines. Of Nodes with one podCIDR, or with one base address, the peers keep the
entries of the one that came last; a node whose flannel does not run has nothing of it; one with another backend knows nobody.
Values are shared: a peer's route is the same object on every node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from flannelscope.cidr import parse, show, show_address
from flannelscope.facts import Facts, Network
from flannelscope.flannel.annotations import Announcement
from flannelscope.flannel.netconf import NetConf
from flannelscope.model import (
    Address,
    FdbEntry,
    IpamLease,
    Kernel,
    Link,
    Neighbour,
    Node,
    NodeContainer,
    Pod,
    Prefix,
    Reading,
    Route,
    Snapshot,
    SubnetEnv,
    Sweep,
    Topic,
    Value,
)
from flannelscope.probes import all_probes
from flannelscope.probes.clock import Clock
from flannelscope.probes.kernel_version import KernelVersion
from flannelscope.simulated.world import machine
from flannelscope.simulated.world.blueprint import DAY, Dice
from flannelscope.simulated.world.machine import Cards

ORIGIN = "simulated"
NOT_SIMULATED = "the simulated nodes do not tell"
_PORT = 8472  # the kernel's own for VXLAN, which flannel takes
_LASTED = 3.0  # seconds of the sweep
_VETHS = 3  # of each node; the pods are more


class _Peer(Value, frozen=True):
    """One member, and what every node with its backend keeps for it."""

    said: Announcement
    prefix: Prefix
    route: Route
    neighbour: Neighbour
    fdb: FdbEntry


def with_kernels(snapshot: Snapshot) -> Snapshot:
    """The Snapshot and one sweep of all its nodes, ended at its time."""
    world = _World(snapshot)
    nodes = {node.name: node for node in snapshot.nodes}
    kernels = {name: world.kernel(node) for name, node in nodes.items()}
    sweep = Sweep(begun=snapshot.taken - _LASTED, ended=snapshot.taken, kernels=kernels, before=nodes, after=nodes)
    reading = Reading(at=snapshot.taken, source=snapshot.source, asked=len(nodes), answered=len(kernels))
    return replace(snapshot, sweep=sweep, readings={**snapshot.readings, Topic.KERNELS: reading})


class _World:
    """What all machines of a cluster have in common."""

    def __init__(self, snapshot: Snapshot) -> None:
        facts = Facts(snapshot)
        installation = facts.discovery.installations[0]
        assert installation.net_conf is not None
        self.snapshot = snapshot
        self.conf: NetConf = installation.net_conf
        self.network: Network = facts.networks[0]
        self.pods = {pod.node: pod for pod in snapshot.flannel_pods}
        self.others: dict[str, list[Pod]] = {}
        for pod in snapshot.pods:
            self.others.setdefault(pod.node, []).append(pod)
        self.cni = machine.cni(next(m.data["cni-conf.json"] for m in snapshot.config_maps if "cni-conf.json" in m.data))
        self.peers = [peer for node in _by_age(snapshot.nodes) if (peer := self._peer(node)) is not None]

    def _peer(self, node: Node) -> _Peer | None:
        said = self.network.members.get(node.name)
        prefix = parse(node.pod_cidrs[0]) if node.pod_cidrs else None
        if said is None or prefix is None:
            return None
        base = show_address(prefix.family, prefix.base)
        if said.backend_type != "vxlan":
            route = Route(family=4, destination=show(prefix), gateway=said.public_ip)
            return _Peer(said, prefix, route, Neighbour(base, "", "", ()), FdbEntry("", "", "", False))
        device, mac = f"flannel.{said.data.vni or 1}", said.data.vtep_mac
        route = Route(family=4, destination=show(prefix), gateway=base, device=device, onlink=True)
        return _Peer(
            said, prefix, route, Neighbour(base, device, mac, ("PERMANENT",)), FdbEntry(mac, device, said.public_ip, True)
        )

    def kernel(self, node: Node) -> Kernel:
        """Everything that a machine says."""
        dice = Dice(f"kernel/{node.uid}")
        said = self.network.members.get(node.name)
        own = parse(node.pod_cidrs[0]) if node.pod_cidrs else None
        cards = Cards(node, said.public_ip if said else node.internal_ips[0], dice)
        links, addresses, routes = cards.links(), cards.addresses(), cards.routes()
        known: list[_Peer] = []
        if said is not None and own is not None:
            known = [p for p in self.peers if p.said.backend_type == said.backend_type and p.prefix != own]
            links += self._devices(said, cards, dice)
            addresses += _own_addresses(links, own)
            routes += [_local(own), *{peer.route.destination: peer.route for peer in known}.values()]
        facts: dict[str, object] = {
            "links": tuple(links),
            "addresses": tuple(addresses),
            "routes": tuple(routes),
            "rules": machine.RULES,
            "neighbours": tuple(_last(known).values()),
            "fdb": tuple(peer.fdb for peer in known if peer.fdb.mac),
            "sysctls": machine.settings(links),
            "iptables": machine.firewall(self.conf.network_written, own),
            "nft": (),
            "cni": self.cni,
            "kernel_version": KernelVersion("6.8.0-86-generic", "x86_64", "Ubuntu 24.04.3 LTS"),
            "flannel_process": machine.process(self.pods[node.name], dice) if node.name in self.pods else (),
        }
        facts |= self._pods_here(node, dice)
        facts["subnet_env"] = self._subnet_env(node, own, links)
        return Kernel(
            node=node.name,
            at=self.snapshot.taken - dice.uniform(0.1, _LASTED),
            origin=ORIGIN,
            facts=facts,
            missing={name: NOT_SIMULATED for name in all_probes() if name not in facts},
        )

    def _pods_here(self, node: Node, dice: Dice) -> dict[str, object]:
        """host-local's leases, the sandboxes that hold them, and nothing in the kernel's log about flannel."""
        leases: list[IpamLease] = []
        containers: list[NodeContainer] = []
        for pod in self.others.get(node.name, ()):
            if pod.host_network or pod.phase != "Running":
                continue
            sandbox, at = f"{dice.getrandbits(256):064x}", self.snapshot.taken - DAY
            leases += [IpamLease("cbr0", address, sandbox, "eth0", at) for address in pod.ips]
            number, pids = 4_026_532_000 + len(containers), (dice.randrange(2000, 90000),)
            containers.append(NodeContainer(pod_uid=pod.uid, container=sandbox, pids=pids, netns=number))
        now = self.snapshot.taken
        return {
            "host_local": tuple(leases),
            "containers": tuple(containers),
            "clock": Clock(now, now, now - 30 * DAY),
            "kernel_log": (),
        }

    def _subnet_env(self, node: Node, own: Prefix | None, links: Sequence[Link]) -> SubnetEnv:
        mtu = next((link.mtu for link in links if link.name == "cni0"), 0)
        pod = self.pods.get(node.name)
        started = next((s.started for s in pod.detail.statuses if not s.init), None) if pod and pod.detail else None
        return machine.subnet_env(self.conf, own, mtu, started) if own else SubnetEnv(path=machine.SUBNET_FILE, present=False)

    def _devices(self, said: Announcement, cards: Cards, dice: Dice) -> Iterator[Link]:
        mtu = machine.MTU
        if said.backend_type == "vxlan":
            port = self.conf.backend_options.get("port")
            yield machine.tunnel(said, cards, port if isinstance(port, int) and port else _PORT)
            mtu -= machine.OVERHEAD
        yield from machine.bridge(mtu, _VETHS, dice)


def _by_age(nodes: Sequence[Node]) -> list[Node]:
    """Oldest first: who comes last overwrites."""
    return sorted(nodes, key=lambda node: (node.created or 0.0, node.name))


def _last(known: Sequence[_Peer]) -> Mapping[str, Neighbour]:
    """One neighbour a base address: that of the peer who came last."""
    return {peer.neighbour.address: peer.neighbour for peer in known if peer.neighbour.mac}


def _own_addresses(links: Sequence[Link], own: Prefix) -> Iterator[Address]:
    tunnels = [link.name for link in links if link.kind == "vxlan"]
    yield from (Address(name, own.family, show_address(own.family, own.base), 32) for name in tunnels)
    yield Address("cni0", own.family, show_address(own.family, own.base + 1), own.length)


def _local(own: Prefix) -> Route:
    source = show_address(own.family, own.base + 1)
    return Route(family=own.family, destination=show(own), device="cni0", protocol="kernel", source=source)
