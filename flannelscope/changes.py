"""Which Nodes changed in what others' kernels have to follow, and which of those kernels have."""

from __future__ import annotations

from collections.abc import Iterable

from flannelscope.cidr import parse
from flannelscope.cidr import show_address as show
from flannelscope.deletion import once
from flannelscope.facts import Facts
from flannelscope.flannel.annotations import announcements
from flannelscope.kernels import kernel_of
from flannelscope.mesh import State, identity
from flannelscope.model import FdbEntry, Kernel, Neighbour, Node, NodeChange, Route, Value

TUNNEL = "flannel"  # how the names of its devices begin
FOLLOWS = frozenset((State.OK, State.NOT_WANTED, State.EXTRA))
LACKS = frozenset((State.MISSING, State.DIFFERS))


class Followed(Value, frozen=True):
    """How the other kernels that were read since a change stand towards it; of the `unknown` too little was read to tell."""

    followed: tuple[str, ...]
    lacking: tuple[str, ...]
    unknown: tuple[str, ...]
    seen: float | None  # when they were read, the newest

    @property
    def read(self) -> tuple[str, ...]:
        """Those of which it is known."""
        return (*self.followed, *self.lacking)


class _Tables(Value, frozen=True):
    """What one kernel has of routes by a gateway, and of flannel's devices; None: that was not read."""

    blocks: frozenset[str] | None
    neighbours: frozenset[str] | None
    macs: frozenset[str] | None


def noticed(before: Iterable[Node], after: Iterable[Node], at: float) -> tuple[NodeChange, ...]:
    """The Nodes that differ in what other nodes' kernels follow, by name."""
    old, new = {node.name: node for node in before}, {node.name: node for node in after}
    found = []
    for name in sorted({*old, *new}):
        one, other = old.get(name), new.get(name)
        if one is other or (one is not None and other is not None and identity(one) == identity(other)):
            continue
        found.append(NodeChange(at, name, one, other))
    return tuple(found)


def followed(facts: Facts, change: NodeChange) -> Followed:
    """Which kernels, read after the change, show it. What a later change of the same Node undid is judged as it is now."""
    groups: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    gone = _gone(facts, change.before) if change.before is not None else None
    seen = None
    for name in facts.nodes:
        kernel = kernel_of(facts.snapshot, name)
        if name == change.name or kernel is None or kernel.at < change.at:
            continue
        seen = max(seen or 0.0, kernel.at)
        groups[_shows(facts, change, gone, name)].append(name)
    return Followed(tuple(groups[True]), tuple(groups[False]), tuple(groups[None]), seen)


def _shows(facts: Facts, change: NodeChange, gone: _Tables | None, observer: str) -> bool | None:
    """Whether this kernel has followed; None where that is not known."""
    left = _left(gone, _tables(facts)[observer]) if gone is not None else False
    if left or change.after is None:
        return None if left is None else not left
    state = facts.mesh.state(observer, change.name) if facts.mesh is not None else State.UNKNOWN
    if state in LACKS:
        return False
    return True if state in FOLLOWS and left is False else None


def _gone(facts: Facts, node: Node) -> _Tables:
    """What led to a Node as it was, and leads to nobody now. Without a tunnel there is neither neighbour nor FDB entry."""
    held, told = _alive(facts)
    blocks = frozenset(node.pod_cidrs) - held
    macs = _macs(node)
    parsed = (parse(cidr) for cidr in blocks) if macs else ()
    bases = frozenset(show(prefix.family, prefix.base) for prefix in parsed if prefix is not None)
    return _Tables(blocks, bases, macs - told)


def _left(gone: _Tables, has: _Tables) -> bool | None:
    """Whether the kernel still holds any of it; None where it may, in what was not read."""
    pairs = ((gone.blocks, has.blocks), (gone.neighbours, has.neighbours), (gone.macs, has.macs))
    found = [None if held is None else not wanted.isdisjoint(held) for wanted, held in pairs if wanted]
    return True if True in found else (None if None in found else False)


def _macs(node: Node) -> frozenset[str]:
    said = (item.vtep_mac for one in announcements(node) for item in (one.data, one.v6_data))
    return frozenset(mac for mac in said if mac)


@once
def _alive(facts: Facts) -> tuple[frozenset[str], frozenset[str]]:
    """The podCIDRs and the MACs of tunnels that Nodes have now."""
    nodes = facts.snapshot.nodes
    return frozenset(cidr for node in nodes for cidr in node.pod_cidrs), frozenset(mac for node in nodes for mac in _macs(node))


@once
def _tables(facts: Facts) -> dict[str, _Tables]:
    """What each kernel has; each is gone through once for all changes."""
    kernels = ((name, kernel_of(facts.snapshot, name)) for name in facts.nodes)
    return {name: _of(kernel) for name, kernel in kernels if kernel is not None}


def _of(kernel: Kernel) -> _Tables:
    routes: tuple[Route, ...] | None = kernel.facts.get("routes")
    neighbours: tuple[Neighbour, ...] | None = kernel.facts.get("neighbours")
    fdb: tuple[FdbEntry, ...] | None = kernel.facts.get("fdb")
    return _Tables(
        None if routes is None else frozenset(route.destination for route in routes if route.gateway),
        None if neighbours is None else frozenset(item.address for item in neighbours if item.device.startswith(TUNNEL)),
        None if fdb is None else frozenset(item.mac for item in fdb if item.device.startswith(TUNNEL)),
    )
