"""flannel announces the address of the wrong interface: one that never leaves the host, or one in a network where its peers do
not look for it. Peers send everything for this node's pods there.

How it is known

In two readings the announced address is on lo (and neither an InternalIP, as on a routed machine, nor asked for), docker0,
cni0 or virbr*, is link-local, or is announced by another node too that may be alive: critical. It lies in a network in which
no peer announces, while the node has another address in the network where they do: a warning. So is it where all members
announce from another network than their InternalIPs' and no option (--iface, --iface-regex, --iface-can-reach, --public-ip)
and no annotation asks for that. That an address differs from the InternalIP is no fault by itself: a second card on purpose,
or NAT, look like that. Whether peers reach another address of the node is not measured here.

How to see it

On the node, `ip -brief address`, beside public-ip of all Nodes.

    flannelscope nodes -o wide
    flannelscope check --ssh --only FLN309

What to do

Choose the interface on purpose: --iface=NAME, --iface-regex with ^ and $, --iface-can-reach=ADDRESS OF A PEER, or the annotation
node-public-ip on this Node (v0.25.3 and later); then start flannel anew on that node.

How to undo it

Take the option or the annotation back and start flannel anew; it announces again what it did before.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.cidr import holds, parse, parse_address, show
from flannelscope.facts import Facts
from flannelscope.here import Here
from flannelscope.kernels import kernel_of
from flannelscope.model import Address, Evidence, Finding, Prefix, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import announced_address, internal_ips, living, restart_flannel
from flannelscope.seen_twice import Complaint, judged_twice, seen_twice
from flannelscope.text import count, fold, natural

_ASKED = ("iface", "iface-regex", "iface-can-reach", "public-ip", "public-ipv6")
_NEVER = ("docker0", "cni0", "cbr0")


@check(
    "FLN309",
    "wrong-interface",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.KERNELS),
    swallows=("FLN203", "FLN204", "FLN404", *REACHABILITY),
)
def wrong_interface(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each member that announces the address of a wrong interface, and one for all where all do."""
    announced = _Announced(facts)
    yield from seen_twice(this, facts, lambda here: _judge(here, announced))
    elsewhere, _ = judged_twice(facts, _elsewhere)
    for network in facts.networks:
        if len(network.members) > 1 and network.members.keys() <= elsewhere.keys():
            yield _all_elsewhere(this, sorted(network.members, key=natural), elsewhere)


class _Announced:
    """Who of those who may live announces which address, by prefix and family: an address of the dead is free to be used."""

    def __init__(self, facts: Facts) -> None:
        self.by: dict[tuple[str, int], dict[str, list[str]]] = {}
        for network in facts.networks:
            for name, said in network.members.items():
                for family, address in ((4, said.public_ip), (6, said.public_ipv6)):
                    if address and living(facts, facts.nodes[name]):
                        self.by.setdefault((network.prefix, family), {}).setdefault(address, []).append(name)

    def beside(self, here: Here, family: int, block: Prefix) -> list[str]:
        """Peers that announce an address inside this block."""
        said = self.by.get((here.network.prefix, family), {})
        inside = (names for address, names in said.items() if (at := parse_address(address)) is not None and holds(block, *at))
        return [name for names in inside for name in names if name != here.node.name]

    def sharers(self, here: Here, family: int, address: str) -> list[str]:
        """Peers that announce the same and have it on an interface too: who has it not was told something wrong (FLN203, 204)."""
        same = self.by.get((here.network.prefix, family), {}).get(address, ())
        return [name for name in same if name != here.node.name and _has(here.facts, name, address)]


def _has(facts: Facts, name: str, address: str) -> bool:
    kernel = kernel_of(facts.snapshot, name)
    held: tuple[Address, ...] = (kernel.facts.get("addresses") or ()) if kernel is not None else ()
    return any(item.address == address for item in held)


def _judge(here: Here, announced: _Announced) -> Iterator[Complaint]:
    for family in here.families:
        address = here.said.public_ip if family == 4 else here.said.public_ipv6
        held = next((a for a in here.addresses if a.address == address), None) if address else None
        if held is None or not _chosen(here, family, held) or not living(here.facts, here.node):
            continue  # on no interface (NAT, or FLN203), announced by somebody else's hand, or by a node that is gone
        if _stays_inside(here, family, held):
            yield _never(here, family, held)
        elif sharers := announced.sharers(here, family, address):
            yield _shared(here, family, held, sharers)
        elif not here.routed(held.device):
            yield from _apart(here, family, held, announced)


def _stays_inside(here: Here, family: int, held: Address) -> bool:
    """Whether no other machine reaches this address.

    A routed machine has the address by which routers know it on lo or a dummy: its InternalIP, or one that somebody asked for.
    """
    if held.device.startswith("virbr") or held.device in _NEVER or held.scope in ("link", "host"):
        return True
    return held.device == "lo" and held.address not in (*here.node.internal_ips, *_asked(here, family))


