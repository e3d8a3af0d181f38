"""Addresses of machines lie inside the range of the pods. A node that has a route to that podCIDR sends what is meant for
the machine into the tunnel: the machine, or a whole network behind it, becomes unreachable from there.

How it is known

Every address of every Node (internal and external) is looked up in the podCIDRs, then in the cluster CIDR and in flannel's
Network. podCIDRs inside each other are one finding, by the outermost. It is critical where a podCIDR contains an address, or
where the backend routes all of Network into its tunnel (wireguard, udp); a warning where only the cluster CIDR or Network
does, because no Node was given that block yet. With --ssh, networks that a node is connected to (docker0, virbr0, another card,
a VPN's device) and that overlap with a podCIDR are found too, seen in two readings; without, no kernel was read and that is said.

How to see it

The addresses of the machines beside the podCIDRs; on a node, `ip route get ADDRESS` leaves by the tunnel.

    kubectl get nodes -o wide
    kubectl get nodes -o custom-columns=NAME:.metadata.name,PODCIDRS:.spec.podCIDRs

What to do

Give the Node that holds such a podCIDR another one. Before the range is handed out, move the cluster CIDR, or occupy the
block: the controller manager leaves out what --service-cluster-ip-range names.

How to undo it

The same commands once more, with the former podCIDR in the saved manifest: the Node is deleted and created again, its flannel
started anew, and pods that got an address meanwhile are deleted. `kubectl create` takes no manifest with a resourceVersion and
no name that exists. What was wrong before is then wrong again.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence

from flannelscope.address_proofs import held_by, settings
from flannelscope.addresses import PodCidr
from flannelscope.checks import Check, check
from flannelscope.cidr import RangeSet, contains, last, overlaps, parse, parse_address, show, show_address
from flannelscope.exchange import exchange_remedy
from flannelscope.facts import Facts
from flannelscope.here import Here
from flannelscope.model import CLUSTER, Evidence, Finding, Node, Prefix, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import SHOWN, show_config_map
from flannelscope.seen_twice import Complaint, judged_twice
from flannelscope.text import count, fold

_PODS = ("flannel", "cali", "veth", "kube-ipvs", "lxc", "nodelocaldns")
_BRIDGES = ("docker", "virbr", "br-")
WHOLE_NETWORK = ("wireguard", "udp")  # backends with one route for all of Network
Address = tuple[int, int, Node]
Addresses = dict[int, dict[int, list[Node]]]  # by family and value: the Nodes that have it


@check("FLN109", "podcidr-overlaps-hosts", Severity.CRITICAL, needs=(Topic.NODES,), swallows=("FLN402",))
def podcidr_overlaps_hosts(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each outermost podCIDR with Node addresses in it; else one for the range of the cluster or of flannel."""
    if not facts.pod_cidrs:
        return
    if facts.snapshot.has(Topic.KERNELS):
        yield from _by_kernels(this, facts)
    else:
        yield this.unknown(
            "networks and routes of the machines were not compared: only their kernels know them, and none was read"
        )
    addresses = _addresses(facts)
    inside = list(_in_pod_cidrs(facts, addresses))
    for holding, found in inside:
        yield _in_pod_cidr(this, facts, holding, found)
    if not inside:
        yield from _in_ranges(this, facts, addresses)


