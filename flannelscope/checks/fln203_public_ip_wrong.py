"""Peers send everything for a node's pods to the address it announces. If that address is another machine's, or one that
never leaves a host, the node's pods cannot be reached from anywhere.

How it is known

From the API alone: the announced address of an enabled family is the InternalIP of another living Node, loopback, link-local,
or lies inside a podCIDR or a service range. With --ssh: it is on no interface of the node, in two readings, and neither
public-ip-overwrite nor --public-ip or node-public-ip asked for it. That an announced address is absent from the Node's
addresses is no fault: a second card and a NAT look like that. Where nearly all members announce an InternalIP and one does not
(or the other way round), that is worth knowing; whether it is wrong, only the node's interfaces could tell. Whether peers
would reach another of its addresses is not measured here.

How to see it

public-ip of the Node beside its addresses; on the node, `ip -brief address`.

    kubectl get node NODE -o yaml

What to do

Choose the interface on purpose: --iface, --iface-can-reach or the annotation node-public-ip (v0.25.3 and later), then start
flannel anew on that node. For a node behind NAT use public-ip-overwrite.

How to undo it

Take the option or the annotation back and start flannel anew; it announces again the address of the default route.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.cidr import Lookup, parse, parse_address, show
from flannelscope.effective import Sureness
from flannelscope.facts import Facts, Network
from flannelscope.flannel.annotations import Announcement
from flannelscope.here import Here
from flannelscope.model import Evidence, Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import announced_address, doubtful, internal_ips, living, members, restart_flannel, why_doubtful, written
from flannelscope.seen_twice import Complaint, judged_twice
from flannelscope.text import count

Member = tuple[Node, Announcement]
HABIT = 0.9  # a habit is what nine of ten members do
FEWEST = 3
_NEVER_LEAVES = {"127.0.0.0/8": "loopback", "169.254.0.0/16": "link-local", "::1/128": "loopback", "fe80::/10": "link-local"}


class _Ranges:
    """What an announced address must not be, made once for all members."""

    def __init__(self, facts: Facts) -> None:
        self.never = {prefix: word for text, word in _NEVER_LEAVES.items() if (prefix := parse(text)) is not None}
        self.local = Lookup(self.never)
        self.pod_cidrs = Lookup(item.prefix for item in facts.pod_cidrs if item.prefix is not None)
        self.services = Lookup(facts.configuration.service_cidrs)
        self.services_sure = facts.configuration.service_sure is Sureness.SURE
        self.owners: dict[str, str] = {}
        for node in sorted(facts.snapshot.nodes, key=lambda n: facts.alive(n) is not True):  # who surely lives comes first
            if living(facts, node):
                for address in node.internal_ips:
                    self.owners.setdefault(address, node.name)

    def owner(self, node: Node, address: str) -> str:
        """The other Node whose InternalIP this is, "" when there is none."""
        return "" if address in node.internal_ips else self.owners.get(address, "")

    def objection(self, node: Node, address: str) -> str:
        """Why this node cannot rightly announce this address, "" when nothing speaks against it."""
        parsed = parse_address(address)
        if parsed is None:
            return ""
        own = address in node.internal_ips
        if (local := self.local.find(*parsed)) is not None:
            return f"a {self.never[local]} address"
        if owner := self.owner(node, address):
            return f"the InternalIP of {owner}"
        if not own and (held := self.pod_cidrs.find(*parsed)) is not None:  # its own InternalIP in a podCIDR is FLN109
            return f"inside the podCIDR {show(held)}"
        if (not own or self.services_sure) and (range_ := self.services.find(*parsed)) is not None:
            return f"inside the service range {show(range_)}"
        return ""


@check(
    "FLN203",
    "public-ip-wrong",
    Severity.CRITICAL,
    needs=(Topic.NODES,),
    swallows=("FLN404", "FLN407", *REACHABILITY),
)
def public_ip_wrong(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Announced addresses that cannot be right, and those that stand alone."""
    ranges, elsewhere = _Ranges(facts), 0
    nowhere, held = yield from _by_interfaces(self, facts)
    unsure: dict[str, None] = {}
    for network in facts.networks:
        for family in sorted(facts.families):
            said = [member for member in members(facts, network) if _address(member[1], family)]
            wrong = {node.name: why for node, item in said if (why := ranges.objection(node, _address(item, family)))}
            for node, item in said:
                if node.name in wrong:
                    yield _wrong(self, facts, node, item, family, wrong[node.name])
                    owner = facts.nodes.get(ranges.owner(node, _address(item, family)))
                    unsure.update(dict.fromkeys(doubtful(facts, (owner,) if owner else ())))
            for node, item in said:
                if node.name not in wrong and (node.name, family) in nowhere:
                    yield _on_no_interface(self, facts, node, item, family, nowhere[node.name, family])
            rest = [m for m in said if m[0].name not in wrong and not {(m[0].name, family)} & (nowhere.keys() | held)]
            odd = _odd(rest, family)
            for node, item in odd:
                yield _stands_alone(self, facts, network, node, item, family)
            elsewhere += sum(not _accounted_for(node, item, family) for node, item in rest) if not odd else 0
    if unsure:
        yield self.unknown(why_doubtful(facts), tuple(unsure))
    if elsewhere:
        yield self.unknown(
            f"{count(elsewhere, 'announced address', 'announced addresses')} differ from the InternalIPs, as with a second card "
            "or NAT; whether they are on these nodes' interfaces, only the nodes can tell"
        )