def _asked(here: Here, family: int) -> tuple[str, ...]:
    said = here.said
    by_annotation = (said.overwrite, said.node_public_ip) if family == 4 else (said.overwrite_v6, said.node_public_ipv6)
    return (*by_annotation, here.flag("public-ip" if family == 4 else "public-ipv6"))


def _elsewhere(here: Here) -> Iterator[Complaint]:
    """Whether nobody asked for the network that this member announces, and its InternalIPs lie in another."""
    if any(name in here.flags for name in _ASKED) or any(here.flag(name) for name in _ASKED) or not here.up:
        return
    address, asked = here.said.public_ip, (here.said.overwrite, here.said.node_public_ip)
    held = next((a for a in here.addresses if a.address == address), None) if address else None
    block = _block(held) if held is not None and address not in asked else None
    inside = (at for text in here.node.internal_ips if (at := parse_address(text)) is not None and at[0] == 4)
    if held is not None and block is not None and not any(holds(block, *at) for at in inside):
        yield Complaint(
            key="elsewhere",
            summary="",
            evidence=(announced_address(here.said, 4), *_flags(here), internal_ips(here.node)),
        )


def _all_elsewhere(this: Check, names: list[str], elsewhere: dict[str, list[Complaint]]) -> Finding:
    return this.finding(
        f"All {len(names)} members announce addresses of another network than their InternalIPs', and no option or annotation "
        "asks for that: packets of pods take the network of the default route.",
        tuple(node_subject(name) for name in names),
        severity=Severity.WARNING,
        evidence=tuple(proof for name in names[:3] for proof in elsewhere[name][0].evidence),
        remedy=Remedy(
            "If that network is meant, say so with --iface; if not, choose the InternalIPs' with --iface-regex or "
            "--iface-can-reach, and start flannel anew, one node first.",
            caution="While some nodes announce one network and some the other, both must be reachable from all.",
        ),
    )


def _chosen(here: Here, family: int, held: Address) -> bool:
    """Whether flannel itself took this address: its device, where it has one, was made with it."""
    link = here.links.get(next((name for of, name in here.tunnels if of == family), ""))
    return link is None or link.vxlan is None or link.vxlan.local in ("", held.address)


def _block(held: Address) -> Prefix | None:
    return parse(f"{held.address}/{held.length}")


def _never(here: Here, family: int, held: Address) -> Complaint:
    return _complaint(
        here,
        family,
        held,
        f"{here.node.name} announces {held.address} of {held.device}, which no other machine reaches: its pods are cut off.",
    )


def _shared(here: Here, family: int, held: Address, sharers: list[str]) -> Complaint:
    return _complaint(
        here,
        family,
        held,
        f"{here.node.name} announces {held.address} of {held.device}, and so {'does' if len(sharers) == 1 else 'do'} "
        f"{fold(sharers)}: peers send to one of them what is for all.",
    )


def _apart(here: Here, family: int, held: Address, announced: _Announced) -> Iterator[Complaint]:
    block = _block(held)
    overwrite = here.said.overwrite if family == 4 else here.said.overwrite_v6
    if block is None or overwrite or announced.beside(here, family, block):
        return
    for other in here.addresses:
        there = _block(other) if other.family == family and other.scope == "global" and other.device != held.device else None
        peers = announced.beside(here, family, there) if there is not None and not _flannels(here, other) else []
        if there is not None and peers:
            yield _complaint(
                here,
                family,
                held,
                f"{here.node.name} announces {held.address} of {held.device}, where no peer announces, and has {other.address} "
                f"on {other.device} in {show(there)}, where {count(len(peers), 'peer')} {'does' if len(peers) == 1 else 'do'}: "
                "its packets and theirs take a network that is not meant for them, if they arrive at all.",
                Severity.WARNING,
            )
            return


def _flannels(here: Here, held: Address) -> bool:
    return held.device in {name for _, name in here.tunnels} or held.device == here.bridge


def _complaint(here: Here, family: int, held: Address, summary: str, severity: Severity | None = None) -> Complaint:
    addresses = ", ".join(
        f"{a.address}/{a.length} on {a.device}" for a in here.addresses if a.family == family and a.scope == "global"
    )
    return Complaint(
        key=f"{family} {held.device} {held.address}",
        summary=summary,
        severity=severity,
        evidence=(
            announced_address(here.said, family),
            here.proof("addresses", addresses, "addresses", "ip -brief address"),
            *_flags(here),
            internal_ips(here.node),
        ),
        remedy=Remedy(
            "Choose flannel's interface on purpose (--iface, --iface-can-reach, or the annotation node-public-ip since v0.25.3), "
            f"then start flannel anew on {here.node.name}.",
            restart_flannel((here.runs,) if here.runs else ()),
        ),
    )


def _flags(here: Here) -> Iterator[Evidence]:
    asked = [f"--{name}={value}" for name, value in here.flags.items() if name in _ASKED]
    yield here.proof(
        "flannel's options for its interface", " ".join(asked) or "none", "flannel_process", "ps -C flanneld -o args"
    )
