"""A node keeps entries of a Node that is gone or has moved. flannel never cleans up: what happens while it is not running
leaves its entries for ever. A neighbour or FDB entry alone does no harm; a route swallows what is sent to a block that
may be given away.

How it is known

In two readings, on flannel's tunnel, permanent neighbours for base addresses and FDB entries for MACs that no Node has, or
routes of flannel's to podCIDRs that no Node holds (with host-gw and DirectRouting: routes inside Network with a gateway and
the length of a podCIDR). Learnt FDB entries and what belongs to another flannel network do not count. A route that covers an
address of a living Node is critical. How long the Node has been gone is not known: the two readings are some seconds apart.

How to see it

On the node, `ip route`, `ip neigh show dev flannel.1 nud permanent` and `bridge fdb show dev flannel.1`.

    flannelscope check --ssh --only FLN405 --fail-on info

What to do

Remove the entries, one by one, as shown. A start of flannel does not remove them.

How to undo it

Should a Node with that podCIDR appear, flannel sets its entries anew; there is nothing to bring back.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.cidr import holds, parse_address
from flannelscope.deletion import once
from flannelscope.facts import Facts
from flannelscope.kernel_words import ON_NODES, said_by
from flannelscope.mesh import Mesh, Reading, where
from flannelscope.mesh.cells import ip, remove
from flannelscope.model import Evidence, FdbEntry, Finding, Neighbour, Remedy, Route, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import SHOWN, living
from flannelscope.text import count


class _Stale:
    """What is stale on one node in both readings."""

    def __init__(self, mesh: Mesh, reading: Reading, first: Reading) -> None:
        held = mesh.held
        before = {where(route) for route in first.stale_routes(held)}
        self.reading = reading
        self.routes: tuple[Route, ...] = tuple(r for r in reading.stale_routes(held) if where(r) in before)
        addresses = {entry.address for entry in first.stale_neighbours(held)}
        self.neighbours: tuple[Neighbour, ...] = tuple(n for n in reading.stale_neighbours(held) if n.address in addresses)
        macs = {entry.mac for entry in first.stale_fdb(held)}
        self.fdb: tuple[FdbEntry, ...] = tuple(e for e in reading.stale_fdb(held) if e.mac in macs)

    def __bool__(self) -> bool:
        return bool(self.routes or self.neighbours or self.fdb)


@check("FLN405", "stale-entry", Severity.WARNING, needs=(Topic.NODES, Topic.KERNELS))
def stale_entry(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Nodes with entries of Nodes that are gone."""
    mesh = facts.mesh
    by_node: dict[str, list[_Stale]] = {}
    for grid in mesh.grids if mesh is not None else ():
        for name, reading in grid.readings.items():
            if mesh is not None and (found := _Stale(mesh, reading, grid.firsts.get(name, reading))):
                by_node.setdefault(name, []).append(found)
    for name, several in by_node.items():
        if mesh is not None and name in mesh.doubts:
            yield this.unknown(f"settling: {mesh.doubts[name]}", (name,))
        elif mesh is not None and not mesh.twice(name):
            yield this.unknown("seen once; it is being read again", (name,))
        else:
            yield _finding(this, facts, name, several)
    yield from _not_read(this, mesh)


def _not_read(this: Check, mesh: Mesh | None) -> Iterator[Unknown]:
    reasons: dict[str, dict[str, None]] = {}
    for grid in mesh.grids if mesh is not None else ():
        for (name, _), reason in grid.reasons.items():
            reasons.setdefault(reason, {})[name] = None
    for reason, names in reasons.items():
        yield this.unknown(reason, tuple(names))


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
    return this.finding(
        f"{name} keeps entries of Nodes that are gone: {said}.{live}",
        (node_subject(name),),
        severity=Severity.CRITICAL if covered else Severity.WARNING if routes else Severity.INFO,
        evidence=tuple(e for found in several for e in _evidence(name, found))[:SHOWN],
        remedy=Remedy("Remove them.", tuple(c for found in several for c in _commands(name, found)), ON_NODES),
    )


def _covers(facts: Facts, route: Route) -> bool:
    """Whether a living Node's own address lies in what the route takes."""
    from flannelscope.cidr import parse

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


def _commands(name: str, found: _Stale) -> Iterator[str]:
    device = found.reading.device
    yield from (remove(route, name) for route in found.routes)
    yield from (f"{ip(6 if ':' in e.address else 4)} neigh del {e.address} dev {device}  # on {name}" for e in found.neighbours)
    yield from (f"bridge fdb del {e.mac} dev {device} dst {e.destination} self  # on {name}" for e in found.fdb)
