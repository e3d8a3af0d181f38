"""flannel takes only peers that announce its own backend type and ignores all others. Where types differ, the odd nodes
and the rest set no routes to each other: pods on either side are unreachable from the other, and old entries stay for ever.

How it is known

Members of one network announce different values in the annotation backend-type. Odd are those that differ from what
net-conf.json asks for or, where that could not be read, from the majority; where neither decides, both sides are named and
nobody is called odd. udp and alloc announce an empty type. Nodes of which neither life nor death is known count as living;
where the verdict hangs on them alone, that is said as unknown.

The annotation outlives flannel, its pod and the host. managedFields tell who wrote it last; that time is an upper bound, since
flannel rewrites its entry at every start. Where all members agree and only the ConfigMap differs, nothing is wrong yet.

How to see it

The values of backend-type side by side; a peer's log says `Ignoring non-vxlan subnet` or the like.

    kubectl get nodes -o yaml | grep -E '^    name:|flannel\\.alpha\\.coreos\\.com'  # each name stands below its annotations

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

from msgspec.structs import replace

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.deletion import dead, objection
from flannelscope.exchange import exchange_remedy
from flannelscope.facts import Facts, Network
from flannelscope.flannel.annotations import Announcement
from flannelscope.model import Evidence, Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import (
    SHOWN,
    announced_type,
    doubtful,
    heartbeat,
    installations_of,
    living,
    members,
    restart_flannel,
    rolling,
    show_config_map,
    why_doubtful,
    written,
)
from flannelscope.text import count, fold

Member = tuple[Node, Announcement]
CAUTION = (
    "Before deleting the Node object of a dead one, see FLN101 and FLN205: where a living Node holds the same podCIDR or "
    "VtepMAC, running peers then drop the living one's entries too, until its annotations change (FLN418)."
)
ROLLS = " A rollout is on its way and may settle it."


@check(
    "FLN202",
    "backend-differs",
    Severity.CRITICAL,
    needs=(Topic.NODES,),
    swallows=("FLN306", "FLN310", "FLN313", "FLN401", "FLN402", "FLN403", "FLN404", "FLN405", *REACHABILITY),
)
def backend_differs(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Members that announce another backend than the rest of their network; both sides where nothing says who is right."""
    unsure: dict[str, None] = {}
    for network in facts.networks:
        said = members(facts, network)
        types = Counter(item.backend_type for _, item in said)
        if len(types) < 2:
            continue
        wanted, source = _wanted(facts, network, said)
        if wanted is None:
            yield _undecided(self, facts, network, _counted(facts, said))
        else:
            odd = [member for member in said if member[1].backend_type != wanted]
            yield _finding(self, facts, network, odd, wanted, source, types[wanted])
        unsure.update(dict.fromkeys(_deciding(facts, network, said)))
    if unsure:
        yield self.unknown(why_doubtful(facts), tuple(unsure))


def _counted(facts: Facts, said: Sequence[Member]) -> list[Member]:
    """Those whose word counts: the living, and the dead where nobody lives."""
    return [member for member in said if living(facts, member[0])] or list(said)


def _wanted(facts: Facts, network: Network, said: Sequence[Member]) -> tuple[str | None, str]:
    """The type that counts as right, and who says so: all the living, else net-conf, else the majority; None on a tie."""
    counted = _counted(facts, said)
    types = Counter(item.backend_type for _, item in counted).most_common()
    asked = [kind for kind, _ in types if _asked(facts, network, kind)]
    if len(types) == 1:
        sure = not doubtful(facts, (node for node, _ in counted))
        agreed = "every living node" if sure else "every node that is not known to be silent"
        return types[0][0], "net-conf.json" if asked else agreed
    if len(asked) == 1:
        return asked[0], "net-conf.json"
    return (types[0][0], "the majority") if types[0][1] > types[1][1] else (None, "")


def _asked(facts: Facts, network: Network, kind: str) -> bool:
    """Whether net-conf.json asks for this type."""
    confs = (i.net_conf for i in installations_of(facts, network) if i.os == "linux")
    return any(c is not None and not c.broken and c.announced_type == kind for c in confs)


