"""Which reading of a node's kernel is the newest."""

from __future__ import annotations

from flannelscope.model import Kernel, Snapshot


def kernel_of(snapshot: Snapshot, node: str) -> Kernel | None:
    """The newest reading of one node, None where it was not read."""
    for sweep in (snapshot.second_sweep, snapshot.sweep):
        if sweep is not None and node in sweep.kernels:
            return sweep.kernels[node]
    return None
