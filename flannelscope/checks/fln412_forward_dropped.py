"""A firewall on a node drops what is forwarded between pods. Each node has up to three rule sets side by side (iptables-nft,
iptables-legacy, nftables of its own), and a packet has to pass them all: an ACCEPT in one does not save it from a DROP in
another.

How it is known

In two readings the first packet of a new connection between a pod of this node and one of another, on the devices that such
packets take, surely meets a DROP, a REJECT or a policy DROP on its way through all rule sets. Policy DROP behind flannel's own
ACCEPT in the same chain is healthy, and what an engine for NetworkPolicies drops is policy. Rules that drop some packets only (a
port, one address, a rate) are not looked for. Rules whose matches cannot be told from here (an ipset) are named as unknown. It
is a warning because rules were read and no packet was sent.

How to see it

On the node, the rules of each set, with their counters.

    flannelscope check --ssh --only FLN412

What to do

Take the rule away in the program that made it (firewalld, ufw, a hardening script), or let it accept Network before. A rule
that is only deleted with iptables comes back at that program's next start.

How to undo it

Load the former rules again in the program that made them.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.cidr import show
from flannelscope.facts import Facts
from flannelscope.filters import FORWARDING, follow, proofs
from flannelscope.firewall import Drop, Packet
from flannelscope.here import Here, NotRead
from flannelscope.model import Finding, Prefix, Remedy, Severity, Topic, Unknown
from flannelscope.seen_twice import Complaint, on_node, seen_twice


@check(
    "FLN412",
    "forward-dropped",
    Severity.WARNING,
    needs=(Topic.NODES, Topic.KERNELS),
    swallows=REACHABILITY,
)
def forward_dropped(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each node whose firewall drops packets between its pods and others."""
    yield from seen_twice(this, facts, _judge)


def _judge(here: Here) -> Iterator[Complaint]:
    doubts: dict[str, None] = {}
    for packet, outcome in follow(here, list(_packets(here)), *FORWARDING):
        doubts.update(dict.fromkeys(outcome.doubts))
        if outcome.drop is not None:
            yield Complaint(
                key=f"{packet.family} {outcome.drop.words}",
                summary=f"{here.node.name}'s firewall drops packets {_way(packet)}: {outcome.drop.words}.",
                evidence=proofs(here, outcome),
                remedy=_remedy(here, outcome.drop),
            )
    if doubts:
        raise NotRead(f"rules of which it is not known what they match may drop packets of pods: {'; '.join(doubts)}"[:400])


def _packets(here: Here) -> Iterator[Packet]:
    """One packet from a peer's pods and one to them, for each family and each device that such packets take."""
    for family in here.families:
        own, peer = here.own(family), _peer(here, family)
        pods = here.bridge or next((name for name in sorted(here.links) if name.startswith("cali")), "")
        if own is None or peer is None or not pods:
            continue
        for outside in here.ways(family):
            yield Packet(family=family, source=peer, destination=own, incoming=outside, outgoing=pods)
            yield Packet(family=family, source=own, destination=peer, incoming=pods, outgoing=outside)


def _peer(here: Here, family: int) -> Prefix | None:
    """Some other member's podCIDR."""
    for name in here.network.members:
        if name != here.node.name:
            held = next((i.prefix for i in here.facts.pod_cidrs_of.get(name, ()) if i.prefix and i.prefix.family == family), None)
            if held is not None and held != here.own(family):
                return held
    return None


def _way(packet: Packet) -> str:
    return f"from pods in {show(packet.source)} to pods in {show(packet.destination)} ({packet.incoming} to {packet.outgoing})"


def _remedy(here: Here, drop: Drop) -> Remedy:
    return on_node(
        here.node.name,
        f"On {here.node.name}, look at the rule and at its counter, and take it away in the program that made it.",
        [drop.base.show.replace(" -S ", " -v -n -L ") if " -S " in drop.base.show else drop.base.show],
    )