def _deciding(facts: Facts, network: Network, said: Sequence[Member]) -> tuple[str, ...]:
    """The doubtful Nodes without whose life nothing would be critical: they alone differ from those who surely live."""
    sure = {item.backend_type for node, item in said if facts.alive(node)}
    kinds = {item.backend_type for node, item in said if living(facts, node)}
    if len(sure) > 1 or len(kinds) < 2 or rolling(facts, network):
        return ()
    return doubtful(facts, (node for node, item in said if item.backend_type not in sure))


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
        summary += ROLLS
    right = next(item for item in network.members.values() if item.backend_type == wanted)
    return self.finding(
        summary,
        tuple(node_subject(name) for name in names),
        severity=Severity.WARNING if mild else None,
        evidence=(*_said(facts, odd[:SHOWN]), *_configured(facts, network), announced_type(right)),
        remedy=_remedy(facts, odd, alive),
    )


def _undecided(self: Check, facts: Facts, network: Network, counted: Sequence[Member]) -> Finding:
    """As many announce one type as another, and net-conf decides nothing: nobody is called odd."""
    sides: dict[str, list[Member]] = {}
    for member in counted:
        sides.setdefault(member[1].backend_type, []).append(member)
    alive = [node for node, _ in counted if living(facts, node)]
    rolls = rolling(facts, network)
    told = ", ".join(f"{_shown(kind)} by {fold(n.name for n, _ in side)}" for kind, side in sorted(sides.items()))
    summary = (
        f"Different backends are announced ({told}), and nothing says which is meant: these sides ignore each other, no traffic "
        "between their pods."
    )
    shown = [member for _, side in sorted(sides.items()) for member in side[: SHOWN // 2]]
    return self.finding(
        summary + (ROLLS if rolls else "" if alive else " None of them is alive."),
        tuple(node_subject(node.name) for node, _ in counted),
        severity=None if alive and not rolls else Severity.WARNING,
        evidence=(*_said(facts, shown), *_configured(facts, network)),
        remedy=Remedy(
            "Decide which backend is meant and ask for it in net-conf.json; then start flannel anew on the nodes that announce "
            "another."
        ),
    )


def _said(facts: Facts, shown: Sequence[Member]) -> Iterator[Evidence]:
    for node, item in shown:
        yield announced_type(item)
        yield from written(node)
        if not facts.alive(node):
            yield heartbeat(facts, node)


def _configured(facts: Facts, network: Network) -> Iterator[Evidence]:
    for installation in installations_of(facts, network):
        held, conf = installation.config_map, installation.net_conf
        if held is not None and conf is not None:
            what = f"Backend.Type in {held.namespace}/{held.name}"
            yield Evidence(what, conf.backend, "ConfigMap, net-conf.json", show_config_map(held))


def _remedy(facts: Facts, odd: Sequence[Member], alive: Sequence[Node]) -> Remedy:
    if not alive:
        return _gone(facts, [node for node, _ in odd])
    items = [item for node in alive for item in facts.flannel_on.get(node.name, ())]
    return Remedy(
        "See that net-conf.json asks for one backend, then start flannel anew on the odd nodes.",
        restart_flannel(items[:SHOWN]),
        CAUTION,
    )


def _gone(facts: Facts, nodes: Sequence[Node]) -> Remedy:
    """Commands only for those known to be dead, and nothing that would give a living Node another podCIDR."""
    one = len(nodes) == 1
    which = f"{'this machine is' if one else 'these machines are'} gone for good, {'its Node has' if one else 'their Nodes have'}"
    silent = [node.name for node in nodes if dead(facts, node) or objection(facts, node)]
    if not silent:
        return Remedy(f"If {which} to go.", (), CAUTION)
    caution = f"{CAUTION} Each line only after the one before has ended well."
    return replace(exchange_remedy(facts, f"If {which} to go.", *silent), caution=caution)


def _shown(kind: str) -> str:
    return kind or "(empty: udp or alloc)"
