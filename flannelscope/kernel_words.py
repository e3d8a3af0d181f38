"""What the checks of kernel entries say in the same way: which pairs belong together, their proofs, what stays unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flannelscope.cidr import show_address
from flannelscope.deletion import once
from flannelscope.facts import Facts
from flannelscope.kernel_causes import Blamed, Causes, causes, started
from flannelscope.mesh import Entry, Leg, Mesh, Problem, State, origin, where
from flannelscope.mesh.cells import ip
from flannelscope.mesh.steady import NOT_AGAIN, SEEN_ONCE
from flannelscope.model import Evidence, Kernel, Value
from flannelscope.moments import utc
from flannelscope.proofs import SHOWN, living, quoted, restart_flannel
from flannelscope.text import count, listed, natural

ON_NODES = (
    "Each line belongs on the node named behind it, as root. What is set by hand lasts until flannel hears of that peer again."
)


class Group(Value, frozen=True):
    """Problems of one kind that belong together: these observers have them towards these peers."""

    observers: tuple[str, ...]
    peers: tuple[str, ...]
    problems: tuple[Problem, ...]
    off_link: bool = False  # the peers' addresses are not on the observers' link, and host-gw needs them there

    @property
    def state(self) -> State | None:
        """What all of them are, None where they differ."""
        states = {problem.state for problem in self.problems}
        return states.pop() if len(states) == 1 else None


def groups(facts: Facts, leg: Leg, state: State | None = None) -> list[Group]:
    """Everything wrong with one leg that both readings show, parted by what may explain it.

    What one node has wrong towards several peers stands together, and what several nodes have wrong towards the same peers.
    Peers and nodes that something else accuses stand for themselves, so that it can explain all of a group.
    """
    known = causes(facts)
    if known is None or facts.mesh is None:
        return []
    buckets: dict[tuple[str, object], list[Problem]] = {}
    rest: dict[tuple[str, bool], list[Problem]] = {}
    shared = _shared(facts)
    for problem in facts.mesh.proven:
        if problem.leg is leg and state in (None, problem.state):
            place = _accused(facts, known, shared, problem)
            if place is None:
                off_link = (problem.observer, problem.peer) in known.off_link
                rest.setdefault((problem.peer, off_link), []).append(problem)
            else:
                buckets.setdefault(place, []).append(problem)
    for (_, off_link), problems in rest.items():
        kind = "observers off link" if off_link else "observers"
        buckets.setdefault((kind, frozenset(p.observer for p in problems)), []).extend(problems)
    return [_group(known, problems) for problems in buckets.values()]


def _accused(facts: Facts, known: Causes, shared: frozenset[str], problem: Problem) -> tuple[str, object] | None:
    observer, peer = problem.observer, problem.peer
    if observer in known.tunnel_down:
        return "node", observer
    if any(peer in found and observer in found[peer].observers for found in (known.unheard, known.cut_off)):
        return "peer", peer
    if observer in known.forgotten:
        return "node", observer
    alone = peer in known.everywhere or peer in shared or facts.alive(facts.nodes[peer]) is False
    return ("peer", peer) if alone else None


@once
def _shared(facts: Facts) -> frozenset[str]:
    """Nodes that share addresses with another."""
    twins = {item.node for group in facts.duplicates for item in group}
    return frozenset(twins.union(item.node for overlap in facts.overlaps for item in (*overlap.outer, *overlap.inner)))


def _group(known: Causes, problems: Sequence[Problem]) -> Group:
    observers = sorted({p.observer for p in problems}, key=natural)
    peers = sorted({p.peer for p in problems}, key=natural)
    off_link = all((p.observer, p.peer) in known.off_link for p in problems)
    return Group(tuple(observers), tuple(peers), tuple(problems), off_link)


def dead(facts: Facts, group: Group) -> bool:
    """Whether none of the peers lives."""
    return not any(living(facts, facts.nodes[peer]) for peer in group.peers)


def whose(facts: Facts, names: Sequence[str]) -> str:
    """The peers of a group, with the podCIDR where it is one."""
    if len(names) == 1:
        return f"{names[0]} ({', '.join(facts.nodes[names[0]].pod_cidrs)})"
    return f"{count(len(names), 'node')} ({listed(names)})"


def shown(facts: Facts, group: Group) -> list[tuple[Problem, Entry]]:
    """The first of a group's problems with what is wanted and found."""
    assert facts.mesh is not None  # there are groups of a mesh only
    found: list[tuple[Problem, Entry]] = []
    for problem in group.problems[:SHOWN]:
        cell = facts.mesh.cell(problem.observer, problem.peer)
        found += [(problem, entry) for entry in cell.entries if (entry.leg, entry.family) == (problem.leg, problem.family)]
    return found


