"""Who did not change while the kernels were read: the API's word and a kernel's are of one moment only then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flannelscope.flannel.annotations import KEYS
from flannelscope.model import Node, Sweep

SEEN_ONCE = "seen once; it is being read again"
NOT_AGAIN = "seen once; it could not be read again"
QUIET = 30.0  # seconds before the sweep in which nobody wrote podCIDR or annotations


def unsteady(sweep: Sweep, now: Mapping[str, Node], names: Iterable[str]) -> dict[str, str]:
    """Those of the Nodes that were not the same right before the sweep, right after, and now; with the reason.

    Times of managedFields are upper bounds: an entry is rewritten as a whole.
    """
    if sweep.after is None:
        return dict.fromkeys(names, "the Nodes have not been read again since the kernels were")
    return {name: why for name in names if (why := _changed(sweep, sweep.after, now, name))}


def _changed(sweep: Sweep, after: Mapping[str, Node], now: Mapping[str, Node], name: str) -> str:
    node, first, last = now.get(name), sweep.before.get(name), after.get(name)
    if node is None or first is None or last is None:
        return "its Node appeared or went while the kernels were read"
    if first is not node or last is not node:
        said = identity(node)
        if identity(first) != said or identity(last) != said:
            return "its Node changed while the kernels were read"
    written = max((w.at for w in node.writers if w.at is not None), default=None)
    return "its Node was written just before the kernels were read" if written and written > sweep.begun - QUIET else ""


def identity(node: Node) -> tuple[object, ...]:
    """What must stay the same: uid, podCIDRs, flannel's annotations."""
    said = sorted((key, value) for key, value in node.annotations.items() if key.endswith(KEYS))
    return node.uid, node.pod_cidrs, tuple(said)
