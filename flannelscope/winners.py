"""Which of several Nodes with one podCIDR gets its traffic, as far as the API tells.

Each node decides that for itself: its flannel keeps one entry for a subnet, that of the announcement it took in last. One
that starts takes all in by the order of the list, which recent API servers sort by name; from then on whoever announces
something new comes last (flannel v0.28, pkg/subnet/kube/kube.go and pkg/lease/lease.go). When an announcement was made is
known only within bounds: not before its Node was created, not after managedFields say that flannel wrote its annotations.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from math import inf

from flannelscope.cidr import last, show, show_address
from flannelscope.deletion import once
from flannelscope.facts import Facts, Network
from flannelscope.model import Evidence, Node, Prefix
from flannelscope.proofs import last_writer
from flannelscope.text import count

SORTED_SINCE = (1, 30)  # releases whose watch cache lists by name; of older ones that is not relied upon
APART = 60.0  # seconds: the clocks of machines and of the API server may differ by so much
DOUBT = "each node goes by what it heard last, so they may differ"
UNTOLD = f"the API does not tell: {DOUBT}"
REPLACING = ("vxlan", "host-gw", "wireguard", "ipip")  # backends that keep one entry for a subnet


def winner(facts: Facts, names: Sequence[str], prefix: Prefix) -> Evidence | None:
    """Who gets the traffic of `prefix` on how many other nodes; None where fewer than two of these Nodes are announced."""
    network = next((n for n in facts.networks if sum(name in n.members for name in names) > 1), None)
    if network is None:
        return None
    twins = [facts.nodes[name] for name in names if name in network.members]
    backends = {network.members[node.name].backend_type for node in twins}
    return Evidence(
        f"who gets the traffic of {show(prefix)}",
        _several(backends, twins) if len(backends) > 1 else _told(facts, network, next(iter(backends)), twins),
        "start of flannel on the other nodes, creation and managedFields of these; servers since 1.30 list by name",
        _command(facts, network, backends, prefix, twins),
    )


def _several(backends: AbstractSet[str], twins: Sequence[Node]) -> str:
    if "" in backends:  # udp takes every announcement, whatever its backend
        return UNTOLD
    alone = len(backends) == len(twins)
    which, rest = ("the one that has", "the other") if alone else ("one of those that have", "all others")
    return f"on each node {which} its backend ({', '.join(sorted(backends))}): it ignores {rest}"


def _told(facts: Facts, network: Network, backend: str, twins: Sequence[Node]) -> str:
    peers = _peers(facts)[network.prefix, backend]
    others = peers.number - len(twins)
    tally = _tally(facts, peers, twins) if backend in REPLACING else Counter[str]()
    unknown = others - tally.total()
    on = "; ".join(f"{name} on {count(number, 'other node')}" for name, number in sorted(tally.items()))
    if not others:
        return "nobody: no other node has this backend"
    if not unknown:
        return f"{on}, by all that the API tells"
    return f"{on}; not known for {count(unknown, 'other node')}: {DOUBT}" if on else UNTOLD


def _command(facts: Facts, network: Network, backends: AbstractSet[str], prefix: Prefix, twins: Sequence[Node]) -> str:
    """What shows it on a node: the route, unless all Nodes stand behind one and the tunnel's own table decides."""
    if backends == {"wireguard"}:
        shows = f"wg show all allowed-ips | grep -wF {show(prefix)}"
        return f"{shows}  # on any other node: the key in the line is the PublicKey of the Node that gets it"
    route = f"ip route get {show_address(prefix.family, min(prefix.base + 2, last(prefix)))}"
    if backends != {"vxlan"}:
        return f"{route}  # on any other node: whom it sends the traffic to"
    said = network.members[twins[0].name]
    device = f"flannel{'-v6' if prefix.family == 6 else ''}.{(said.data if prefix.family == 4 else said.v6_data).vni or 1}"
    neighbour = f"ip neigh show {show_address(prefix.family, prefix.base)} dev {device}"
    if _direct(facts, network):
        return f"{route}; {neighbour}  # on any other node: dev {device} goes to the VtepMAC in lladdr, else via a public-ip"
    return f"{neighbour}  # on any other node: lladdr is the VtepMAC of the Node that gets it"


def _direct(facts: Facts, network: Network) -> bool:
    """Whether vxlan sends straight to machines on the same link: what is left of the tunnel's entries then means nothing."""
    found = (i.net_conf for i in facts.discovery.installations if i.prefix == network.prefix)
    return any(conf is not None and bool(conf.backend_options.get("directrouting")) for conf in found)


class _Peers:
    """The members of a network with one backend: how many, and when flannel started on those of which that is known."""

    def __init__(self, number: int, started: dict[str, float]) -> None:
        self.number = number
        self.started = started
        self._sorted = sorted(started.values())

    def by(self, at: float, but: Sequence[Node]) -> int:
        """On how many flannel had started by `at`, leaving these Nodes out."""
        own = sum(self.started.get(node.name, at + 1) <= at for node in but)
        return bisect_right(self._sorted, at) - own


@once
def _peers(facts: Facts) -> dict[tuple[str, str], _Peers]:
    """By annotation prefix and backend."""
    members: dict[tuple[str, str], list[str]] = {}
    for network in facts.networks:
        for name, said in network.members.items():
            members.setdefault((network.prefix, said.backend_type), []).append(name)
    return {key: _Peers(len(names), dict(_started(facts, names))) for key, names in members.items()}


def _started(facts: Facts, names: Iterable[str]) -> Iterator[tuple[str, float]]:
    for name in names:
        status = next((item.status for item in facts.flannel_on.get(name, ())), None)
        if status is not None and status.state == "running" and status.started is not None:
            yield name, status.started


def _tally(facts: Facts, peers: _Peers, twins: Sequence[Node]) -> Counter[str]:
    """On how many other members each of these gets the traffic for sure."""
    tally: Counter[str] = Counter()
    first = {node.name: node.created for node in twins if node.created is not None}
    last = {node.name: at for node in twins if (writer := last_writer(node)) is not None and (at := writer.at) is not None}
    alike = len({node.pod_cidrs for node in twins}) == 1  # else the twins are different subnets for flannel, in dual-stack
    if not alike or not len(first) == len(last) == len(twins):
        return tally
    known, early = peers.by(inf, twins), peers.by(max(last.values()) + APART, twins)
    by_name = max(first) if _lists_by_name(facts) else ""
    if by_name:
        tally[by_name] += known - early
    for name, at in first.items():
        if all(at > other + APART for twin, other in last.items() if twin != name):  # announced after all others
            tally[name] += early if name == by_name else peers.by(at - APART, twins)
    return +tally


def _lists_by_name(facts: Facts) -> bool:
    cluster = facts.snapshot.cluster
    return (cluster.major, cluster.minor) >= SORTED_SINCE
