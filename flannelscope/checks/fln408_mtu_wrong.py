"""A tunnel claims to carry larger packets than the card below it can take: small packets pass, connections open, and every
large answer is lost. It looks like a slow or hanging application.

How it is known

In two readings the tunnel's MTU is above that of its card less what the backend adds (vxlan 50, over IPv6 70; ipip 20;
wireguard 80), or pods' interfaces are above the node's own tunnel, or a node's tunnel has another MTU than those of nearly
all its peers, although no card below explains it away under one configured MTU. A smaller MTU by net-conf.json is fine, and
so is the bridge's own value. That flannel-v6 is 20 smaller than what flannel tells the pods is worth knowing, no more; so
are pods that are older than a change of MTU.

How to see it

On the node, `ip link`: the MTU of flannel.1 beside that of the card, and of the veths in the bridge.

    flannelscope check --ssh --only FLN408

What to do

Give all cards of this network one MTU, or write the smallest one into net-conf.json (Backend.MTU, v0.21.3 and later). Then
start flannel anew and delete the pods that have the former MTU: an interface keeps what it was made with.

How to undo it

The former MTU, set with the same commands; flannel and the pods have to be started anew once more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.here import CARD_UNKNOWN, Here, NotRead
from flannelscope.model import CLUSTER, Evidence, Finding, Link, Remedy, Severity, Topic, Unknown
from flannelscope.proofs import restart_flannel
from flannelscope.seen_twice import Complaint, first_kernel, seen_twice
from flannelscope.text import count, fold

OVERHEAD = {"vxlan": {4: 50, 6: 70}, "ipip": {4: 20}, "wireguard": {4: 80, 6: 80}}
LARGER = 20  # bytes by which IPv6's header exceeds IPv4's
MOST = 0.5  # of the tunnels have the MTU that the others are compared with: more than half


@check("FLN408", "mtu-wrong", Severity.WARNING, needs=(Topic.NODES, Topic.KERNELS), swallows=("FLN508",))
def mtu_wrong(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each node whose tunnel or pods have an MTU that loses large packets."""
    usual = _Usual(facts)
    yield from seen_twice(this, facts, lambda here: _judge(here, usual))
    if found := list(_told_more(facts)):
        yield _below_told(this, found)


class _Usual:
    """The MTU that most tunnels of a network have, by prefix and family, and who has it."""

    def __init__(self, facts: Facts) -> None:
        self.of: dict[tuple[str, int], Counter[int]] = {}
        for network in facts.networks:
            for name in network.members:
                kernel, node = first_kernel(facts, name), facts.nodes[name]
                if kernel is not None and kernel.facts.get("links") is not None and facts.settled(node):
                    self._count(Here(facts, node, network, kernel))

    def _count(self, here: Here) -> None:
        for family, name in here.tunnels:
            if name in here.links:
                self.of.setdefault((here.network.prefix, family), Counter())[here.links[name].mtu] += 1

    def mtu(self, here: Here, family: int) -> int | None:
        """The usual one, None where no value is more than half of all."""
        seen = self.of.get((here.network.prefix, family), Counter())
        value, number = seen.most_common(1)[0] if seen else (0, 0)
        return value if number > MOST * seen.total() else None


def _judge(here: Here, usual: _Usual) -> Iterator[Complaint]:
    tunnels = [(family, here.links[name]) for family, name in here.tunnels if name in here.links]
    for family, tunnel in tunnels:
        yield from _over_parent(here, family, tunnel)
        yield from _beside_peers(here, family, tunnel, usual)
    if here.said.backend_type == "host-gw":
        yield from _told_over_parent(here)
    if tunnels:
        yield from _pods(here, *tunnels[0])
    larger = OVERHEAD.get(here.said.backend_type, {})
    if any(family in larger and _carrier(here, family, link) is None for family, link in tunnels):
        raise NotRead(CARD_UNKNOWN)


def _over_parent(here: Here, family: int, tunnel: Link) -> Iterator[Complaint]:
    overhead = OVERHEAD.get(here.said.backend_type, {}).get(family)
    parent = _carrier(here, family, tunnel)
    if overhead is None or parent is None or tunnel.mtu <= parent.mtu - overhead:
        return
    yield Complaint(
        key=f"{tunnel.name} over parent",
        summary=f"{here.node.name}'s {tunnel.name} has MTU {tunnel.mtu} on {parent.name} with {parent.mtu}, where "
        f"{parent.mtu - overhead} fits: its large packets are lost.",
        evidence=(_mtu(here, tunnel), _mtu(here, parent)),
        remedy=_remedy(
            here, f"Give {parent.name} on {here.node.name} the MTU {tunnel.mtu + overhead} if its network carries it; "
        ),
    )


def _carrier(here: Here, family: int, tunnel: Link) -> Link | None:
    """The card below a tunnel."""
    return here.links.get(tunnel.parent or (tunnel.vxlan.parent if tunnel.vxlan else "") or here.parent(family))


