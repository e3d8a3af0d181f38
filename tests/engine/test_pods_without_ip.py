"""FLN114: how grave it is that pods get no address, and on which Nodes that cannot be said."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flannelscope.model import Pod, Severity, Snapshot, Topic

from .builders import NOW, event, findings, fleet, healthy, lease, manager_lease, pod, unknowns, waiting_pod

NO_SUBNET_FILE = 'plugin type="flannel" failed (add): open /run/flannel/subnet.env: no such file or directory'
ANYTHING = "rpc error: code = Unknown desc = failed to create containerd task"
NODES = fleet(2)
WAITING = waiting_pod("new-1", NODES[0], since=NOW - 600)


def cluster(message: str, *others: Pod, ago: float = 30, reason: str = "FailedCreatePodSandBox", kubelet: float = 5) -> Snapshot:
    """A pod waits on w001 for ten minutes, as an event of so many seconds ago says; its kubelet's Lease is `kubelet` s old."""
    beats = [lease(NODES[0], ago=kubelet), lease(NODES[1]), manager_lease()]
    return healthy(NODES, pods=[WAITING, *others], events=[event(reason, WAITING, message, ago=ago)], leases=beats)


OLD_PODS = tuple(pod(f"old-{k}", NODES[0], f"10.244.1.{k}") for k in range(2, 22))
LATER = pod("later-1", NODES[0], "10.244.1.99", scheduled=NOW - 300)


@pytest.mark.parametrize(
    ("taken", "severity", "words"),
    [
        (cluster(ANYTHING), Severity.CRITICAL, "No pod of this Node has one"),
        (cluster(NO_SUBNET_FILE, *OLD_PODS), Severity.CRITICAL, "holds for every new pod"),
        (cluster("", *OLD_PODS, reason="NetworkNotReady"), Severity.CRITICAL, "holds for every new pod"),
        (cluster(ANYTHING, *OLD_PODS), Severity.WARNING, "whether they got it since is not known"),
        (cluster(NO_SUBNET_FILE, *OLD_PODS, LATER), Severity.WARNING, "Another pod got one since"),
        (cluster(ANYTHING, replace(OLD_PODS[0], phase="Succeeded")), Severity.CRITICAL, "No pod of this Node has one"),
    ],
    ids=[
        "none has",
        "old pods, no subnet file",
        "old pods, no network",
        "old pods, any reason",
        "a later one has",
        "a finished one",
    ],
)
def test_how_grave_it_is(taken: Snapshot, severity: Severity, words: str) -> None:
    [found] = findings(taken, "FLN114")
    assert found.severity == severity
    assert words in found.summary


def test_that_nobody_knows_what_became_of_later_pods_is_said() -> None:
    assert [u.nodes for u in unknowns(cluster(ANYTHING, *OLD_PODS), "FLN114")] == [("w001",)]
    assert unknowns(cluster(NO_SUBNET_FILE, *OLD_PODS), "FLN114") == []
    assert unknowns(cluster(ANYTHING), "FLN114") == []


class TestDoubtfulKubelet:
    """Its clock is 90 s behind, or no Lease was read: the pods wait nevertheless."""

    def test_a_fresh_event_of_the_kubelet_is_a_sign_of_life(self) -> None:
        taken = cluster(NO_SUBNET_FILE, kubelet=90)
        assert [f.severity for f in findings(taken, "FLN114")] == [Severity.CRITICAL]
        assert unknowns(taken, "FLN114") == []

    def test_with_older_events_only_it_is_unknown_too(self) -> None:
        taken = cluster(NO_SUBNET_FILE, ago=400, kubelet=400)
        [found] = findings(taken, "FLN114")
        assert found.severity == Severity.CRITICAL
        assert any(e.what == "Ready of w001" for e in found.evidence)
        assert [u.nodes for u in unknowns(taken, "FLN114")] == [("w001",)]

    def test_leases_are_not_needed(self) -> None:
        taken = cluster(NO_SUBNET_FILE)
        unread = replace(taken, leases=(), readings={t: r for t, r in taken.readings.items() if t != Topic.LEASES})
        assert len(findings(unread, "FLN114")) == 1


@pytest.mark.parametrize(("scope", "words"), [("suspect", "--pods suspect"), ("those in the file", "(those in the file)")])
def test_nodes_whose_pods_were_not_read_are_unknown(scope: str, words: str) -> None:
    taken = healthy(NODES)
    part = replace(taken, readings={**taken.readings, Topic.PODS: replace(taken.readings[Topic.PODS], scope=scope)})
    [left_out] = unknowns(part, "FLN114")
    assert words in left_out.reason
    assert unknowns(taken, "FLN114") == []
