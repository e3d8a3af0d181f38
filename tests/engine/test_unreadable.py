"""What cannot be read is said and counted, and not shown as what it was before; a good version mends it. All while watching."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Queue

import pytest
from msgspec.structs import replace

from flannelscope.collect import collect, follow
from flannelscope.events import GapFound, Grown
from flannelscope.model import Gap, Reading, Snapshot, Topic
from flannelscope.sources import Part
from flannelscope.sources.kube import KubeSource
from tests.engine.api_objects import DAEMON_SETS, EVENTS, NODES, QUICK, a_node, access
from tests.engine.test_watch import watch_of
from tests.fakes.api_server import Answer, FakeApi, Json, Watch, status


def unreadable(name: str, version: str = "101", labels: object = "not a map") -> Json:
    """A Node that a broken webhook or a proxy has touched."""
    return a_node(name, version=version, labels=labels)


class Watching:
    """A cluster that was collected and is followed; `until` waits for what is known to be as wanted."""

    def __init__(self, api: FakeApi) -> None:
        self.source = KubeSource(access(api.url), pods="none", timeout=5.0, pace=QUICK)
        self.stop = threading.Event()
        self.snapshot = Snapshot()
        for event in collect(self.source, self.snapshot, self.stop):
            if isinstance(event, (Grown, GapFound)):
                self.snapshot = event.snapshot
        self._known: Queue[Snapshot] = Queue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for event in follow(self.source, self.snapshot, self.stop):
            if isinstance(event, (Grown, GapFound)):
                self._known.put(event.snapshot)

    def until(self, wanted: Callable[[], bool]) -> None:
        while not wanted():
            self.snapshot = self._known.get(timeout=20)

    @property
    def names(self) -> list[str]:
        """Nodes that are known."""
        return [node.name for node in self.snapshot.nodes]

    @property
    def missing(self) -> list[str]:
        """Nodes that a Gap names."""
        return [gap.node for gap in self.snapshot.gaps if gap.topic == Topic.NODES]

    @property
    def coverage(self) -> tuple[int, int]:
        reading = self.snapshot.readings[Topic.NODES]
        return reading.answered, reading.asked

    def end(self) -> None:
        self.stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
        self.source.close()


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as made:
        made.has("/version", {"gitVersion": "v1.34.4"})
        made.hold(DAEMON_SETS, "DaemonSetList", [])
        made.hold(EVENTS, "EventList", [])
        made.hold(NODES, "NodeList", [a_node("w1"), a_node("w2", "10.244.2.0/24"), unreadable("w3")])
        yield made


@pytest.fixture
def watching(api: FakeApi) -> Iterator[Watching]:
    made = Watching(api)
    yield made
    made.end()


@pytest.fixture
def watch(api: FakeApi, watching: Watching) -> Watch:
    """The watch of the Nodes."""
    return watch_of(api, NODES)


def test_what_the_list_could_not_read_stays_missing_while_others_change(watching: Watching, watch: Watch) -> None:
    assert (watching.coverage, watching.missing) == ((2, 3), ["w3"])
    watch.send("ADDED", a_node("w4", "10.244.4.0/24", version="102"))
    watching.until(lambda: "w4" in watching.names)
    assert (watching.coverage, watching.missing) == ((3, 4), ["w3"])


def test_a_node_that_becomes_unreadable_is_not_shown_as_it_was(watching: Watching, watch: Watch) -> None:
    watch.send("MODIFIED", unreadable("w1"))
    watching.until(lambda: "w1" in watching.missing)
    assert watching.names == ["w2"]
    assert watching.coverage == (1, 3)


def test_a_good_version_mends_it(watching: Watching, watch: Watch) -> None:
    watch.send("MODIFIED", a_node("w3", "10.244.3.0/24", version="102"))
    watching.until(lambda: "w3" in watching.names)
    assert (watching.coverage, watching.missing) == ((3, 3), [])
    watch.send("MODIFIED", unreadable("w2", "103"))
    watching.until(lambda: watching.missing == ["w2"])
    watch.send("MODIFIED", a_node("w2", "10.244.2.0/24", version="104"))
    watching.until(lambda: watching.missing == [])
    assert sorted(watching.names) == ["w1", "w2", "w3"]


def test_one_that_is_deleted_is_missing_no_more(watching: Watching, watch: Watch) -> None:
    watch.send("DELETED", unreadable("w3", "102"))
    watching.until(lambda: watching.missing == [])
    assert (watching.names, watching.coverage) == (["w1", "w2"], (2, 2))


def test_another_reason_replaces_the_one_before(watching: Watching, watch: Watch) -> None:
    (before,) = (gap.reason for gap in watching.snapshot.gaps if gap.node == "w3")
    watch.send("MODIFIED", unreadable("w3", "102", labels={"a": 1}))
    watching.until(lambda: [gap.reason for gap in watching.snapshot.gaps if gap.node == "w3"] not in ([], [before]))
    assert watching.missing == ["w3"]


def test_a_list_read_anew_says_what_is_missing_of_it(api: FakeApi, watching: Watching, watch: Watch) -> None:
    api.hold(NODES, "NodeList", [unreadable("w1"), a_node("w2", "10.244.2.0/24"), a_node("w3", "10.244.3.0/24")])
    watch.send("ERROR", status(410, "Expired", "too old resource version"))
    watching.until(lambda: "w3" in watching.names and watching.missing == ["w1"])
    assert watching.coverage == (2, 3)


def test_a_list_of_one_selection_does_not_take_away_the_gaps_of_another(api: FakeApi) -> None:
    """Events are listed by reason: what one list could not read, the next list of another does not know."""
    odd = {"metadata": {"name": "e", "uid": "e1", "resourceVersion": "9"}, "reason": 3}
    first = {"kind": "EventList", "metadata": {"resourceVersion": "100"}, "items": [odd]}
    api.next(EVENTS, Answer(body=first))
    watching = Watching(api)
    events = [watch for watch in (watch_of(api, EVENTS) for _ in range(4)) if "reason=CIDRNot" not in str(watch.request.query)]
    assert [gap.topic for gap in watching.snapshot.gaps if "e cannot be read" in gap.reason] == [Topic.EVENTS]
    events[0].send("ERROR", status(410, "Expired", "too old resource version"))
    before = watching.snapshot.readings[Topic.EVENTS]
    watching.until(lambda: watching.snapshot.readings[Topic.EVENTS] is not before)
    watching.until(lambda: any("e cannot be read" in gap.reason for gap in watching.snapshot.gaps))
    assert (watching.snapshot.readings[Topic.EVENTS].answered, watching.snapshot.readings[Topic.EVENTS].asked) == (0, 1)
    watching.end()


class Once:
    """A source that says one Part and follows with another."""

    kind = "simulated"

    def __init__(self, *answers: Part | Gap) -> None:
        self.answers = answers

    def topics(self) -> tuple[Topic, ...]:
        return ()

    def read(self, topic: Topic, known: Snapshot, stop: threading.Event) -> Iterator[Part | Gap]:
        return iter(())

    def watch(self, known: Snapshot, stop: threading.Event) -> Iterator[Part | Gap]:
        return iter(self.answers)

    def close(self) -> None:
        """Nothing is open."""


def test_a_part_takes_away_the_gaps_that_it_names_and_no_others() -> None:
    gaps = (Gap(Topic.NODES, "w1 cannot be read", "w1"), Gap(Topic.NODES, "w2 cannot be read", "w2"), Gap(Topic.PODS, "no"))
    part = Part(Topic.NODES, {}, Reading(at=1.0), True, (replace(gaps[0]), Gap(Topic.NODES, "never said")))
    (event,) = follow(Once(part), Snapshot(gaps=gaps), threading.Event())
    assert isinstance(event, Grown)
    assert event.snapshot.gaps == gaps[1:]
