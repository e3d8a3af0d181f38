"""FLN116 and the life of the controller manager: what a running pod, its Node and an old Lease prove together."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flannelscope.effective import effective
from flannelscope.model import Lease, Node, Snapshot, Topic

from .builders import NOW, crashing, findings, fleet, healthy, judged, lease, manager_lease, manager_pod, node, running

CP1 = node("cp1", "10.244.0.0/24", ip="10.20.1.1")
WAITING = [node("w8", ip="10.20.0.8"), node("w9", ip="10.20.0.9")]


def cluster(manager: Lease, *flags: str, kubelet: float = 5, cp1: Node = CP1) -> Snapshot:
    """Two Nodes wait for a podCIDR; the manager's pod says that it runs on cp1, whose kubelet's Lease is `kubelet` s old."""
    nodes = [*fleet(2), cp1, *WAITING]
    beats = [lease(n, ago=kubelet if n.name == "cp1" else 5) for n in nodes]
    return healthy(nodes, control_plane_pods=[manager_pod(*flags)], leases=[*beats, manager])


@pytest.mark.parametrize(
    "taken",
    [
        cluster(manager_lease(ago=90 * 86_400), "--leader-elect=false"),
        cluster(manager_lease(ago=120)),
        cluster(manager_lease(ago=2), kubelet=120),
    ],
    ids=["no leader election", "the clock of its machine is behind", "the clock of the kubelet is behind"],
)
def test_a_pod_that_runs_outweighs_an_old_lease(taken: Snapshot) -> None:
    assert effective(taken).manager_up is True
    assert findings(taken, "FLN116") == []


def test_the_real_cause_is_not_hidden_by_a_lease() -> None:
    full = cluster(manager_lease(ago=120), "--cluster-cidr=10.244.0.0/22", "--node-cidr-mask-size=24")
    codes = [f.code for f in judged(full, "FLN105", "FLN106", "FLN116").findings]
    assert "FLN116" not in codes and codes != []


def test_on_a_machine_that_may_be_dead_nothing_is_known() -> None:
    """The manager's Lease and the kubelet's are both old: the clock is behind, or the machine is gone and nobody noticed."""
    taken = cluster(manager_lease(ago=400), kubelet=400)
    assert effective(taken).manager_up is None
    said = judged(taken, "FLN116")
    assert said.findings == ()
    assert ["doubtful" in u.reason for u in said.unknown] == [True]


def test_a_pod_on_a_dead_node_only_seems_to_run() -> None:
    taken = cluster(manager_lease(ago=400), kubelet=400, cp1=replace(CP1, ready="Unknown"))
    [found] = findings(taken, "FLN116")
    assert "400 s ago, and 2 Nodes wait." in found.summary


def test_a_raised_lease_duration_is_heeded() -> None:
    for ago, expected in ((85, None), (95, False)):
        slow = replace(manager_lease(ago=ago), duration=60)
        taken = healthy([*fleet(2), *WAITING], control_plane_pods=[], leases=[slow])
        assert effective(taken).manager_up is expected


def test_one_that_is_being_started_is_not_seen_to_run() -> None:
    starting = running("kube-controller-manager", state="waiting", reason="ContainerCreating", started=None)
    taken = healthy(fleet(2), control_plane_pods=[manager_pod(status=starting)])
    assert effective(taken).manager_up is None


def test_without_leases_the_pod_alone_speaks() -> None:
    taken = cluster(manager_lease(ago=400))
    unread = replace(taken, leases=(), readings={t: r for t, r in taken.readings.items() if t != Topic.LEASES})
    assert effective(unread).manager_up is True


def test_a_lease_cannot_revive_pods_that_crash() -> None:
    pods = [manager_pod(status=crashing("kube-controller-manager", ended=NOW - 30))]
    assert effective(healthy(fleet(2), control_plane_pods=pods)).manager_up is False
