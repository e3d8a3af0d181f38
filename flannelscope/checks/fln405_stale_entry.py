"""A node keeps entries of a Node that is gone or has moved. flannel never cleans up: what happens while it is not running
leaves its entries for ever. A neighbour or FDB entry alone does no harm; a route swallows what is sent to a block that
may be given away.

How it is known

In two readings, on flannel's tunnel, permanent neighbours for base addresses and FDB entries for MACs that no Node has, or
routes of flannel's to podCIDRs that no Node holds (with host-gw and DirectRouting: routes inside Network with a gateway on the
node's own link and the length of a podCIDR, without the mark of another routing protocol). Learnt FDB entries and what belongs
to another flannel network do not count. A route that covers an address of a living Node is critical. flannel may need two
minutes to follow the deletion of a Node: while a console is open it is known when that was, and nothing is said before they are
over; otherwise it is not known, and what is found is info and says so.

How to see it

On the node, `ip route`, `ip neigh show dev flannel.1 nud permanent` and `bridge fdb show dev flannel.1`.

    flannelscope check --ssh --only FLN405 --fail-on info

What to do

Remove the entries, one by one, as shown. A start of flannel does not remove them. A route that takes more than a podCIDR, or
addresses of living Nodes, is only shown: look who set it before you touch it, your own way to the node may lead there.

How to undo it

Should a Node with that podCIDR appear, flannel sets its entries anew; there is nothing to bring back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flannelscope.checks import Check, check
from flannelscope.cidr import holds, parse, parse_address, show_address
from flannelscope.deletion import once
from flannelscope.facts import Facts
from flannelscope.flannel.annotations import announcements
from flannelscope.kernel_words import ON_NODES, only_once, said_by
from flannelscope.mesh import Mesh, Reading, where
from flannelscope.mesh.cells import ip, remove
from flannelscope.model import (
    Evidence,
    FdbEntry,
    Finding,
    Neighbour,
    Node,
    Remedy,
    Route,
    Severity,
    Topic,
    Unknown,
    Value,
    node_subject,
)
from flannelscope.proofs import SHOWN, living
from flannelscope.text import count, natural

FOLLOWED = 120.0  # seconds: flannel's queue may be held up that long before it follows the deletion of a Node


class _Gone(Value, frozen=True):
    """When something was seen to lose the Node that had it."""

    at: float
    node: str


@once
def _gone(facts: Facts) -> Mapping[str, _Gone]:
    """By podCIDR, base address and MAC, of all Nodes that changed while we looked; the latest change counts."""
    found: dict[str, _Gone] = {}
    for change in facts.snapshot.changes:
        if change.before is not None:
            had = (*change.before.pod_cidrs, *_bases(change.before), *_macs(change.before))
            found.update(dict.fromkeys(had, _Gone(change.at, change.name)))
    return found


def _bases(node: Node) -> Iterator[str]:
    prefixes = (parse(text) for text in node.pod_cidrs)
    return (show_address(prefix.family, prefix.base) for prefix in prefixes if prefix is not None)


def _macs(node: Node) -> Iterator[str]:
    data = (item for said in announcements(node) for item in (said.data, said.v6_data))
    return (item.vtep_mac for item in data if item.vtep_mac)


class _Stale:
    """What is stale on one node in both readings."""

    def __init__(self, mesh: Mesh, reading: Reading, first: Reading, gone: Mapping[str, _Gone]) -> None:
        """`gone` says of podCIDRs, base addresses and MACs whose they were, where that was seen."""
        held = mesh.held
        self.moment = reading.kernel.at
        self.gone = gone
        self.fresh: dict[str, None] = {}  # the Nodes that went a moment ago
        before = {where(route) for route in first.stale_routes(held)}
        self.reading = reading
        routes = (r for r in reading.stale_routes(held) if where(r) in before)
        self.routes: tuple[Route, ...] = tuple(r for r in routes if self._counts(r.destination))
        addresses = {entry.address for entry in first.stale_neighbours(held)}
        neighbours = (n for n in reading.stale_neighbours(held) if n.address in addresses)
        self.neighbours: tuple[Neighbour, ...] = tuple(n for n in neighbours if self._counts(n.address))
        macs = {(entry.mac, entry.destination) for entry in first.stale_fdb(held)}
        fdb = (e for e in reading.stale_fdb(held) if (e.mac, e.destination) in macs)
        self.fdb: tuple[FdbEntry, ...] = tuple(e for e in fdb if self._counts(e.mac))

    def _counts(self, key: str) -> bool:
        gone = self.gone.get(key)
        if gone is None or self.moment - gone.at >= FOLLOWED:
            return True
        self.fresh[gone.node] = None
        return False

    def __bool__(self) -> bool:
        return bool(self.routes or self.neighbours or self.fdb)

    @property
    def known(self) -> bool:
        """Whether it was seen when all of the routes lost their Node."""
        return bool(self.routes) and all(route.destination in self.gone for route in self.routes)


@check("FLN405", "stale-entry", Severity.WARNING, needs=(Topic.NODES, Topic.KERNELS))
def stale_entry(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Nodes with entries of Nodes that are gone."""
    mesh = facts.mesh
    if mesh is None:
        return
    by_node: dict[str, list[_Stale]] = {}
    reasons: dict[str, dict[str, None]] = {}
    for grid in mesh.grids:
        for name, reading in grid.readings.items():
            found = _Stale(mesh, reading, grid.firsts.get(name, reading), _gone(facts))
            if found:
                by_node.setdefault(name, []).append(found)
            for node in found.fresh:
                reasons.setdefault(f"settling: {node} went or changed less than two minutes before", {})[name] = None
        for (name, _), reason in grid.reasons.items():
            reasons.setdefault(reason, {})[name] = None
    for name, several in by_node.items():
        if name in mesh.doubts:
            reasons.setdefault(f"settling: {mesh.doubts[name]}", {})[name] = None
        elif not mesh.twice(name):
            reasons.setdefault(only_once(mesh), {})[name] = None
        else:
            yield _finding(this, facts, name, several)
    for reason, names in reasons.items():
        yield this.unknown(reason, tuple(sorted(names, key=natural)))


