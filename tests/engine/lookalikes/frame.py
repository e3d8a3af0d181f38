"""What the look-alikes share: how one is registered, and the small corruptions that fit most of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from flannelscope.flannel.annotations import DEFAULT_PREFIX
from flannelscope.model import (
    Lease,
    Node,
    Snapshot,
)
from tests.engine.builders import (
    lease,
)

Pair = tuple[Snapshot, Snapshot]


LOOKALIKES: dict[str, tuple[str, Callable[[], Pair]]] = {}


def lookalike(code: str) -> Callable[[Callable[[], Pair]], Callable[[], Pair]]:
    """Register a function that returns (healthy, corrupted); the corrupted cluster must give `code`."""

    def register(build: Callable[[], Pair]) -> Callable[[], Pair]:
        LOOKALIKES[build.__name__] = (code, build)
        return build

    return register


def with_node(taken: Snapshot, changed: Node) -> Snapshot:
    """The Snapshot with one Node replaced by a changed one of the same name."""
    return replace(taken, nodes=tuple(changed if n.name == changed.name else n for n in taken.nodes))


def with_annotations(what: Node, **said: str) -> Node:
    """The Node with flannel's annotations added or replaced: public_ip="…" is public-ip."""
    changed = {DEFAULT_PREFIX + key.replace("_", "-"): value for key, value in said.items()}
    return replace(what, annotations={**what.annotations, **changed})


def twin(taken: Snapshot) -> Snapshot:
    """The corruption that fits everywhere: the last Node holds the first one's podCIDRs."""
    return with_node(taken, replace(taken.nodes[-1], pod_cidrs=taken.nodes[0].pod_cidrs))


def heartbeats(nodes: Iterable[Node]) -> list[Lease]:
    return [lease(n) for n in nodes]
