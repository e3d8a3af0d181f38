"""Why entries are missing on several nodes or towards several peers: whom the pattern accuses.

One entry that is missing has been removed there. A node without the entries of most peers has forgotten them (FLN423). A
peer that nobody has was never taken in (FLN207), or was dropped together with a twin (FLN418): flannel forgets the block of
whichever Node goes, whoever still holds it. What tells these apart is when flannel began to listen on the nodes that lack it.
With host-gw a route by an address that is not on the node's link cannot be set at all: that accuses nobody's memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from flannelscope.deletion import once
from flannelscope.facts import Facts
from flannelscope.mesh import LEGS, Grid, Leg, Mesh, State
from flannelscope.mesh.states import WRONG
from flannelscope.model import FlannelProcess, Node, Value, Writer
from flannelscope.text import natural

SAME_MOMENT = 2.0  # seconds between a Node's creation and the entry of the request that created it
LATER = 60.0  # seconds: machines' clocks differ, and a cluster's flannels start within some seconds of each other
Wrong = Mapping[tuple[int, Leg], State]  # what of a pair is wrong, by family and leg


class Lack(StrEnum):
    """How much of a peer a node lacks."""

    NOTHING_THERE = "no entry at all"
    REMOVED = "route and neighbour are gone, the FDB entry is still there"
    FDB_ALONE = "route and neighbour are there, the FDB entry is gone"
    OUTDATED = "entries of another time"
    SOME = "some"


class Blamed(Value, frozen=True, kw_only=True):
    """A peer that is lacking, the nodes that lack it and how, and those that have it because their flannel started later."""

    peer: str
    observers: tuple[str, ...]
    lack: Lack
    since: float | None = None  # when its podCIDR came (FLN207)
    later: tuple[str, ...] = ()
    twin: str = ""  # a Node that had the same podCIDR and went (FLN418)


class Causes:
    """What the pattern says. `pairs` is everything wrong that was seen twice, by observer and peer."""

    def __init__(self, facts: Facts, mesh: Mesh) -> None:
        self.pairs = _pairs(mesh)
        self.lacking: dict[str, dict[str, Lack]] = {}  # by peer, by observer
        self.off_link = frozenset(
            pair for pair, wrong in self.pairs.items() for family, _ in wrong if mesh.off_link(*pair, family)
        )
        for (observer, peer), wrong in self.pairs.items():
            if (observer, peer) in self.off_link:
                continue
            self.lacking.setdefault(peer, {})[observer] = _lack(mesh, observer, peer, wrong)
        self.tunnel_down = frozenset(name for grid in mesh.grids for name in grid.readings if _tunnel_down(grid, name))
        self.started = {name: started(facts, mesh, name) for name in mesh.names}
        self.runs = frozenset(name for name in mesh.names if runs(facts, mesh, name))
        self.judged = _judged(mesh, self.lacking)
        for observer, peer in self.off_link:
            self.judged.get(peer, set()).discard(observer)
        self.wanting = {peer: _living(facts, mesh, peer) for peer in self.lacking}
        self.everywhere = frozenset(peer for peer in self.lacking if self._lacked_by_all(peer))
        self.forgotten = self._forgotten(facts)
        self.unheard: dict[str, Blamed] = {}
        self.cut_off: dict[str, Blamed] = {}
        self.unsure: dict[str, Blamed] = {}  # nobody has them, and nothing tells whether anybody ever had
        for peer in self.lacking:
            self._blame(facts, peer)

    def _lacked_by_all(self, peer: str) -> bool:
        judged = self.judged[peer] - self.tunnel_down
        return len(judged) > 1 and judged <= self.lacking[peer].keys()

    def _forgotten(self, facts: Facts) -> dict[str, tuple[str, ...]]:
        """Nodes that lack most of their living peers, with these; peers that everybody lacks do not count."""
        lacked: dict[str, dict[str, Lack]] = {}
        for peer, observers in self.lacking.items():
            for observer, lack in observers.items():
                if lack in (Lack.NOTHING_THERE, Lack.REMOVED) and facts.alive(facts.nodes[peer]) is not False:
                    lacked.setdefault(observer, {})[peer] = lack
        wanted: dict[str, set[str]] = {observer: set() for observer in lacked}
        for peer, knowing in self.judged.items():
            for observer in knowing & wanted.keys() if facts.alive(facts.nodes[peer]) is not False else ():
                wanted[observer].add(peer)
        found: dict[str, tuple[str, ...]] = {}
        for observer, peers in lacked.items():
            if observer in self.runs and observer not in self.tunnel_down and self._most(peers, wanted[observer]):
                found[observer] = tuple(peers)
        return found

    def _most(self, lacked: Mapping[str, Lack], wanted: set[str]) -> bool:
        others = wanted - self.everywhere or wanted
        missing = others & lacked.keys()
        if len(others) > 1:
            return 2 * len(missing) > len(others) and len(missing) > 1
        return any(lacked[peer] is Lack.NOTHING_THERE for peer in missing)

    def _blame(self, facts: Facts, peer: str) -> None:
        lacking, node = self.lacking[peer], facts.nodes[peer]
        apart = self.tunnel_down | self.forgotten.keys()
        listened = {o: lack for o, lack in lacking.items() if o in self.runs and o not in apart}
        having = self.judged[peer] - lacking.keys() - self.tunnel_down
        if not listened:
            return
        kinds = set(listened.values())
        since = podcidr_came_later(node)
        if since is not None and self._missed(listened, having, since):
            self.unheard[peer] = _blamed(peer, listened, since=since, later=having)
            return
        known = [at for o in listened if (at := self.started[o]) is not None]
        later = {o for o in having if (at := self.started[o]) is not None and known and at > max(known) + LATER}
        if len(listened) < 2 or having - later or Lack.SOME in kinds or 2 * len(self.judged[peer]) < self.wanting[peer]:
            return
        younger = node.created is not None and len(known) == len(listened) and max(known) < node.created
        if kinds == {Lack.NOTHING_THERE} and younger:
            self.unheard[peer] = _blamed(peer, listened, since=node.created, later=later)
        elif kinds == {Lack.OUTDATED}:
            self.unheard[peer] = _blamed(peer, listened, later=later)
        elif Lack.OUTDATED not in kinds and facts.alive(node) is not False:
            twin = gone_twin(facts, node)
            had = node.created is not None and any(at >= node.created for at in known)
            proven = kinds != {Lack.NOTHING_THERE} or later or twin or had
            place = self.cut_off if proven else self.unsure
            place[peer] = _blamed(peer, listened, later=later, twin=twin)

    def _missed(self, listened: Mapping[str, Lack], having: Iterable[str], since: float) -> bool:
        """Whether most of those whose flannel ran when the podCIDR came lack everything."""
        early = [o for o in listened if (at := self.started[o]) is None or at < since]
        lacking = [o for o in early if listened[o] is Lack.NOTHING_THERE]
        have = [o for o in having if (at := self.started[o]) is not None and at < since]
        return len(lacking) > len(have) and len(lacking) == len(early)


@once
def causes(facts: Facts) -> Causes | None:
    """The causes that the kernels accuse, None before any kernel was read."""
    return Causes(facts, facts.mesh) if facts.mesh is not None else None


def _living(facts: Facts, mesh: Mesh, peer: str) -> int:
    """How many nodes should know a peer, as far as they may be alive."""
    names = {name for grid in mesh.grids if peer in grid.members.number for name in grid.names} - {peer}
    return sum(1 for name in names if facts.alive(facts.nodes[name]) is not False)


def gone_twin(facts: Facts, node: Node) -> str:
    """A Node that had one of this Node's podCIDRs and was seen to go or to change, "" where none was."""
    blocks, snapshot = set(node.pod_cidrs), facts.snapshot
    for change in snapshot.changes:
        had = set(change.before.pod_cidrs) if change.before is not None else set()
        has = set(change.after.pod_cidrs) if change.after is not None else set()
        if change.name != node.name and blocks & had - has:
            return change.name
    sweeps = (made for made in (snapshot.sweep, snapshot.second_sweep) if made is not None)
    gone = (other for made in sweeps for name, other in made.before.items() if name not in facts.nodes)
    return next((other.name for other in gone if not blocks.isdisjoint(other.pod_cidrs)), "")


