"""Which Nodes changed in what others' kernels have to follow, and which of those kernels have."""

from __future__ import annotations

from collections.abc import Iterable

from flannelscope.cidr import parse
from flannelscope.cidr import show_address as show
from flannelscope.facts import Facts
from flannelscope.flannel.annotations import announcements
from flannelscope.kernels import kernel_of
from flannelscope.mesh import State
from flannelscope.model import FdbEntry, Kernel, Neighbour, Node, NodeChange, Route, Value

FOLLOWS = frozenset((State.OK, State.NOT_WANTED, State.EXTRA))


class Followed(Value, frozen=True):
    """How the other kernels stand towards a change: those that were read since then, and those of them that lack it."""

    read: tuple[str, ...]
    lacking: tuple[str, ...]
    seen: float | None  # when they were read, the newest


def matters(node: Node) -> object:
    """What of a Node other nodes' kernels follow."""
    return node.uid, node.pod_cidrs, sorted(node.annotations.items())


def noticed(before: Iterable[Node], after: Iterable[Node], at: float) -> tuple[NodeChange, ...]:
    """The Nodes that differ in what matters, by name."""
    old, new = {node.name: node for node in before}, {node.name: node for node in after}
    found = []
    for name in sorted({*old, *new}):
        one, other = old.get(name), new.get(name)
        if one is other or (one is not None and other is not None and matters(one) == matters(other)):
            continue
        found.append(NodeChange(at, name, one, other))
    return tuple(found)


def followed(facts: Facts, change: NodeChange) -> Followed:
    """Which kernels, read after the change, show it. What a later change of the same Node undid is judged as it is now."""
    read, lacking, seen = [], [], None
    for name in facts.nodes:
        kernel = kernel_of(facts.snapshot, name)
        if name == change.name or kernel is None or kernel.at < change.at:
            continue
        read.append(name)
        seen = max(seen or 0.0, kernel.at)
        if not _shows(facts, change, name, kernel):
            lacking.append(name)
    return Followed(tuple(read), tuple(lacking), seen)


def _shows(facts: Facts, change: NodeChange, observer: str, kernel: Kernel) -> bool:
    if change.before is not None and _left(facts, change.before, kernel):
        return False
    if change.after is None:
        return True
    mesh = facts.mesh
    return mesh is None or mesh.state(observer, change.name) in FOLLOWS


def _left(facts: Facts, gone: Node, kernel: Kernel) -> bool:
    """Whether the kernel still holds a route, neighbour or FDB entry of what the Node had and nobody has now."""
    held = {cidr for node in facts.snapshot.nodes for cidr in node.pod_cidrs}
    blocks = {cidr for cidr in gone.pod_cidrs if cidr not in held}
    parsed = (parse(cidr) for cidr in blocks)
    bases = {show(prefix.family, prefix.base) for prefix in parsed if prefix is not None}
    told = {item.vtep_mac for node in facts.snapshot.nodes for said in announcements(node) for item in (said.data, said.v6_data)}
    macs = {item.vtep_mac for said in announcements(gone) for item in (said.data, said.v6_data)} - told - {""}
    routes: tuple[Route, ...] = kernel.facts.get("routes") or ()
    neighbours: tuple[Neighbour, ...] = kernel.facts.get("neighbours") or ()
    fdb: tuple[FdbEntry, ...] = kernel.facts.get("fdb") or ()
    return (
        any(route.destination in blocks and bool(route.gateway) for route in routes)
        or any(item.address in bases and item.device.startswith("flannel") for item in neighbours)
        or any(item.mac in macs and item.device.startswith("flannel") for item in fdb)
    )
