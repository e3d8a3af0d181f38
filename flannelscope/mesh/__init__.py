"""What every kernel should have towards every peer, beside what it has: wanted from the API, found on the nodes.

An entry is wrong only where both ends stood still around the reading, and a second reading of that node, where there is one,
shows it too. There are N² pairs in three legs: they are bytes, and words are made of one pair when somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from flannelscope.cidr import parse
from flannelscope.flannel.annotations import Announcement
from flannelscope.flannel.expected import Peer, peer_of
from flannelscope.flannel.netconf import NetConf
from flannelscope.mesh.cells import Cell, Entry, entries, origin
from flannelscope.mesh.grid import Grid, Problem
from flannelscope.mesh.members import Held, Members
from flannelscope.mesh.reading import Reading, where
from flannelscope.mesh.states import GRAVEST, LEGS, Leg, State
from flannelscope.mesh.steady import identity, unsteady
from flannelscope.model import Kernel, Node, Prefix, Sweep, Value
from flannelscope.text import natural

__all__ = [
    "GRAVEST",
    "LEGS",
    "Cell",
    "Entry",
    "Grid",
    "Held",
    "Leg",
    "Mesh",
    "Problem",
    "Reading",
    "State",
    "Web",
    "identity",
    "origin",
    "where",
]


class Web(Value, frozen=True, kw_only=True):
    """One flannel network as the API tells of it: its members by Node name, and its net-conf where that is known."""

    prefix: str
    members: Mapping[str, Announcement]
    conf: NetConf | None = None
    families: frozenset[int]


class Mesh:
    """All grids of a cluster. `doubts` says of a Node why nothing about it counts as wrong (it changed, it just started)."""

    def __init__(
        self,
        webs: Iterable[Web],
        nodes: Mapping[str, Node],
        sweep: Sweep,
        second: Sweep | None,
        *,
        why_not: Callable[[str], str],
        settled: Callable[[Node], bool],
        still: bool = False,
    ) -> None:
        """`why_not` tells why a Node has no Kernel; `still`: the world stands still, one reading is enough."""
        self.nodes = nodes
        self.sweep = sweep
        self.second = second
        self.still = still
        self.prefixes: dict[str, list[Prefix | None]] = {n.name: [parse(t) for t in n.pod_cidrs] for n in nodes.values()}
        known = [web for web in webs if web.members]
        data = (data for web in known for said in web.members.values() for data in (said.data, said.v6_data))
        self.held = Held(self._prefixes_ever(), (item.vtep_mac for item in data))
        members = [self._members(web, family) for web in known for family in sorted(web.families)]
        self.grids = tuple(Grid(of, sweep.kernels, why_not, self.held) for of in members)
        self.suspects = frozenset(name for grid in self.grids for name in grid.readings)
        self.doubts = self._doubts(settled)
        for grid in self.grids:
            grid.settle(self.doubts)
            if second is not None:
                grid.again(second.kernels)
        for one, other in self._beside():
            one.yield_to(other)
        self.states = {(g.members.prefix, g.members.family): g for g in self.grids}

    def _members(self, web: Web, family: int) -> Members:
        peers: dict[str, Peer | str] = {n: peer_of(said, self.prefixes.get(n, ()), family) for n, said in web.members.items()}
        return Members(web.prefix, family, sorted(web.members, key=natural), peers, web.conf)

    def _beside(self) -> Iterator[tuple[Grid, Grid]]:
        """Grids of one family in different networks."""
        pairs = ((one, other) for one in self.grids for other in self.grids if one is not other)
        return (pair for pair in pairs if pair[0].members.family == pair[1].members.family)

    def _doubts(self, settled: Callable[[Node], bool]) -> dict[str, str]:
        names = [name for grid in self.grids for name in grid.names]
        found = {} if self.still else unsteady(self.sweep, self.nodes, names)
        if self.second is not None and not self.still and self.second.after is not None and self.suspects:
            found.update(unsteady(self.second, self.nodes, self.suspects & self.second.kernels.keys()))
        for name in names:
            if name not in found and not settled(self.nodes[name]):
                found[name] = "it is new, leaving, or its flannel has just started"
        return found

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Everybody who is a row and a column, in natural order."""
        return tuple(sorted({name for grid in self.grids for name in grid.names}, key=natural))

    def state(self, observer: str, peer: str, leg: Leg | None = None) -> State:
        """The gravest state of a pair in all networks and families; of one leg, where one is named."""
        found = (g.gravest(observer, peer) if leg is None else g.state(observer, peer, leg) for g in self.grids)
        return min(found, key=GRAVEST.index, default=State.NOT_WANTED)

    def cell(self, observer: str, peer: str) -> Cell:
        """One pair in words. Raises KeyError for who is no member."""
        found: list[Entry] = []
        reasons: list[str] = []
        for grid in self.grids:
            row, column = grid.members.number.get(observer), grid.members.number.get(peer)
            if row is None or column is None:
                continue
            reasons += [text for (name, _), text in grid.reasons.items() if name == observer]
            reading = self.reading(grid, observer)
            if reading is not None:
                states = tuple(grid.state(observer, peer, leg) for leg in LEGS)
                found += entries(reading, column, states)
        if observer not in self.names or peer not in self.names:
            raise KeyError(observer if observer not in self.names else peer)
        reasons += [f"{name}: {self.doubts[name]}" for name in (observer, peer) if name in self.doubts]
        return Cell(observer, peer, tuple(found), "; ".join(dict.fromkeys(reasons)))

    def reading(self, grid: Grid, observer: str) -> Reading | None:
        """What an observer has in one grid, the newest; read anew where it was not kept."""
        kept = grid.readings.get(observer)
        kernel = self.kernel(observer)
        own = grid.members.peers[grid.members.number[observer]]
        if kept is not None or kernel is None or own is None:
            return kept
        backend = grid.members.backend(own)
        return None if isinstance(backend, str) else Reading(grid.members, own, backend, kernel)

    def off_link(self, observer: str, peer: str, family: int) -> bool:
        """Whether an observer has no route to a peer because none can be set: host-gw, and the peer's address not on its link."""
        for grid in self.grids:
            number = grid.members.number.get(peer)
            if number is None or grid.members.family != family or grid.state(observer, peer, Leg.ROUTE) is not State.MISSING:
                continue
            reading = self.reading(grid, observer)
            if reading is not None and reading.off_link(number):
                return True
        return False

    def kernel(self, name: str) -> Kernel | None:
        """The newest reading of a node."""
        again = self.second.kernels.get(name) if self.second is not None else None
        return again or self.sweep.kernels.get(name)

    def twice(self, name: str) -> bool:
        """Whether what is wrong there counts: it was read a second time, or the world stands still."""
        return self.still or (self.second is not None and name in self.second.kernels)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Everything wrong, of all grids, seen once or twice."""
        return tuple(problem for grid in self.grids for problem in grid.problems())

    @cached_property
    def proven(self) -> tuple[Problem, ...]:
        """Everything wrong that counts: both readings show it, or the world stands still."""
        once = frozenset(name for name in self.names if not self.twice(name))
        return tuple(p for p in self.problems if p.observer not in once) if once else self.problems

    def _prefixes_ever(self) -> Iterator[Prefix]:
        """The podCIDRs of all Nodes, now and right before the nodes were read."""
        for prefixes in self.prefixes.values():
            yield from (prefix for prefix in prefixes if prefix is not None)
        for sweep in (self.sweep, self.second) if self.second is not None else (self.sweep,):
            for name, node in sweep.before.items():
                if node is not self.nodes.get(name):
                    yield from (prefix for text in node.pod_cidrs if (prefix := parse(text)) is not None)