def _beside_peers(here: Here, family: int, tunnel: Link, usual: _Usual) -> Iterator[Complaint]:
    most = usual.mtu(here, family)
    if most is None or tunnel.mtu == most:
        return
    smaller = tunnel.mtu < most
    lost = "what peers send to its pods in larger packets" if smaller else "what its pods send to peers in larger packets"
    yield Complaint(
        key=f"{tunnel.name} beside peers",
        summary=f"{here.node.name}'s {tunnel.name} has MTU {tunnel.mtu} where most have {most}: {lost} is lost.",
        evidence=(
            _mtu(here, tunnel),
            Evidence(
                f"MTU of most tunnels {tunnel.name}", str(most), "the kernels of the other nodes", f"ip link show {tunnel.name}"
            ),
        ),
        remedy=_remedy(here, "Give all cards of this network one MTU; "),
    )


def _told_over_parent(here: Here) -> Iterator[Complaint]:
    """host-gw has no tunnel: what it tells the pods must fit the card."""
    parent, told = here.links.get(here.parent(4) or here.parent(6)), _subnet_env_mtu(here)
    if parent is not None and told is not None and told > parent.mtu:
        yield Complaint(
            key="told over parent",
            summary=f"{here.node.name}'s flannel tells its pods MTU {told}, and {parent.name} has {parent.mtu}: their large "
            "packets are lost.",
            evidence=(_mtu(here, parent), _told_mtu(here, told)),
            remedy=_remedy(here, f"Give {parent.name} the MTU {told} if its network carries it; "),
        )


def _pods(here: Here, family: int, tunnel: Link) -> Iterator[Complaint]:
    """Interfaces of pods above the tunnel: they are older than it where flannel now tells pods what fits.

    Over IPv6 alone flannel tells pods a little more than its tunnel carries, which is said once for all nodes.
    """
    bridge, told = here.bridge, _subnet_env_mtu(here)
    usual = LARGER if family == 6 and here.said.backend_type == "vxlan" and (told is None or told > tunnel.mtu) else 0
    above = [link for link in here.links.values() if bridge and link.master == bridge and link.mtu > tunnel.mtu + usual]
    if not above:
        return
    older = told is not None and told <= tunnel.mtu
    yield Complaint(
        key=f"pods over {tunnel.name}",
        summary=f"{count(len(above), 'interface')} of pods on {here.node.name} {'has' if len(above) == 1 else 'have'} MTU "
        f"{max(link.mtu for link in above)}, above the {tunnel.mtu} of {tunnel.name}"
        + (
            ": they are older than a change of the MTU." if older else ": their large packets are lost on the way to other nodes."
        ),
        severity=Severity.INFO if older else None,
        evidence=(
            here.proof(f"interfaces in {bridge}", fold(link.name for link in above), "links", f"ip link show master {bridge}"),
            _mtu(here, tunnel),
        ),
        remedy=_remedy(here, "Delete these pods once flannel tells new ones what fits; "),
    )


def _told_more(facts: Facts) -> Iterator[tuple[Here, Link, int]]:
    """Nodes whose flannel tells pods up to 20 more than its IPv6 tunnel carries, as by default: IPv6 adds a larger header.

    Nothing about it changes by itself, so that one reading is enough.
    """
    for network in facts.networks:
        for name in network.members:
            kernel = first_kernel(facts, name)
            here = None if kernel is None else Here(facts, facts.nodes[name], network, kernel)
            if here is None or not here.known("links") or here.said.backend_type != "vxlan":
                continue
            tunnel = here.links.get(next((device for family, device in here.tunnels if family == 6), ""))
            told = _subnet_env_mtu(here)
            if tunnel is not None and told is not None and 0 < told - tunnel.mtu <= LARGER:
                yield here, tunnel, told


def _below_told(this: Check, found: Sequence[tuple[Here, Link, int]]) -> Finding:
    here, tunnel, told = found[0]
    return this.finding(
        f"{tunnel.name} has MTU {tunnel.mtu} on {fold(here.node.name for here, _, _ in found)}, and pods are told {told}: large "
        "IPv6 packets between nodes are sent again smaller, where path MTU discovery works.",
        (CLUSTER,),
        severity=Severity.INFO,
        evidence=(_mtu(here, tunnel), _told_mtu(here, told)),
        remedy=Remedy("Set Backend.MTU in net-conf.json 20 smaller (v0.21.3 and later), and start flannel anew, one node first."),
    )


def _subnet_env_mtu(here: Here) -> int | None:
    env = here.kernel.facts.get("subnet_env")
    told = env.values.get("FLANNEL_MTU", "") if env is not None else ""
    return int(told) if told.isdigit() else None


def _mtu(here: Here, link: Link) -> Evidence:
    return here.proof(f"MTU of {link.name}", str(link.mtu), "links", f"ip link show {link.name}")


def _told_mtu(here: Here, told: int) -> Evidence:
    path = here.kernel.facts["subnet_env"].path
    return here.proof("FLANNEL_MTU", str(told), "subnet_env", f"cat {path}")


def _remedy(here: Here, first: str) -> Remedy:
    return Remedy(
        f"{first}otherwise set Backend.MTU in net-conf.json for all, start flannel anew on {here.node.name}, and delete its pods "
        "that keep the former MTU.",
        restart_flannel((here.runs,) if here.runs else ()),
    )
