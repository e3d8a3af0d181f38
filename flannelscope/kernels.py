"""Which reading of a node's kernel is the newest, and why there is none."""

from __future__ import annotations

from flannelscope.model import NO_EYES, Kernel, Snapshot, Topic


def kernel_of(snapshot: Snapshot, node: str) -> Kernel | None:
    """The newest reading of one node, None where it was not read."""
    for sweep in (snapshot.second_sweep, snapshot.sweep):
        if sweep is not None and node in sweep.kernels:
            return sweep.kernels[node]
    return None


def why_unread(snapshot: Snapshot, node: str) -> str:
    """Why there is no reading of it, in words."""
    own = [gap.reason for gap in snapshot.gaps if gap.topic is Topic.KERNELS and gap.node == node]
    if own:
        return own[-1]
    every = [gap.reason for gap in snapshot.gaps if gap.topic is Topic.KERNELS and not gap.node]
    return every[-1] if every else (NO_EYES if Topic.KERNELS not in snapshot.readings else "it did not answer yet")
