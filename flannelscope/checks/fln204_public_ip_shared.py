"""Two nodes that announce one address: peers send the traffic for both to one machine, and that machine drops what is not
its own. Typical are virtual machines that all have 10.0.2.15 on their first card.

How it is known

Two or more members announce the same public-ip (or public-ipv6) of an enabled family; with wireguard, the same address and
the same port. While at most one of them is alive nothing is sent astray today. Where both Nodes also have that address as
their InternalIP and at most one is alive, the address was simply given to a new machine while the old Node object stayed.
A Node of which neither life nor death is known counts as living; where the verdict hangs on it, that is said as unknown.

How to see it

One value of public-ip on two Nodes.

    kubectl get nodes -o yaml | grep -E '^    name:|flannel\\.alpha\\.coreos\\.com'  # each name stands below its annotations

What to do

Choose flannel's interface on purpose (--iface, --iface-can-reach, the annotation node-public-ip) and start flannel anew on
these nodes. If one of them is gone for good, delete its Node object.

How to undo it

Take the option or annotation back and start flannel anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.facts import Facts, Network
from flannelscope.flannel.annotations import Announcement
from flannelscope.model import Evidence, Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import (
    SHOWN,
    announced_address,
    deciding,
    heartbeat,
    internal_ips,
    living,
    members,
    objections,
    only_alive,
    why_doubtful,
)
from flannelscope.text import fold

Member = tuple[Node, Announcement]
Key = tuple[int, str, int | None]  # family, address, wireguard's port


@check(
    "FLN204",
    "public-ip-shared",
    Severity.CRITICAL,
    needs=(Topic.NODES,),
    swallows=("FLN203", "FLN404", *REACHABILITY),
)
def public_ip_shared(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Members that announce one address."""
    unsure: dict[str, None] = {}
    for network in facts.networks:
        for (_, address, _), sharing in _by_address(facts, network).items():
            if len(sharing) > 1:
                yield _finding(self, facts, address, sharing)
                unsure.update(dict.fromkeys(deciding(facts, [node for node, _ in sharing])))
    if unsure:
        yield self.unknown(why_doubtful(facts), tuple(unsure))


def _by_address(facts: Facts, network: Network) -> dict[Key, list[Member]]:
    found: dict[Key, list[Member]] = {}
    for node, said in members(facts, network):
        for family in sorted(facts.families):
            address = said.public_ip if family == 4 else said.public_ipv6
            port = (said.data if family == 4 else said.v6_data).port if said.backend_type == "wireguard" else None
            if address:
                found.setdefault((family, address, port), []).append((node, said))
    return found


def _finding(self: Check, facts: Facts, address: str, sharing: Sequence[Member]) -> Finding:
    alive = [node.name for node, _ in sharing if living(facts, node)]
    names = [node.name for node, _ in sharing]
    severity, outcome = Severity.CRITICAL, "peers send the traffic for all of them to one machine."
    if len(alive) < 2:
        reused = all(address in node.internal_ips for node, _ in sharing)
        severity = Severity.INFO if reused else Severity.WARNING
        outcome = only_alive(facts, alive) + (
            "; the address was given to a new machine while the old Node object stayed." if reused else "."
        )
    return self.finding(
        f"{fold(names)} announce one address, {address}: {outcome}",
        tuple(node_subject(name) for name in names),
        severity=severity,
        evidence=_evidence(facts, address, sharing),
        remedy=Remedy(
            "Choose flannel's interface on purpose on these nodes, or delete the Node object of a machine that is gone.",
            (),
            objections(facts, [node for node, _ in sharing if not living(facts, node)])
            + "Before deleting a Node object see FLN101 and FLN205: a living Node with the same podCIDR or VtepMAC would be cut "
            "off from running peers (FLN418).",
        ),
    )


def _evidence(facts: Facts, address: str, sharing: Sequence[Member]) -> tuple[Evidence, ...]:
    proofs: list[Evidence] = []
    for node, said in sharing[:SHOWN]:
        proofs += [announced_address(said, 6 if ":" in address else 4), internal_ips(node)]
        if not facts.alive(node):
            proofs.append(heartbeat(facts, node))
    return tuple(proofs)
