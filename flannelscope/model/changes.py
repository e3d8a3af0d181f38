"""Nodes that came, went or changed while we looked: what the kernels of all others have to follow."""

from __future__ import annotations

from flannelscope.model.base import Value
from flannelscope.model.nodes import Node


class NodeChange(Value, frozen=True):
    """A Node `before` (None: it was not there) and `after` (None: it is gone); `at` is when we heard of it."""

    at: float
    name: str
    before: Node | None
    after: Node | None
