"""Whether a kubelet lives, as far as the API tells.

Two things speak of it. The Ready condition is set to Unknown by the controller manager, by its own clock, once a kubelet has
been silent for 40 to 50 s. The Lease in kube-node-lease is renewed every ten seconds, and its renewTime is the kubelet's
clock. So a fresh Lease is a sign of life and Ready Unknown a sign of death; but an old Lease beside a known condition may be
a clock that is behind, or a dead kubelet while no controller manager is there to say so. That is doubt, not death.
"""

from __future__ import annotations

from flannelscope.model import Lease, Node, Snapshot, Topic

LEASE_FRESH = 60.0  # seconds: a duration of 40 s and a half, for the reading may be a little old


def fresh(lease: Lease, at: float) -> bool:
    """Whether at this time (Unix seconds) the Lease was renewed within one and a half of its duration, at least 60 s."""
    return lease.renewed is not None and at - lease.renewed <= max(LEASE_FRESH, 1.5 * (lease.duration or 0))


def kubelet_lease(snapshot: Snapshot, name: str) -> Lease | None:
    """The Lease of one Node's kubelet."""
    return next((x for x in snapshot.leases if x.name == name and x.namespace == "kube-node-lease"), None)


def alive(snapshot: Snapshot, node: Node, lease: Lease | None) -> bool | None:
    """True: its Lease is fresh and Ready not Unknown. False: Ready is Unknown, or nothing ever spoke for it. None: doubtful.

    Doubtful is a Node whose Lease is old or absent while Ready is True or False, and any Node while Leases were not read.
    """
    if node.ready == "Unknown":
        return False
    if not snapshot.has(Topic.LEASES):
        return None
    # Leases are listed, not watched: each is judged by the clock of its reading, what came later by the Ready condition.
    if lease is not None and fresh(lease, snapshot.readings[Topic.LEASES].at):
        return True
    if node.ready and node.ready_since is not None and node.ready_since > snapshot.readings[Topic.LEASES].at:
        return True  # only a kubelet sets Ready to True or False, and it did since the Leases were read
    return None if node.ready else False
