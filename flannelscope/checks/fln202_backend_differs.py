"""flannel takes only peers that announce its own backend type and ignores all others. Where types differ, the odd nodes
and the rest set no routes to each other: pods on either side are unreachable from the other, and old entries stay for ever.

How it is known

Members of one network announce different values in the annotation backend-type. Odd are those that differ from what
net-conf.json asks for or, where that could not be read, from the majority; udp and alloc announce an empty type. The
annotation outlives flannel, its pod and the host. managedFields tell who wrote it last; that time is an upper bound, since
flannel rewrites its entry at every start. Where all members agree and only the ConfigMap differs, nothing is wrong yet.

What to do

Let the odd node's flannel read net-conf.json again: delete its pod once the ConfigMap is right. Where the Node is dead and
its machine gone, delete the Node object, but first see whether a living Node holds the same podCIDR or the same VtepMAC.

How to undo it

A flannel started anew announces again what its net-conf.json says. A deleted Node object comes back when its kubelet
restarts, with another podCIDR perhaps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.facts import Facts, Network
from flannelscope.flannel.annotations import Announcement
from flannelscope.model import Evidence, Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import (
    SHOWN,
    announced_type,
    heartbeat,
    installations_of,
    living,
    members,
    quoted,
    restart_flannel,
    rolling,
    show_config_map,
    written,
)
from flannelscope.text import count, fold

Member = tuple[Node, Announcement]


@check(
    "FLN202",
    "backend-differs",
    Severity.CRITICAL,
    needs=(Topic.NODES,),
    swallows=("FLN306", "FLN310", "FLN313", "FLN401", "FLN402", "FLN403", "FLN404", "FLN405", *REACHABILITY),
)
def backend_differs(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Members that announce another backend than the rest of their network."""
    for network in facts.networks:
        said = members(facts, network)
        types = Counter(item.backend_type for _, item in said)
        if len(types) < 2:
            continue
        wanted, source = _wanted(facts, network, said)
        odd = [member for member in said if member[1].backend_type != wanted]
        yield _finding(self, facts, network, odd, wanted, source, types[wanted])


def _wanted(facts: Facts, network: Network, said: Sequence[Member]) -> tuple[str, str]:
    """The type that counts as right, and who says so: the living where they agree, else net-conf, else the majority."""
    alive = Counter(item.backend_type for node, item in said if living(facts, node))
    if len(alive) == 1:
        return next(iter(alive)), _asked(facts, network, next(iter(alive))) or "every living node"
    types = alive or Counter(item.backend_type for _, item in said)
    for kind in types:
        if source := _asked(facts, network, kind):
            return kind, source
    return min(types, key=lambda kind: (-types[kind], kind)), "the majority"


def _asked(facts: Facts, network: Network, kind: str) -> str:
    """Where this type is asked for: net-conf.json, or nowhere."""
    confs = (i.net_conf for i in installations_of(facts, network) if i.os == "linux")
    return "net-conf.json" if any(c is not None and not c.broken and c.announced_type == kind for c in confs) else ""


def _finding(
    self: Check, facts: Facts, network: Network, odd: Sequence[Member], wanted: str, source: str, others: int
) -> Finding:
    names = [node.name for node, _ in odd]
    alive = [node for node, _ in odd if living(facts, node)]
    mild = not alive or rolling(facts, network)
    kinds = " and ".join(sorted({_shown(item.backend_type) for _, item in odd}))
    verb = "announces" if len(odd) == 1 else "announce"
    summary = (
        f"{fold(names)} {verb} backend {kinds} where {source} says {_shown(wanted)} "
        f"({count(others, 'other node')}): the two sides ignore each other, no traffic between their pods."
    )
    if not alive:
        summary += " It is not alive." if len(odd) == 1 else " None of them is alive."
    elif mild:
        summary += " A rollout is on its way and may settle it."
    return self.finding(
        summary,
        tuple(node_subject(name) for name in names),
        severity=Severity.WARNING if mild else None,
        evidence=_evidence(facts, network, odd, wanted),
        remedy=_remedy(facts, odd, alive),
    )


def _evidence(facts: Facts, network: Network, odd: Sequence[Member], wanted: str) -> tuple[Evidence, ...]:
    proofs: list[Evidence] = []
    for node, item in odd[:SHOWN]:
        proofs += [announced_type(item), *written(node)]
        if not living(facts, node):
            proofs.append(heartbeat(facts, node))
    for installation in installations_of(facts, network):
        if installation.config_map is not None and installation.net_conf is not None:
            held = installation.config_map
            asked = installation.net_conf.backend
            proofs.append(
                Evidence(
                    f"Backend.Type in {held.namespace}/{held.name}", asked, "ConfigMap, net-conf.json", show_config_map(held)
                )
            )
    right = next((item for item in network.members.values() if item.backend_type == wanted), None)
    return (*proofs, *((announced_type(right),) if right else ()))


def _remedy(facts: Facts, odd: Sequence[Member], alive: Sequence[Node]) -> Remedy:
    caution = (
        "Before deleting the Node object of a dead one, see FLN101 and FLN205: where a living Node holds the same podCIDR or "
        "VtepMAC, running peers then drop the living one's entries too, until its annotations change (FLN418)."
    )
    if not alive:
        commands = tuple(f"kubectl delete node {quoted(node.name)}" for node, _ in odd)
        return Remedy("If these machines are gone for good, delete their Node objects.", commands, caution)
    items = [item for node in alive for item in facts.flannel_on.get(node.name, ())]
    return Remedy(
        "See that net-conf.json asks for one backend, then start flannel anew on the odd nodes.",
        restart_flannel(items[:SHOWN]),
        caution,
    )


def _shown(kind: str) -> str:
    return kind or "(empty: udp or alloc)"
