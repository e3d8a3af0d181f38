"""Lists once, then watches: what changes comes in, over ends, cuts and expiry; what did not change stays the same object."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from queue import Queue
from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope.collect import collect
from flannelscope.errors import NoCluster, ReadFailed
from flannelscope.events import Grown, RequestDone, WatchState
from flannelscope.model import Gap, Snapshot, Topic
from flannelscope.sources import Part
from flannelscope.sources.access import Access
from flannelscope.sources.background import Halt
from flannelscope.sources.faults import Expired
from flannelscope.sources.kube import KubeSource
from flannelscope.sources.streams import Start
from flannelscope.sources.topics.nodes import STREAM
from flannelscope.sources.transport import Reply
from flannelscope.sources.watch import Lines, Pace, Watcher
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
)
from tests.fakes.api_server import Answer, FakeApi, Watch, status

FLANNEL_PODS = "/api/v1/namespaces/kube-flannel/pods"
SYSTEM_PODS = "/api/v1/namespaces/kube-system/pods"
ONLY_NODES = (Topic.NODES,)


class Followed:
    """A source that reads `topics` and follows them in a thread; answers are waited for one by one."""

    def __init__(self, api: FakeApi, topics: tuple[Topic, ...], reach: Access | None = None, **pace: Any) -> None:
        self.api = api
        self.source = KubeSource(reach or access(api.url), timeout=5.0, pace=replace(QUICK, **pace))
        self.stop = threading.Event()
        self.snapshot = Snapshot()
        for topic in topics:
            for answer in self.source.read(topic, self.snapshot, self.stop):
                self.take(answer)
        self.answers: Queue[Any] = Queue()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        for answer in self.source.watch(self.snapshot, self.stop):
            self.answers.put(answer)

    def take(self, answer: Any) -> None:
        if isinstance(answer, Part):
            readings = {**self.snapshot.readings, answer.topic: answer.reading}
            self.snapshot = replace(self.snapshot, readings=readings, **answer.fields)

    def until(self, wanted: Callable[[Any], bool]) -> Any:
        """The next answer of this sort; Parts on the way are taken into the Snapshot."""
        while True:
            answer = self.answers.get(timeout=20)
            self.take(answer)
            if wanted(answer):
                return answer

    def part(self, topic: Topic) -> Part:
        """The next Part of `topic`."""
        got: Part = self.until(lambda answer: isinstance(answer, Part) and answer.topic == topic)
        return got

    def state(self, name: str) -> WatchState:
        """The next WatchState of this name."""
        got: WatchState = self.until(lambda answer: isinstance(answer, WatchState) and answer.state == name)
        return got

    def end(self) -> None:
        """Stop, and see that everything ends."""
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.source.close()


class Unlucky:
    """A transport whose lists end as told, one after the other, and whose watches are always too late."""

    def __init__(self, outcomes: list[Exception | None]) -> None:
        self.outcomes = outcomes
        self.server = "https://k8s.test"

    def get(self, *asked: Any) -> Generator[RequestDone, None, Reply]:
        yield from ()
        outcome = self.outcomes.pop(0)
        if outcome is not None:
            raise outcome
        return Reply(bytearray(b'{"metadata":{"resourceVersion":"7"},"items":[]}'))

    def open(self, *asked: Any) -> Iterator[RequestDone]:
        raise Expired("too old")


Follow = Callable[..., Followed]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as made:
        made.hold(NODES, "NodeList", [a_node("w1"), a_node("w2", "10.244.2.0/24")])
        yield made


@pytest.fixture
def follow(api: FakeApi) -> Iterator[Follow]:
    """Makes a Followed; all of them are ended, whatever happens."""
    made: list[Followed] = []

    def start(topics: tuple[Topic, ...] = ONLY_NODES, **pace: Any) -> Followed:
        made.append(Followed(api, topics, **pace))
        return made[-1]

    yield start
    for followed in made:
        followed.end()


def watch_of(api: FakeApi, path: str) -> Watch:
    """The next watch of `path`."""
    while True:
        watch = api.watch()
        if watch.request.path == path:
            return watch


def test_a_watch_goes_on_from_the_list_and_asks_for_bookmarks(api: FakeApi, follow: Follow) -> None:
    follow()
    asked = api.watch().request.query
    assert asked == {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": "100", "timeoutSeconds": "290"}


def test_what_changed_comes_and_the_rest_stays_the_same_object(api: FakeApi, follow: Follow) -> None:
    followed = follow()
    before = {node.name: node for node in followed.snapshot.nodes}
    watch = api.watch()
    watch.send("MODIFIED", a_node("w2", "10.244.9.0/24", version="101"))
    watch.send("ADDED", a_node("w3", "10.244.3.0/24", version="102"))
    while len(followed.part(Topic.NODES).fields["nodes"]) < 3:
        pass
    after = {node.name: node for node in followed.snapshot.nodes}
    assert after["w1"] is before["w1"]
    assert after["w2"].pod_cidrs == ("10.244.9.0/24",)
    watch.send("DELETED", a_node("w1", version="103"))
    assert [node.name for node in followed.part(Topic.NODES).fields["nodes"]] == ["w2", "w3"]


def test_changes_that_come_together_make_one_part(api: FakeApi, follow: Follow) -> None:
    followed = follow(gather=0.3)
    watch = api.watch()
    for number in range(50):
        watch.send("MODIFIED", a_node("w2", f"10.244.{number}.0/24", version=str(200 + number)))
    assert followed.part(Topic.NODES).fields["nodes"][1].pod_cidrs == ("10.244.49.0/24",)


def test_a_change_marks_itself_so_that_gaps_stay(api: FakeApi, follow: Follow) -> None:
    followed = follow()
    api.watch().send("ADDED", a_node("w3", version="101"))
    part = followed.part(Topic.NODES)
    assert part.change
    assert part.reading.complete


def test_an_ended_watch_goes_on_from_the_last_bookmark(api: FakeApi, follow: Follow) -> None:
    followed = follow()
    watch = api.watch()
    watch.send("ADDED", a_node("w3", version="101"))
    followed.part(Topic.NODES)
    watch.send("BOOKMARK", {"kind": "Node", "metadata": {"resourceVersion": "500"}})
    watch.end()
    again = api.watch()
    assert again.request.query["resourceVersion"] == "500"
    again.send("DELETED", a_node("w3", version="501"))
    assert len(followed.part(Topic.NODES).fields["nodes"]) == 2
    assert len([r for r in api.asked(NODES) if not r.query.get("watch")]) == 1  # listed once, for all that


def test_a_line_may_come_in_pieces(api: FakeApi, follow: Follow) -> None:
    followed = follow()
    watch = api.watch()
    line = b'{"type":"DELETED","object":{"metadata":{"name":"w1","uid":"uid-w1","resourceVersion":"101"}}}\n'
    watch.raw(line[:30])
    watch.raw(line[30:] + b"\n")
    assert [node.name for node in followed.part(Topic.NODES).fields["nodes"]] == ["w2"]


@pytest.mark.parametrize("how", ["in the stream", "at the door"])
def test_a_version_that_is_too_old_is_listed_again(api: FakeApi, follow: Follow, how: str) -> None:
    followed = follow()
    first = {node.name: node for node in followed.snapshot.nodes}
    watch = api.watch()
    api.hold(NODES, "NodeList", [a_node("w1"), a_node("w9", "10.244.9.0/24", version="300")])
    if how == "at the door":
        api.next(NODES, Answer(410, status(410, "Expired", "too old resource version")))
        watch.end()
    else:
        watch.send("ERROR", status(410, "Expired", "too old resource version"))
    part = followed.part(Topic.NODES)
    assert [node.name for node in part.fields["nodes"]] == ["w1", "w9"]
    assert part.fields["nodes"][0] is first["w1"]
    assert not part.change  # a whole reading: what was missing of the last one is answered
    assert api.watch().request.query["resourceVersion"] == "100"


def test_a_whole_kind_is_not_listed_again_before_its_time(api: FakeApi, follow: Follow) -> None:
    followed = follow(relist=3600.0)
    api.watch().send("ERROR", status(410, "Expired", "too old resource version"))
    state = followed.state("relisting")
    assert "read again in 3600 s" in state.reason or "read again in 3599 s" in state.reason
    assert len([r for r in api.asked(NODES) if not r.query.get("watch")]) == 1


def test_a_server_that_fails_is_tried_again_and_it_is_said(api: FakeApi, follow: Follow) -> None:
    followed = follow()
    watch = api.watch()
    api.next(NODES, Answer(503), Answer(500))
    watch.end()
    assert "503" in followed.state("reconnecting").reason
    assert "500" in followed.state("reconnecting").reason
    followed.state("watching")
    api.watch().send("DELETED", a_node("w1", version="101"))
    assert len(followed.part(Topic.NODES).fields["nodes"]) == 1


def test_a_list_that_fails_is_tried_again_soon_and_only_a_good_one_starts_the_time_to_the_next(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes are the least time between two lists of everything, not the price of one page that failed."""
    waits: list[float] = []
    monkeypatch.setattr(Halt, "wait", lambda halt, seconds: waits.append(seconds))
    outcomes = [ReadFailed("The API server answered 500."), Expired("too old"), NoCluster("the exec plugin failed"), None, None]
    watcher = Watcher(Unlucky(outcomes), STREAM, Start("", {}, float("-inf")), Pace(), Queue(), Halt(threading.Event()))  # type: ignore[arg-type] # a transport
    for _ in range(4):
        watcher._step()
    assert [0.25 <= wait <= 0.5 * 2**number for number, wait in enumerate(waits[:3])] == [True] * 3
    assert waits[3:] == []  # the fourth list came, and its watch was too late
    watcher._step()
    assert 590 < waits[-1] <= 600