def _blamed(
    peer: str, listened: Mapping[str, Lack], *, since: float | None = None, later: Iterable[str] = (), twin: str = ""
) -> Blamed:
    kinds = set(listened.values())
    lack = next((kind for kind in (Lack.REMOVED, Lack.FDB_ALONE, Lack.OUTDATED) if kind in kinds), Lack.NOTHING_THERE)
    observers, having = tuple(sorted(listened, key=natural)), tuple(sorted(later, key=natural))
    return Blamed(peer=peer, observers=observers, lack=lack, since=since, later=having, twin=twin)


def _pairs(mesh: Mesh) -> dict[tuple[str, str], dict[tuple[int, Leg], State]]:
    found: dict[tuple[str, str], dict[tuple[int, Leg], State]] = {}
    for problem in mesh.proven:
        found.setdefault((problem.observer, problem.peer), {})[problem.family, problem.leg] = problem.state
    return found


def _lack(mesh: Mesh, observer: str, peer: str, wrong: Wrong) -> Lack:
    families = {family for family, _ in wrong}
    kinds = {_of_family(mesh, observer, peer, wrong, family) for family in families}
    return kinds.pop() if len(kinds) == 1 else Lack.SOME


def _of_family(mesh: Mesh, observer: str, peer: str, wrong: Wrong, family: int) -> Lack:
    route, neighbour, fdb = (_state(mesh, observer, peer, family, leg) for leg in LEGS)
    gone = (State.MISSING, State.NOT_WANTED)
    if route is State.MISSING and neighbour in (*gone, State.EXTRA) and fdb in (*gone, State.EXTRA):
        return Lack.NOTHING_THERE
    if route is State.MISSING and neighbour is State.MISSING:
        return Lack.REMOVED if fdb is State.OK else Lack.SOME
    if route is State.OK and neighbour is State.OK and fdb is State.MISSING:
        return Lack.FDB_ALONE
    if route is State.OK and State.DIFFERS in (neighbour, fdb):
        return Lack.OUTDATED
    return Lack.SOME