def _finding(this: Check, facts: Facts, name: str, several: list[_Stale]) -> Finding:
    routes = [route for found in several for route in found.routes]
    neighbours, fdb = sum(len(f.neighbours) for f in several), sum(len(f.fdb) for f in several)
    covered = [route for route in routes if _covers(facts, route)]
    parts = (
        (len(routes), count(len(routes), "route")),
        (neighbours, count(neighbours, "neighbour")),
        (fdb, count(fdb, "FDB entry", "FDB entries")),
    )
    said = ", ".join(text for number, text in parts if number)
    live = f" {where(covered[0])} covers addresses that are in use." if covered else ""
    known = any(found.known for found in several)
    if routes and not known:
        live += " Since when is not known: flannel may need two minutes to remove them itself."
    looked = [route for found in several for route in found.routes if not _removable(found, facts, route)]
    return this.finding(
        f"{name} keeps entries of Nodes that are gone: {said}.{live}",
        (node_subject(name),),
        severity=Severity.CRITICAL if covered else Severity.WARNING if known else Severity.INFO,
        evidence=tuple(e for found in several for e in _evidence(name, found))[:SHOWN],
        remedy=Remedy(
            "Remove them, once it is known who set the routes that are only shown." if looked else "Remove them.",
            tuple(c for found in several for c in _commands(facts, name, found)),
            ON_NODES,
        ),
    )


def _removable(found: _Stale, facts: Facts, route: Route) -> bool:
    """Whether nothing but a podCIDR's pods can hang on a route."""
    prefix, lengths = parse(route.destination), found.reading.members.lengths
    return prefix is not None and prefix.length >= min(lengths, default=0) > 0 and not _covers(facts, route)


def _covers(facts: Facts, route: Route) -> bool:
    """Whether a living Node's own address lies in what the route takes."""
    prefix = parse(route.destination)
    return prefix is not None and any(holds(prefix, *address) for address in _live(facts))


@once
def _live(facts: Facts) -> tuple[tuple[int, int], ...]:
    texts = (ip for node in facts.snapshot.nodes if living(facts, node) for ip in node.internal_ips)
    return tuple(address for text in texts if (address := parse_address(text)) is not None)


def _evidence(name: str, found: _Stale) -> Iterator[Evidence]:
    kernel, device = found.reading.kernel, found.reading.device
    for route in found.routes:
        show = f"{ip(route.family)} route show {route.destination}"
        yield said_by(kernel, f"route to a block that no Node holds, on {name}", where(route), "routes", show)
    for entry in found.neighbours:
        show = f"ip neigh show {entry.address} dev {device}"
        value = f"{entry.address} lladdr {entry.mac}"
        yield said_by(kernel, f"neighbour that no Node announces, on {name}", value, "neighbours", show)
    for behind in found.fdb:
        show = f"bridge fdb show dev {device} | grep {behind.mac}"
        value = f"{behind.mac} dst {behind.destination}"
        yield said_by(kernel, f"FDB entry that no Node announces, on {name}", value, "fdb", show)


def _commands(facts: Facts, name: str, found: _Stale) -> Iterator[str]:
    device = found.reading.device
    for route in found.routes:
        show = f"{ip(route.family)} -d route show table all root {route.destination}  # on {name}: look whose it is"
        yield remove(route, name) if _removable(found, facts, route) else show
    yield from (f"{ip(6 if ':' in e.address else 4)} neigh del {e.address} dev {device}  # on {name}" for e in found.neighbours)
    yield from (f"bridge fdb del {e.mac} dev {device} dst {e.destination} self  # on {name}" for e in found.fdb)
