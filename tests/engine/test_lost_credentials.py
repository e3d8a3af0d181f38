"""Credentials that cannot be had for a while (a plugin that fails, a token file that is gone) pass like a cut connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from flannelscope.collect import collect
from flannelscope.errors import NoCluster
from flannelscope.events import GapFound, Grown
from flannelscope.model import IN_API, Gap, Snapshot, Topic
from flannelscope.sources import Part
from flannelscope.sources.access import Access
from flannelscope.sources.credentials import Answer as Credential
from flannelscope.sources.credentials import Fixed
from flannelscope.sources.kube import KubeSource
from flannelscope.sources.tls import Tls
from tests.engine.api_objects import DAEMON_SETS, EVENTS, NODES, PODS, QUICK, a_node, a_pod
from tests.engine.test_watch import SYSTEM_PODS, Followed, watch_of
from tests.fakes.api_server import FakeApi, Json

LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager"
CONFIG = "/api/v1/namespaces/kube-system/configmaps"


class Fickle(Fixed):
    """Credentials that can be had for the first `good` requests, and then only when `well`."""

    def __init__(self, good: int = 1_000_000) -> None:
        super().__init__()
        self.left = good
        self.well = False

    def current(self) -> Credential:
        self.left -= 1
        if self.left < 0 and not self.well:
            raise NoCluster("the exec plugin aws failed with exit code 1", "it says: network is unreachable", "Try it.")
        return super().current()

    def fail(self) -> None:
        """From the next request on."""
        self.left, self.well = 0, False

    def mend(self) -> None:
        self.well = True


def reached(api: FakeApi, credentials: Fickle) -> Access:
    return Access(server=api.url, context="test", tls=Tls(), credentials=credentials)


def lease(second: int) -> Json:
    return {
        "metadata": {"name": "kube-controller-manager", "namespace": "kube-system"},
        "spec": {"renewTime": f"2020-11-21T12:00:{second:02}Z"},
    }


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as made:
        made.has("/version", {"gitVersion": "v1.34.4"})
        made.hold(NODES, "NodeList", [a_node("w1"), a_node("w2", "10.244.2.0/24")])
        made.hold(PODS, "PodList", [a_pod("p1")])
        made.hold(DAEMON_SETS, "DaemonSetList", [])
        made.hold(EVENTS, "EventList", [])
        made.hold(SYSTEM_PODS, "PodList", [])
        made.has(LEASE, lease(0))
        for name in ("kubeadm-config", "kube-proxy"):
            made.has(f"{CONFIG}/{name}", {"metadata": {"name": name, "namespace": "kube-system"}, "data": {}})
        yield made


def collected(api: FakeApi, good: int) -> Snapshot:
    """What is known when the credentials are lost for ever after so many requests."""
    source = KubeSource(reached(api, Fickle(good)), timeout=5.0, pace=QUICK)
    snapshot = Snapshot()
    for event in collect(source, snapshot, threading.Event()):
        if isinstance(event, (Grown, GapFound)):
            snapshot = event.snapshot
    source.close()
    return snapshot


def test_at_the_very_beginning_it_is_said_and_nothing_more(api: FakeApi) -> None:
    with pytest.raises(NoCluster, match="exec plugin aws"):
        collected(api, 0)


def test_in_the_middle_it_costs_what_was_not_read_yet_and_no_more(api: FakeApi) -> None:
    asked_before = 3  # /version, the namespace's uid, the Nodes
    snapshot = collected(api, asked_before)
    assert [node.name for node in snapshot.nodes] == ["w1", "w2"]
    lost = {gap.topic: gap.reason for gap in snapshot.gaps if gap.topic != Topic.VERSION}
    assert set(lost) >= {Topic.DAEMONSETS, Topic.PODS, Topic.EVENTS, Topic.LEASES, Topic.CONTROL_PLANE}
    assert lost[Topic.PODS] == ("The exec plugin aws failed with exit code 1 (it says: network is unreachable). Try it.")
    assert not snapshot.has(Topic.PODS)


@pytest.mark.parametrize("good", range(1, 30))
def test_wherever_it_happens_every_topic_is_read_or_a_gap(api: FakeApi, good: int) -> None:
    snapshot = collected(api, good)
    told = {gap.topic for gap in snapshot.gaps}
    assert [topic for topic in IN_API if topic not in told and not snapshot.has(topic)] == []


def test_a_watch_that_cannot_reconnect_says_so_and_goes_on_when_it_can(api: FakeApi) -> None:
    credentials = Fickle()
    followed = Followed(api, (Topic.NODES,), reached(api, credentials))
    watch = api.watch()
    followed.state("watching")
    credentials.fail()
    watch.end()
    state = followed.state("reconnecting")
    assert state.reason.startswith("The exec plugin aws failed with exit code 1 (it says: network is unreachable). Again in")
    credentials.mend()
    followed.state("watching")
    api.watch().send("DELETED", a_node("w1", version="101"))
    assert [node.name for node in followed.part(Topic.NODES).fields["nodes"]] == ["w2"]
    followed.end()


def test_the_managers_lease_that_cannot_be_read_is_a_gap_until_it_can(api: FakeApi) -> None:
    credentials = Fickle()
    followed = Followed(api, (Topic.CONTROL_PLANE,), reached(api, credentials), lease=0.0)
    for _ in range(2):
        watch_of(api, SYSTEM_PODS)
    followed.part(Topic.CONTROL_PLANE)
    credentials.fail()
    gap = followed.until(lambda answer: isinstance(answer, Gap))
    assert gap.topic == Topic.CONTROL_PLANE
    assert "exec plugin aws" in gap.reason
    api.has(LEASE, lease(9))
    credentials.mend()
    part = followed.until(lambda answer: isinstance(answer, Part) and bool(answer.healed))
    assert [healed.reason for healed in part.healed] == [gap.reason]
    assert part.fields["leases"][0].renewed == 1605960009.0
    followed.end()


def test_a_changed_pod_does_not_make_the_managers_lease_look_older(api: FakeApi) -> None:
    """How long ago the Lease was renewed counts from when it was read; the pods beside it say nothing of that."""
    followed = Followed(api, (Topic.CONTROL_PLANE,), lease=3600.0)
    before = followed.snapshot.readings[Topic.CONTROL_PLANE].at
    manager = a_pod("kube-controller-manager-cp", namespace="kube-system", version="101")
    watch_of(api, SYSTEM_PODS).send("ADDED", manager)
    part = followed.part(Topic.CONTROL_PLANE)
    assert [pod.name for pod in part.fields["control_plane_pods"]] == ["kube-controller-manager-cp"]
    assert part.reading.at == before
    followed.end()


def test_a_second_read_that_fails_is_a_gap_of_its_node(api: FakeApi) -> None:
    credentials = Fickle(1)
    source = KubeSource(reached(api, credentials), timeout=5.0, pace=QUICK)
    answers = list(source.reread(["w1", "w2"], Snapshot(), threading.Event()))
    assert [gap.node for gap in answers if isinstance(gap, Gap)] == ["w1", "w2"]
    source.close()
