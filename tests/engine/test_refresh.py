"""Reading again while changes are followed: lists that are young stay, and only what no watch tells of is asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from flannelscope.collect import collect
from flannelscope.errors import CannotRead
from flannelscope.events import Grown, Refreshed, WatchState
from flannelscope.model import Gap, Snapshot, Topic
from flannelscope.sources import Part
from flannelscope.sources.kube import TOPICS, KubeSource
from flannelscope.sources.streams import Start, Starts
from flannelscope.sources.topics import events, nodes
from flannelscope.sources.watch import Watcher
from tests.engine.api_objects import (
    DAEMON_SETS,
    EVENTS,
    NODES,
    PODS,
    QUICK,
    a_node,
    a_pod,
    access,
    flannel_daemonset,
    flannel_pod,
    source,
)
from tests.engine.test_watch import FLANNEL_PODS, SYSTEM_PODS, Followed, watch_of
from tests.fakes.api_server import Answer, FakeApi, Json

MANAGER_LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager"
NODE_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
FLANNEL_CONFIG = "/api/v1/namespaces/kube-flannel/configmaps/kube-flannel-cfg"
POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"
WATCHED = (NODES, PODS, DAEMON_SETS, EVENTS, FLANNEL_PODS, SYSTEM_PODS)
EVERY_TOPIC = tuple(TOPICS)
TEN_MINUTES = 600.0
NOON, LATER = 1605960000.0, 1605960009.0


def lease(namespace: str, name: str, renewed: str) -> Json:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"renewTime": renewed}}


def leases_at(api: FakeApi, renewed: str) -> None:
    """All Leases were renewed at this time."""
    api.has(MANAGER_LEASE, lease("kube-system", "kube-controller-manager", renewed))
    api.hold(NODE_LEASES, "LeaseList", [lease("kube-node-lease", "w1", renewed)])


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """A small cluster with flannel."""
    with FakeApi() as made:
        made.has("/version", {"major": "1", "minor": "34", "gitVersion": "v1.34.4"})
        made.has("/api/v1/namespaces/kube-system", {"metadata": {"name": "kube-system", "uid": "the-uid"}})
        made.has(FLANNEL_CONFIG, {"metadata": {"name": "kube-flannel-cfg", "namespace": "kube-flannel"}, "data": {}})
        made.has("/api/v1/namespaces/default/services/kubernetes", {"metadata": {"name": "kubernetes"}, "spec": {}})
        made.hold(NODES, "NodeList", [a_node("w1")])
        made.hold(PODS, "PodList", [a_pod("p1"), flannel_pod()])
        made.hold(DAEMON_SETS, "DaemonSetList", [flannel_daemonset()])
        made.hold(FLANNEL_PODS, "PodList", [flannel_pod()])
        for path, kind in ((SYSTEM_PODS, "PodList"), (EVENTS, "EventList"), (POLICIES, "NetworkPolicyList")):
            made.hold(path, kind, [])
        leases_at(made, "2020-11-21T12:00:00Z")
        yield made


@pytest.fixture
def followed(api: FakeApi) -> Iterator[Followed]:
    """Everything was listed a moment ago and is followed."""
    made = Followed(api, EVERY_TOPIC, relist=TEN_MINUTES)
    made.state("watching")
    yield made
    made.end()


def refreshed(followed: Followed) -> Refreshed:
    """Ask, and wait until it is answered."""
    assert followed.source.refresh()
    got: Refreshed = followed.until(lambda answer: isinstance(answer, Refreshed))
    return got


def lists(api: FakeApi, path: str) -> int:
    """How often `path` was asked for, watches aside."""
    return len([request for request in api.asked(path) if not request.query.get("watch")])


def test_what_is_watched_is_not_listed_again(api: FakeApi, followed: Followed) -> None:
    before = {path: lists(api, path) for path in WATCHED}
    answer = refreshed(followed)
    assert {path: lists(api, path) for path in WATCHED} == before
    assert TEN_MINUTES - 60 < answer.lists_in <= TEN_MINUTES
    assert answer.failed == ""


def test_what_is_not_watched_is_asked_for_again_and_its_time_is_new(api: FakeApi, followed: Followed) -> None:
    unwatched = ("/version", NODE_LEASES, MANAGER_LEASE, FLANNEL_CONFIG, POLICIES)
    before, readings = {path: lists(api, path) for path in unwatched}, followed.snapshot.readings
    leases_at(api, "2020-11-21T12:00:09Z")
    refreshed(followed)
    followed.until(lambda answer: isinstance(answer, Part) and answer.topic == Topic.CONTROL_PLANE)
    assert {path: lists(api, path) for path in unwatched} == {path: count + 1 for path, count in before.items()}
    assert {item.name: item.renewed for item in followed.snapshot.leases} == {"kube-controller-manager": LATER, "w1": LATER}
    for topic in (Topic.VERSION, Topic.LEASES, Topic.CONFIGURATION, Topic.SERVICES, Topic.POLICIES):
        assert followed.snapshot.readings[topic].at != readings[topic].at, topic


def test_nothing_that_is_known_is_lost_meanwhile(followed: Followed) -> None:
    before = followed.snapshot
    refreshed(followed)
    after = followed.snapshot
    for field in ("nodes", "pods", "flannel_pods", "daemonsets", "config_maps", "leases"):
        assert len(getattr(after, field)) == len(getattr(before, field)), field


def test_nodes_that_are_read_anew_do_not_vanish_page_by_page(api: FakeApi) -> None:
    api.hold(NODES, "NodeList", [a_node(f"w{number}") for number in range(1200)])
    known = Snapshot()
    with source(api, pods="none") as made:
        for _ in range(2):
            counts = []
            for event in collect(made, known, threading.Event()):
                if isinstance(event, Grown):
                    known = event.snapshot
                    counts.append(len(known.nodes))
    assert set(counts) == {1200}  # the second time


def test_an_upgrade_seen_then_is_not_forgotten_by_the_watches(api: FakeApi, followed: Followed) -> None:
    api.has("/version", {"major": "1", "minor": "35", "gitVersion": "v1.35.0"})
    refreshed(followed)
    watch_of(api, NODES).send("MODIFIED", a_node("w1", "10.244.9.0/24", version="101"))
    assert followed.part(Topic.NODES).fields["cluster"].version == "v1.35.0"


def test_old_lists_mean_that_everything_is_read_anew(api: FakeApi) -> None:
    followed = Followed(api, (Topic.NODES,), relist=0.0)
    assert not followed.source.refresh()
    followed.end()


def test_a_kind_that_may_not_be_watched_is_listed_and_the_others_are_not(api: FakeApi) -> None:
    api.next(PODS, api.page(PODS), Answer(403))
    followed = Followed(api, EVERY_TOPIC, relist=TEN_MINUTES)
    followed.until(lambda answer: isinstance(answer, WatchState) and (answer.topic, answer.state) == (Topic.PODS, "off"))
    before = {path: lists(api, path) for path in WATCHED}
    api.hold(PODS, "PodList", [a_pod("p1"), a_pod("p2")])
    refreshed(followed)
    assert {path: lists(api, path) for path in WATCHED} == {**before, PODS: before[PODS] + 1}
    assert [pod.name for pod in followed.snapshot.pods] == ["p1", "p2"]
    watch_of(api, PODS).send("DELETED", a_pod("p1", version="101"))  # the right to watch was granted meanwhile
    assert [pod.name for pod in followed.part(Topic.PODS).fields["pods"]] == ["p2"]
    followed.end()


def test_a_lease_that_could_not_be_read_then_is_healed_when_it_can(api: FakeApi) -> None:
    """The pods may not be watched, so r lists them; the manager's Lease fails once, and is read a moment later."""
    api.next(SYSTEM_PODS, *(api.page(SYSTEM_PODS) for _ in range(2)), Answer(403), Answer(403))
    followed = Followed(api, EVERY_TOPIC, relist=TEN_MINUTES)
    for _ in range(2):
        followed.until(lambda a: isinstance(a, WatchState) and (a.topic, a.state) == (Topic.CONTROL_PLANE, "off"))
    api.next(MANAGER_LEASE, Answer(403))
    assert followed.source.refresh()
    gap = followed.until(lambda answer: isinstance(answer, Gap) and answer.topic == Topic.CONTROL_PLANE)
    part = followed.until(lambda a: isinstance(a, Part) and a.topic == Topic.CONTROL_PLANE and a.change)
    assert [(item.reason, item.resource) for item in part.healed] == [(gap.reason, gap.resource)]
    followed.end()


