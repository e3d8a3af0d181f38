"""Which Nodes wait for a podCIDR, and whether that is because the pool has none left."""

from __future__ import annotations

from flannelscope.facts import NEW_NODE, Facts
from flannelscope.model import Event, Node, Value

UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized"


class Shortage(Value, frozen=True):
    """The pool has no block for these Nodes. `full`: none is free by arithmetic; else only the allocator's word says so."""

    nodes: tuple[str, ...]
    full: bool
    events: tuple[Event, ...]


def shortage(facts: Facts) -> Shortage | None:
    """Nodes that wait because no block is free, or because an allocator's event names them; None when none does."""
    waiting = {node.name: node for node in facts.waiting}
    if not waiting:
        return None
    events = tuple(
        event
        for event in facts.snapshot.events
        if event.reason == "CIDRNotAvailable" and event.kind == "Node" and _about(event, waiting.get(event.name))
    )
    restart = facts.restart if facts.configuration.known else None
    full = restart is not None and bool(restart.pools) and restart.free == 0
    names = tuple(waiting) if full else tuple(dict.fromkeys(event.name for event in events))
    return Shortage(names, full, events) if names else None


def _about(event: Event, node: Node | None) -> bool:
    """Whether the event is about this Node and not about a former one of its name."""
    return node is not None and event.uid in ("", node.uid, node.name)


def long_waiting(facts: Facts) -> tuple[Node, ...]:
    """Nodes older than 2 min without a podCIDR."""
    return tuple(n for n in facts.waiting if n.created is not None and facts.now - n.created > NEW_NODE)
