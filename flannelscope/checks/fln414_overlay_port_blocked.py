"""A node's firewall drops the packets in which flannel carries those of pods (for vxlan UDP 8472): pings between the machines
work, and no pod reaches another node.

How it is known

In two readings a packet to the overlay's port from a peer's announced address, or from this node to a peer, surely meets a DROP
or REJECT in the node's own rules (all of iptables-nft, iptables-legacy and nftables, on their way in or out). What blocks the
port between the nodes (a security group, a router) stands in no kernel: only overlay packets that are sent and do not arrive
show it, and those are not sent here. A port that is idle is not blocked.

How to see it

On the node, the rules of INPUT and OUTPUT with their counters.

    flannelscope check --ssh --only FLN414

What to do

Let the program that made the rule (firewalld, ufw, a hardening script) accept the port from all nodes: UDP 8472 for vxlan, 4789
or Backend.Port where set so, 51820 and 51821 for wireguard.

How to undo it

Load the former rules again in the program that made them.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.cidr import parse
from flannelscope.facts import Facts
from flannelscope.filters import follow, proofs
from flannelscope.firewall import Drop, Packet
from flannelscope.here import CARD_UNKNOWN, DEFAULT_PORT, Here, NotRead
from flannelscope.model import Finding, Prefix, Remedy, Severity, Topic, Unknown
from flannelscope.seen_twice import Complaint, on_node, seen_twice

PER_SUBNET = {4: 24, 6: 64}  # one peer of each such block stands for all in it: rules are seldom narrower


@check(
    "FLN414",
    "overlay-port-blocked",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.KERNELS),
    swallows=REACHABILITY,
)
def overlay_port_blocked(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each node whose own rules drop the overlay's packets."""
    peers = _Peers(facts)
    yield from seen_twice(this, facts, lambda here: _judge(here, peers))
    if facts.networks:
        yield this.unknown(
            "whether overlay packets that are sent arrive was not measured: what blocks them between the nodes is not seen"
        )


def _judge(here: Here, peers: _Peers) -> Iterator[Complaint]:
    doubts: dict[str, None] = {}
    for hook, verb in (("input", "arrive"), ("output", "leave")):
        packets = list(_packets(here, peers, hook))
        others = {packet: tuple(_from_inside(here, peers, packet)) for packet in packets if hook == "input"}
        hooks = ("prerouting", "input") if hook == "input" else ("output", "postrouting")
        for packet, outcome in follow(here, packets, *hooks):
            doubts.update(dict.fromkeys(outcome.doubts))
            if outcome.drop is not None:
                if any(other.drop is None for _, other in follow(here, others.get(packet, ()), *hooks)):
                    doubts[f"{outcome.drop.words}, by which of its addresses a peer behind NAT sends"] = None
                    continue
                port = packet.destination_port
                yield Complaint(
                    key=f"{hook} {packet.family} {outcome.drop.words}",
                    summary=f"{here.node.name}'s firewall drops UDP {port}, in which flannel carries packets of pods, where they "
                    f"{verb}: {outcome.drop.words}.",
                    evidence=proofs(here, outcome),
                    remedy=_remedy(here, outcome.drop, port),
                )
    if doubts:
        raise NotRead(f"rules of which it is not known what they match may drop overlay packets: {'; '.join(doubts)}"[:400])


class _Peers:
    """Addresses that members announce: of each block two of them, so that one is always a peer's."""

    def __init__(self, facts: Facts) -> None:
        self.of: dict[tuple[str, int], dict[Prefix | None, list[tuple[str, Prefix]]]] = {}
        self.inside: dict[Prefix, list[Prefix]] = {}  # InternalIPs of those behind NAT, by what they announce
        for network in facts.networks:
            for name, said in network.members.items():
                for family, address in ((4, said.public_ip), (6, said.public_ipv6)):
                    prefix = parse(f"{address}/{32 if family == 4 else 128}") if address else None
                    if prefix is not None:
                        blocks = self.of.setdefault((network.prefix, family), {})
                        some = blocks.setdefault(parse(f"{address}/{PER_SUBNET[family]}"), [])
                        some.extend([(name, prefix)] if len(some) < 2 else ())
                        if address not in (own := facts.nodes[name].internal_ips):
                            inner = (parse(f"{text}/{32 if family == 4 else 128}") for text in own)
                            self.inside.setdefault(prefix, []).extend(p for p in inner if p and p.family == family)

    def beside(self, here: Here, family: int) -> list[Prefix]:
        """One peer's of each block."""
        blocks = self.of.get((here.network.prefix, family), {}).values()
        own = here.node.name
        return [prefix for some in blocks if (prefix := next((at for name, at in some if name != own), None)) is not None]


def _from_inside(here: Here, peers: _Peers, packet: Packet) -> Iterator[Packet]:
    """The same packet as it comes from a peer behind NAT that need not pass it on its way here."""
    for source in peers.inside.get(packet.source, ()):
        yield replace(packet, source=source)


def _packets(here: Here, peers: _Peers, hook: str) -> Iterator[Packet]:
    """One packet from, or to, a peer of each block. Raises NotRead where it is not known by which card they come."""
    for family, port in _ports(here):
        card, address = here.outside(family)
        own = parse(f"{address}/{32 if family == 4 else 128}") if address else None
        if own is None or not card:
            raise NotRead(CARD_UNKNOWN)
        for peer in peers.beside(here, family):
            packet = Packet(family=family, source=own, destination=peer, outgoing=card, protocol="udp", destination_port=port)
            if hook == "input":
                packet = replace(packet, source=peer, destination=own, incoming=card, outgoing="", ends_here=True)
            yield packet


def _ports(here: Here) -> Iterator[tuple[int, int]]:
    """(family, port) of what carries the overlay; nothing for backends without a port."""
    for family, name in here.tunnels:
        data = here.said.data if family == 4 else here.said.v6_data
        link = here.links.get(name)
        if here.said.backend_type == "vxlan":
            yield family, link.vxlan.port if link is not None and link.vxlan is not None else data.port or DEFAULT_PORT
        elif here.said.backend_type == "wireguard" and data.port:
            yield family, data.port


def _remedy(here: Here, drop: Drop, port: int) -> Remedy:
    return on_node(
        here.node.name,
        f"On {here.node.name}, look at the rule and its counter, and let the program that made it accept UDP {port} from "
        "all nodes.",
        [drop.base.show.replace(" -S ", " -v -n -L ") if " -S " in drop.base.show else drop.base.show],
    )