def proof(problem: Problem, entry: Entry) -> Evidence:
    """One entry, wanted and found, with where it was read and the command that shows it."""
    name = {Leg.ROUTE: "route", Leg.NEIGHBOUR: "neighbour", Leg.FDB: "FDB entry"}[entry.leg]
    return Evidence(
        f"{name} for {problem.peer} on {problem.observer}",
        f"{entry.found} (wanted: {entry.wanted})",
        entry.origin,
        f"{entry.show}  # on {problem.observer}",
    )


def way_to(facts: Facts, problem: Problem) -> Iterator[Evidence]:
    """By which route a node reaches the address that a peer announces."""
    mesh = facts.mesh
    for grid in mesh.grids if mesh is not None else ():
        number = grid.members.number.get(problem.peer)
        address = grid.members.address(number) if number is not None and grid.members.family == problem.family else None
        if mesh is None or address is None or problem.observer not in grid.members.number:
            continue
        reading = mesh.reading(grid, problem.observer)
        if reading is not None:
            text, way = show_address(address.family, address.base), reading.tables.way(address)
            what = f"way of {problem.observer} to {text} of {problem.peer}"
            found = where(way) if way is not None else "none"
            yield said_by(reading.kernel, what, found, "routes", f"{ip(address.family)} route get {text}")


def mends(entries: Iterable[tuple[Problem, Entry]]) -> tuple[str, ...]:
    """The commands that would set these entries right, each once."""
    return tuple(dict.fromkeys(command for _, entry in entries for command in entry.mend))


def restart(facts: Facts, name: str) -> tuple[str, ...]:
    """How flannel is started anew on a node."""
    by_hand = f"# start flannel on {quoted(name)} anew, in the way it is run there"
    return restart_flannel(facts.flannel_on.get(name, ())[:1]) or (by_hand,)


def said_by(kernel: Kernel, what: str, value: str, probe: str, command: str) -> Evidence:
    """Something else that a node said."""
    return Evidence(what, value, origin(kernel, probe), f"{command}  # on {kernel.node}")


def at(moment: float | None) -> str:
    """A time in UTC, to the second."""
    return utc(moment, none="not known")


def doubts(facts: Facts, *legs: Leg) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Why which observers' entries of these legs could not be judged."""
    mesh = facts.mesh
    if mesh is None:
        return
    found: dict[str, dict[str, None]] = {}
    for grid in mesh.grids:
        for (name, leg), reason in grid.reasons.items():
            if leg is None or leg in legs:
                found.setdefault(reason, {})[name] = None
    _settling(mesh, legs, found)
    for name in (name for grid in mesh.grids for leg in legs for name in grid.wrong_rows(leg)):
        if not mesh.twice(name):
            found.setdefault(only_once(mesh), {})[name] = None
    for reason, names in found.items():
        yield reason, tuple(sorted(names, key=natural))


def doubts_elsewhere(facts: Facts) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The nodes of which not all routes could be judged, for checks that look for the cause of what FLN401 finds."""
    names = {name for _, several in doubts(facts, Leg.ROUTE) for name in several}
    if names:
        yield "not all of its routes could be judged: FLN401 says why", tuple(sorted(names, key=natural))


def only_once(mesh: Mesh) -> str:
    """Why something that one reading shows does not count yet, or will not."""
    return SEEN_ONCE if mesh.second is None or mesh.second.ended is None else NOT_AGAIN


def _settling(mesh: Mesh, legs: Iterable[Leg], found: dict[str, dict[str, None]]) -> None:
    for grid in mesh.grids:
        for leg in legs:
            for observer, peer in grid.in_state(State.SETTLING, leg):
                why = mesh.doubts.get(observer) or mesh.doubts.get(peer) or "the second reading shows it otherwise"
                found.setdefault(f"settling: {why}", {})[observer] = None


def lacks(facts: Facts, blamed: Blamed) -> tuple[Evidence, ...]:
    """What the first of the nodes that lack a peer have instead, with since when flannel runs there."""
    mesh = facts.mesh
    found: list[Evidence] = []
    for observer in blamed.observers[: SHOWN // 3] if mesh is not None else ():
        assert mesh is not None  # as said above
        since = started(facts, mesh, observer)
        for entry in mesh.cell(observer, blamed.peer).entries:
            if entry.leg is Leg.ROUTE or entry.state is not State.UNKNOWN:
                shown_now = proof(Problem(observer, blamed.peer, entry.family, entry.leg, entry.state), entry)
                found.append(shown_now)
        command = f"ps -o lstart,args -C flanneld  # on {observer}"
        found.append(Evidence(f"flannel on {observer} runs since", at(since), f"Node {observer}", command))
    return tuple(found)