def _by_kernels(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each network, on whatever nodes it is connected, that overlaps with a range for pods."""
    taken = {family: RangeSet((i.prefix for i in facts.pod_cidrs if i.prefix is not None), family) for family in facts.families}
    ranges = [prefix for prefix, _, _, _ in _ranges(facts)]
    found, doubts = judged_twice(facts, lambda here: _connected(here, taken, ranges))
    yield from doubts.told(this)
    nodes: dict[str, list[tuple[str, Complaint]]] = {}
    for name, complaints in found.items():
        for complaint in complaints:
            nodes.setdefault(complaint.key, []).append((name, complaint))
    for key, seen in nodes.items():
        yield _connected_finding(this, facts, key, seen)


def _connected(here: Here, taken: Mapping[int, RangeSet], ranges: Sequence[Prefix]) -> Iterator[Complaint]:
    """Networks of devices that are not flannel's, the CNI's or kube-proxy's. Wider ones than all podCIDRs lose against them."""
    own = {name for _, name in here.tunnels} | {here.bridge, "lo", "cni0", "cbr0"}
    for route in here.routes:
        if route.protocol != "kernel" or route.gateway or route.table != "main" or route.kind != "unicast":
            continue
        prefix = parse(route.destination)
        if prefix is None or prefix.family not in taken or route.device in own or route.device.startswith(_PODS):
            continue
        inside = any(contains(range_, prefix) for range_ in ranges) or route.device.startswith(_BRIDGES)
        if inside and (_meets(taken[prefix.family], prefix) or any(overlaps(range_, prefix) for range_ in ranges)):
            command = f"ip route show dev {route.device}"
            yield Complaint(
                key=f"{route.device} {route.destination}",
                summary="",
                evidence=(here.proof(f"network of {route.device}", route.destination, "routes", command),),
            )


def _meets(taken: RangeSet, prefix: Prefix) -> bool:
    place = bisect_right(taken.starts, last(prefix)) - 1
    return place >= 0 and taken.ends[place] >= prefix.base


def _connected_finding(this: Check, facts: Facts, key: str, seen: Sequence[tuple[str, Complaint]]) -> Finding:
    device, _, network = key.partition(" ")
    prefix, names = parse(network), [name for name, _ in seen]
    touched = [i for i in facts.pod_cidrs if i.prefix is not None and prefix is not None and overlaps(i.prefix, prefix)]
    holders = list(dict.fromkeys(item.node for item in touched))
    if touched:
        what = f"the podCIDR {touched[0].text} of {holders[0]}" + (f" and {len(holders) - 1} more" if len(holders) > 1 else "")
        effect = "packets for pods there leave by that device, and what is meant for that network goes to pods"
    else:
        what, effect = "the range for pods", "a Node that is given such a block is cut off from there"
    return this.finding(
        f"{fold(names)} {'is' if len(names) == 1 else 'are'} connected to {network} by {device}, which overlaps with {what}: "
        f"{effect}.",
        tuple(node_subject(name) for name in names),
        severity=Severity.CRITICAL if touched else Severity.WARNING,
        evidence=(*(proof for _, said in seen[:SHOWN] for proof in said.evidence), *held_by(facts, touched)),
        remedy=Remedy(
            f"Give {device} another network (docker0: `bip` in daemon.json; virbr0: the libvirt network), or the Nodes other "
            "podCIDRs."
        ),
    )


def _addresses(facts: Facts) -> Addresses:
    found: Addresses = {4: {}, 6: {}}
    for node in facts.snapshot.nodes:
        for text in dict.fromkeys(node.internal_ips + node.external_ips) if node.external_ips else node.internal_ips:
            parsed = parse_address(text)
            if parsed is not None:
                found[parsed[0]].setdefault(parsed[1], []).append(node)
    return found


def _in_pod_cidrs(facts: Facts, addresses: Addresses) -> Iterator[tuple[list[PodCidr], list[Address]]]:
    """By outermost podCIDR: those in it that contain addresses (itself first), and these addresses; nothing is told twice."""
    for family in [family for family in facts.families if addresses[family]]:
        values = sorted(addresses[family])
        taken = RangeSet((i.prefix for i in facts.pod_cidrs if i.prefix is not None), family)
        # Few ranges remain when neighbouring podCIDRs are merged: only where one holds an address is each podCIDR asked.
        if not any(bisect_left(values, a) < bisect_right(values, b) for a, b in zip(taken.starts, taken.ends, strict=True)):
            continue
        for outermost, holding in _nested(_holding(facts, family, values)):
            low, high = bisect_left(values, outermost.base), bisect_right(values, last(outermost))
            yield holding, _named(addresses, family, values[low:high])


def _holding(facts: Facts, family: int, values: list[int]) -> list[tuple[Prefix, PodCidr]]:
    """The podCIDRs of settled Nodes that contain an address, each behind those that contain it."""
    found = [
        (item.prefix, item)
        for item in facts.pod_cidrs
        if item.prefix is not None
        and item.prefix.family == family
        and bisect_left(values, item.prefix.base) < bisect_right(values, last(item.prefix))
        and facts.settled(facts.nodes[item.node])
    ]
    return sorted(found, key=lambda pair: (pair[0].base, pair[0].length))


def _nested(holding: list[tuple[Prefix, PodCidr]]) -> Iterator[tuple[Prefix, list[PodCidr]]]:
    """In groups, each of an outermost podCIDR and all inside it: prefixes contain each other or are apart."""
    outermost: Prefix | None = None
    group: list[PodCidr] = []
    for prefix, item in holding:
        if outermost is None or prefix.base > last(outermost):
            if outermost is not None:
                yield outermost, group
            outermost, group = prefix, []
        group.append(item)
    if outermost is not None:
        yield outermost, group


def _named(addresses: Addresses, family: int, values: list[int]) -> list[Address]:
    return [(family, value, node) for value in values for node in addresses[family][value]]


def _in_pod_cidr(this: Check, facts: Facts, holding: list[PodCidr], found: list[Address]) -> Finding:
    machines = [node.name for _, _, node in found]
    holders = list(dict.fromkeys(item.node for item in holding))
    one = len(holders) == 1
    wanted = "a podCIDR that contains" if one else "podCIDRs that contain"
    others = f" ({fold(holders[1:])})" if len(holders) <= SHOWN else ""
    more = "" if one else f" and {count(len(holders) - 1, 'other')} in it{others}"
    return this.finding(
        f"The podCIDR {holding[0].text} of {holders[0]}{more} {'contains' if one else 'contain'} the "
        f"{'address' if len(found) == 1 else 'addresses'} of {fold(machines)}: other nodes send what is meant for the machine to "
        f"{holders[0] if one else 'the Node that holds the smallest of them'}.",
        tuple(node_subject(name) for name in dict.fromkeys((*holders, *machines))),
        evidence=(*held_by(facts, holding), *map(_proof, found[:SHOWN])),
        remedy=exchange_remedy(facts, f"Give {fold(holders)} {wanted} no machine's address.", *holders),
    )


def _proof(address: Address) -> Evidence:
    family, value, node = address
    return Evidence(
        f"address of {node.name}", show_address(family, value), f"Node {node.name}, status.addresses", "kubectl get nodes -o wide"
    )


def _in_ranges(this: Check, facts: Facts, addresses: Addresses) -> Iterator[Finding]:
    for prefix, name, evidence, whole in _ranges(facts):
        values = sorted(value for value in addresses[prefix.family] if prefix.base <= value <= last(prefix))
        found = _named(addresses, prefix.family, values)
        if not found:
            continue
        effect = "a Node that is given that block makes them unreachable"
        if whole:
            effect = "flannel's backend routes all of it into its tunnel"
        yield this.finding(
            f"{name} {show(prefix)} contains addresses of {fold([a[2].name for a in found])}: {effect}.",
            (CLUSTER,),
            severity=Severity.CRITICAL if whole else Severity.WARNING,
            evidence=(*evidence, *map(_proof, found[:SHOWN])),
            remedy=Remedy("Choose a range for pods in which no machine lives, before more Nodes are given podCIDRs from it."),
        )
        return


def _ranges(facts: Facts) -> Iterator[tuple[Prefix, str, tuple[Evidence, ...], bool]]:
    """The ranges for pods, those that are wholly routed first."""
    found: list[tuple[Prefix, str, tuple[Evidence, ...], bool]] = []
    for installation in facts.discovery.installations:
        conf, held = installation.net_conf, installation.config_map
        if conf is None or held is None:
            continue
        origin = f"ConfigMap {held.namespace}/{held.name} net-conf.json"
        for prefix in (conf.network if conf.enable_ipv4 else None, conf.ipv6_network if conf.enable_ipv6 else None):
            if prefix is not None:
                proof = Evidence("flannel's Network", show(prefix), origin, show_config_map(held))
                found.append((prefix, "flannel's Network", (proof,), conf.backend in WHOLE_NETWORK))
    if facts.configuration.known:
        proofs = settings(facts, "cluster-cidr")
        found += [(prefix, "The cluster CIDR", proofs, False) for prefix in facts.configuration.cluster_cidrs]
    yield from sorted(found, key=lambda f: not f[3])