def _state(mesh: Mesh, observer: str, peer: str, family: int, leg: Leg) -> State:
    found = (grid.state(observer, peer, leg) for grid in mesh.grids if grid.members.family == family)
    return next((state for state in found if state is not State.NOT_WANTED), State.NOT_WANTED)


def _tunnel_down(grid: Grid, name: str) -> bool:
    reading = grid.readings[name]
    if not reading.backend.tunnels or not reading.links:
        return False
    link = reading.links.get(reading.device)
    return link is None or "UP" not in link.flags


def _judged(mesh: Mesh, peers: Iterable[str]) -> dict[str, set[str]]:
    """By peer, the observers of which it is known whether they have it."""
    known = frozenset((State.OK, *WRONG))
    found: dict[str, set[str]] = {peer: set() for peer in peers}
    if not found:
        return found
    for grid in mesh.grids:
        size = len(grid.names)
        for number, name in enumerate(grid.names):
            for peer, observers in _columns(grid, number, size, known):
                found.setdefault(peer, set())
                if observers:
                    found[peer].add(name)
    return found


def _columns(grid: Grid, row: int, size: int, known: frozenset[State]) -> Iterable[tuple[str, bool]]:
    return zip(grid.names, (state in known for state in grid.states[0][row * size : (row + 1) * size]), strict=True)


def started(facts: Facts, mesh: Mesh, name: str) -> float | None:
    """Since when flannel runs on a node, None where nothing tells."""
    status = next((item.status for item in facts.flannel_on.get(name, ()) if item.status is not None), None)
    if status is not None:
        return status.started if status.state == "running" else None
    return max((process.started for process in _processes(mesh, name) if process.started is not None), default=None)


def runs(facts: Facts, mesh: Mesh, name: str) -> bool:
    """Whether flannel is known to run there. One without a pod (k3s, a service of the host) counts while its node answers."""
    here = facts.flannel_on.get(name, ())
    if here:
        return any(item.status is not None and item.status.state == "running" for item in here)
    kernel = mesh.kernel(name)
    if kernel is None or "flannel_process" in kernel.facts:
        return bool(_processes(mesh, name))
    return name not in facts.discovery.covered


def _processes(mesh: Mesh, name: str) -> tuple[FlannelProcess, ...]:
    kernel = mesh.kernel(name)
    return tuple(kernel.facts.get("flannel_process") or ()) if kernel is not None else ()


def podcidr_came_later(node: Node) -> float | None:
    """When the podCIDR was set at the latest, if managedFields say that this was after the annotations; else None."""
    annotated = [w.at for w in node.writers if w.field == "flannel" and w.at is not None]
    if not annotated or not node.pod_cidrs or node.created is None:
        return None
    last = max(annotated)
    hands = {w.manager for w in node.writers if w.field == "flannel"}
    later = [w for w in node.writers if w.field == "podCIDR" and w.manager not in hands and w.at is not None and last < w.at]
    # A controller manager's entry moves on with every taint it sets: then only the Node's own age is a sign.
    told = [w.at for w in later if w.at is not None and (last <= node.created + SAME_MOMENT or not _is_controller(w))]
    return max(told, default=None)


def _is_controller(writer: Writer) -> bool:
    return "controller" in writer.manager or writer.manager in ("k3s", "rke2")