def test_only_lists_of_a_whole_kind_count() -> None:
    starts = Starts()
    starts.put(events.STREAMS[0], Start("1", {}, 500.0))
    assert starts.newest() == float("-inf")
    starts.put(nodes.STREAM, Start("1", {}, 100.0))
    assert starts.newest() == 100.0
    starts.listed(nodes.STREAM, 700.0)
    assert starts.newest() == 700.0


def test_a_kind_that_was_refused_is_asked_for_again_and_followed_from_then_on(api: FakeApi) -> None:
    api.next(EVENTS, Answer(403))
    followed = Followed(api, EVERY_TOPIC, relist=TEN_MINUTES)
    assert not followed.snapshot.has(Topic.EVENTS)
    refreshed(followed)
    assert followed.snapshot.has(Topic.EVENTS)
    assert watch_of(api, EVENTS).request.query["watch"] == "1"
    followed.end()


def test_a_server_that_does_not_answer_is_said_and_the_watches_go_on(api: FakeApi, followed: Followed) -> None:
    api.always("/version", Answer(400))
    assert "400" in refreshed(followed).failed
    watch_of(api, NODES).send("DELETED", a_node("w1", version="101"))
    assert followed.part(Topic.NODES).fields["nodes"] == ()


def test_a_topic_that_fails_then_is_a_gap_and_the_rest_is_read(api: FakeApi, followed: Followed) -> None:
    api.always(NODE_LEASES, Answer(403))
    assert followed.source.refresh()
    assert followed.until(lambda answer: isinstance(answer, Gap)).resource == "leases in namespace kube-node-lease"
    assert followed.until(lambda answer: isinstance(answer, Refreshed)).failed == ""
    assert [item.renewed for item in followed.snapshot.leases if item.name == "w1"] == [NOON]