Places = dict[tuple[str, int], tuple[Evidence, ...]]  # by Node name and family


def _by_interfaces(self: Check, facts: Facts) -> Generator[Unknown, None, tuple[Places, set[tuple[str, int]]]]:
    """Announced addresses that are on no interface of their node though nobody asked for them; and those that are on one."""
    if not facts.snapshot.has(Topic.KERNELS):
        return {}, set()
    held: set[tuple[str, int]] = set()

    def judge(here: Here) -> Iterator[Complaint]:
        for family in here.families:
            address = _address(here.said, family)
            if not address or here.holder(address):
                held.add((here.node.name, family))
            elif address not in (*_asked_for(here.said, family), *_flags(here)):
                has = ", ".join(sorted({a.address for a in here.addresses if a.scope == "global" and a.family == family}))
                proof = here.proof("addresses", has, "addresses", "ip -brief address")
                yield Complaint(key=str(family), summary="", evidence=(proof,))

    found, doubts = judged_twice(facts, judge)
    yield from doubts.told(self)
    return {(name, int(said.key)): said.evidence for name, all_said in found.items() for said in all_said}, held


def _flags(here: Here) -> tuple[str, ...]:
    """The addresses that flannel's flags ask for. Raises NotRead where nobody knows its flags."""
    return tuple(here.flag(name) for name in ("public-ip", "public-ipv6"))


def _on_no_interface(
    self: Check, facts: Facts, node: Node, said: Announcement, family: int, proofs: tuple[Evidence, ...]
) -> Finding:
    return self.finding(
        f"{node.name} announces {_address(said, family)}, which is on none of its interfaces, and nobody asked for it: "
        "what peers send to its pods never arrives.",
        (node_subject(node.name),),
        evidence=(*_evidence(node, said, family), *proofs),
        remedy=Remedy(
            "Start flannel anew on this node: it announces an address that it has. For a node behind NAT, write the address into "
            "the annotation public-ip-overwrite.",
            restart_flannel(facts.flannel_on.get(node.name, ())),
        ),
    )


def _address(said: Announcement, family: int) -> str:
    return said.public_ip if family == 4 else said.public_ipv6


def _asked_for(said: Announcement, family: int) -> tuple[str, ...]:
    return (said.overwrite, said.node_public_ip) if family == 4 else (said.overwrite_v6, said.node_public_ipv6)


def _accounted_for(node: Node, said: Announcement, family: int) -> bool:
    """Whether the API itself explains the address: it is an InternalIP, or somebody asked for it by annotation."""
    address = _address(said, family)
    return address in node.internal_ips or address in _asked_for(said, family)


def _odd(said: Sequence[Member], family: int) -> list[Member]:
    """The few that do not do what nine of ten do: announce an InternalIP, or announce something else."""
    inside = [member for member in said if _address(member[1], family) in member[0].internal_ips]
    outside = [member for member in said if _address(member[1], family) not in member[0].internal_ips]
    few, many = sorted((inside, outside), key=len)
    if len(said) < FEWEST or len(many) < HABIT * len(said):
        return []
    return [(node, item) for node, item in few if _address(item, family) not in _asked_for(item, family)]


def _wrong(self: Check, facts: Facts, node: Node, said: Announcement, family: int, why: str) -> Finding:
    return self.finding(
        f"{node.name} announces {_address(said, family)}, which is {why}: what peers send to its pods never arrives.",
        (node_subject(node.name),),
        evidence=_evidence(node, said, family),
        remedy=Remedy(
            "Choose flannel's interface on purpose (--iface, --iface-can-reach, or the annotation node-public-ip since v0.25.3), "
            "then start flannel anew on this node.",
            restart_flannel(facts.flannel_on.get(node.name, ())),
        ),
    )


def _stands_alone(self: Check, facts: Facts, network: Network, node: Node, said: Announcement, family: int) -> Finding:
    inside = _address(said, family) in node.internal_ips
    habit = "announce another address than their InternalIP" if inside else "announce their InternalIP"
    differs = "its InternalIP" if inside else "none of its InternalIPs"
    return self.finding(
        f"{node.name} announces {_address(said, family)}, {differs}, where nearly all of the {len(network.members)} members "
        f"{habit}: peers send to that address; whether it is on this node, the API does not tell.",
        (node_subject(node.name),),
        severity=Severity.INFO,
        evidence=_evidence(node, said, family),
        remedy=Remedy(
            "See on the node which card has this address and whether peers reach it; if not, choose the interface on purpose.",
            ("ip -brief address", *restart_flannel(facts.flannel_on.get(node.name, ()))),
            "Run the first command on the node itself.",
        ),
    )


def _evidence(node: Node, said: Announcement, family: int) -> tuple[Evidence, ...]:
    return (announced_address(said, family), internal_ips(node), *written(node))