def test_a_long_line_is_put_together_from_many_pieces() -> None:
    lines = Lines("")
    assert lines.take(b"a") == []
    assert [lines.take(b"b" * 1000) for _ in range(1000)] == [[]] * 1000
    assert lines.take(b"c\n\nd\ne") == [b"a" + b"b" * 1_000_000 + b"c", b"", b"d"]
    assert lines.take(b"\n") == [b"e"]


def test_a_line_without_end_is_not_gathered_for_ever(api: FakeApi, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flannelscope.sources.watch.MOST_LINE", 1 << 20)
    followed = follow()
    watch = api.watch()
    for _ in range(20):
        watch.raw(b" " * (1 << 16))
    assert "larger than 1 MiB" in followed.state("reconnecting").reason
    api.watch().send("DELETED", a_node("w1", version="101"))
    assert [node.name for node in followed.part(Topic.NODES).fields["nodes"]] == ["w2"]


def test_an_error_that_is_no_410_does_not_list_again(api: FakeApi, follow: Follow) -> None:
    followed = follow()
    api.watch().send("ERROR", status(500, "InternalError", "etcd event received with PrevKv=nil"))
    assert "PrevKv" in followed.state("reconnecting").reason
    api.watch()
    assert len([r for r in api.asked(NODES) if not r.query.get("watch")]) == 1


@pytest.mark.parametrize("data", [b"<html>\n", b'{"type":"ADDED","object"\n', b"\xff\n"])
def test_a_line_that_is_no_json_means_another_try(api: FakeApi, follow: Follow, data: bytes) -> None:
    followed = follow()
    api.watch().raw(data)
    assert "not what an API server sends" in followed.state("reconnecting").reason


def test_a_missing_right_to_watch_is_said_and_ends_that_watch(api: FakeApi, follow: Follow) -> None:
    api.next(NODES, api.page(NODES), Answer(403))
    followed = follow()
    gap = followed.until(lambda answer: isinstance(answer, Gap))
    assert (gap.verb, gap.resource) == ("watch", "nodes")
    assert followed.state("off").topic == Topic.NODES


def test_silence_is_a_cut(api: FakeApi, follow: Follow) -> None:
    followed = follow(silence=0.2)
    api.watch()
    followed.state("reconnecting")
    assert api.watch().request.query["resourceVersion"] == "100"


def test_pods_daemonsets_and_events_are_followed_too(api: FakeApi, follow: Follow) -> None:
    api.hold(PODS, "PodList", [a_pod("p1")])
    api.hold(DAEMON_SETS, "DaemonSetList", [])
    api.hold(EVENTS, "EventList", [])
    followed = follow((Topic.DAEMONSETS, Topic.EVENTS, Topic.PODS))
    watches = {(w.request.path, w.request.query.get("fieldSelector", "")): w for w in (api.watch() for _ in range(6))}
    watches[PODS, ""].send("ADDED", a_pod("p2", version="101"))
    assert len(followed.part(Topic.PODS).fields["pods"]) == 2
    event = {"metadata": {"name": "e", "uid": "e1", "resourceVersion": "102"}, "reason": "CIDRNotAvailable"}
    watches[EVENTS, "reason=CIDRNotAvailable"].send("ADDED", event)
    assert [e.reason for e in followed.part(Topic.EVENTS).fields["events"]] == ["CIDRNotAvailable"]


def whole_flannel(followed: Followed) -> list[str]:
    """The names of flannel's pods as soon as all lists of them are there."""
    got = followed.until(lambda a: isinstance(a, Part) and a.topic == Topic.FLANNEL_PODS and a.reading.complete)
    return sorted(pod.name for pod in got.fields["flannel_pods"])


def test_a_flannel_that_is_installed_meanwhile_is_followed(api: FakeApi, follow: Follow) -> None:
    api.hold(DAEMON_SETS, "DaemonSetList", [])
    api.hold(FLANNEL_PODS, "PodList", [flannel_pod()])
    followed = follow((Topic.DAEMONSETS,))
    api.watch().send("ADDED", flannel_daemonset())
    assert whole_flannel(followed) == ["kube-flannel-x"]
    watch_of(api, FLANNEL_PODS).send("MODIFIED", flannel_pod(restarts=4, version="101"))
    detail = followed.part(Topic.FLANNEL_PODS).fields["flannel_pods"][0].detail
    assert detail.statuses[0].restarts == 4


def test_until_the_pods_of_every_new_flannel_are_listed_they_are_not_said_to_be_all(api: FakeApi, follow: Follow) -> None:
    """Two DaemonSets appear, and the list of one takes long: without its pods flannel would seem to be missing on its nodes."""
    slow = "/api/v1/namespaces/other/pods"
    held = threading.Event()
    api.hold(DAEMON_SETS, "DaemonSetList", [])
    api.hold(FLANNEL_PODS, "PodList", [flannel_pod()])
    api.hold(slow, "PodList", [flannel_pod("kube-flannel-y")])
    api.next(slow, api.page(slow)._replace(wait=held))
    followed = follow((Topic.DAEMONSETS, Topic.FLANNEL_PODS))
    assert followed.snapshot.readings[Topic.FLANNEL_PODS].complete
    opened = api.watch()
    opened.send("ADDED", flannel_daemonset())
    opened.send("ADDED", flannel_daemonset("other"))
    first = followed.part(Topic.FLANNEL_PODS)
    assert not first.reading.complete
    listed = followed.until(lambda a: isinstance(a, Part) and a.topic == Topic.FLANNEL_PODS and a.fields["flannel_pods"])
    assert [pod.name for pod in listed.fields["flannel_pods"]] == ["kube-flannel-x"]
    assert not listed.reading.complete
    held.set()
    assert whole_flannel(followed) == ["kube-flannel-x", "kube-flannel-y"]


def test_the_managers_lease_is_read_now_and_then(api: FakeApi, follow: Follow) -> None:
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager"
    api.hold(SYSTEM_PODS, "PodList", [])
    api.has(
        path,
        {
            "metadata": {"name": "kube-controller-manager", "namespace": "kube-system"},
            "spec": {"renewTime": "2020-11-21T12:00:00Z"},
        },
    )
    followed = follow((Topic.CONTROL_PLANE,), lease=0.0)
    api.has(
        path,
        {
            "metadata": {"name": "kube-controller-manager", "namespace": "kube-system"},
            "spec": {"renewTime": "2020-11-21T12:00:09Z"},
        },
    )
    followed.until(lambda a: isinstance(a, Part) and a.fields.get("leases", ()) and a.fields["leases"][0].renewed == 1605960009.0)


def test_stop_ends_all_watches_at_once(api: FakeApi) -> None:
    followed = Followed(api, ONLY_NODES)
    api.watch()
    followed.state("watching")
    watching = [thread for thread in threading.enumerate() if thread.name == "flannelscope-watch-nodes"]
    followed.end()
    for thread in watching:  # one that still waited for bytes would do so for 150 seconds
        thread.join(10)
        assert not thread.is_alive()


def test_requests_of_watches_are_recorded(api: FakeApi, follow: Follow) -> None:
    followed = follow()
    done = followed.until(lambda answer: isinstance(answer, RequestDone))
    assert (done.status, done.note) == (200, "watch")


def test_collect_and_follow_share_the_snapshot(api: FakeApi) -> None:
    """The interface that front ends use: a Snapshot grown by `collect` is what `watch` goes on from."""
    source = KubeSource(access(api.url), pods="none", timeout=1.0, pace=QUICK)
    api.has("/version", {"gitVersion": "v1.34.4"})
    grown = [event.snapshot for event in collect(source, Snapshot(), threading.Event()) if isinstance(event, Grown)]
    assert [node.name for node in grown[-1].nodes] == ["w1", "w2"]
    source.close()
