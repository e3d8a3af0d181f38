"""What one node said of itself, in tabs."""

from __future__ import annotations

from flannelscope.details import About, detail
from flannelscope.facts import Facts
from flannelscope.judge import Judgement
from flannelscope.kernels import kernel_of
from flannelscope.node_tabs import tabs_of
from flannelscope.node_views import NodeSaysView
from flannelscope.text import clean


@detail("node-says")
def node_says(facts: Facts, judgement: Judgement, about: About) -> NodeSaysView | None:
    """The newest reading of the node, or why there is none."""
    name = about[0] if about else ""
    if name not in facts.nodes:
        return None
    kernel = kernel_of(facts.snapshot, name)
    if kernel is None:
        return NodeSaysView(node=name, missing=clean(facts.why_no_kernel(name), 300))
    return NodeSaysView(node=name, origin=clean(kernel.origin), at=kernel.at, tabs=tabs_of(facts, kernel))