def test_the_leases_of_kubelets_are_listed_now_and_then_without_being_asked_for(api: FakeApi) -> None:
    followed = Followed(api, (Topic.NODES, Topic.LEASES), leases=0.0)
    leases_at(api, "2020-11-21T12:00:09Z")
    followed.until(lambda a: isinstance(a, Part) and a.topic == Topic.LEASES and a.fields["leases"][0].renewed == LATER)
    followed.end()


# --- what ends the following of changes is raised, so that the operator hears of it -------------------------------------------


def follow_nodes(api: FakeApi) -> tuple[KubeSource, Snapshot]:
    """A source that has listed the Nodes, and what it read."""
    source = KubeSource(access(api.url), pace=QUICK)
    snapshot = Snapshot()
    for answer in source.read(Topic.NODES, snapshot, threading.Event()):
        if isinstance(answer, Part):
            snapshot = replace(snapshot, readings={answer.topic: answer.reading}, **answer.fields)
    return source, snapshot


def test_a_login_that_is_not_accepted_any_more_is_raised(api: FakeApi) -> None:
    api.next(NODES, api.page(NODES), Answer(401))
    source, known = follow_nodes(api)
    with pytest.raises(CannotRead, match="does not accept these credentials"):
        list(source.watch(known, threading.Event()))
    source.close()


def test_an_error_of_our_own_in_a_watch_is_raised(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Watcher, lines: list[bytes]) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(Watcher, "_take", wrong)
    source, known = follow_nodes(api)
    threading.Thread(target=lambda: api.watch().send("ADDED", a_node("w3", version="101")), daemon=True).start()
    with pytest.raises(ZeroDivisionError):
        list(source.watch(known, threading.Event()))
    source.close()
