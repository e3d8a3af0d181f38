"""One reading in the engine's process: what it tells, in which order, how it ends, and how it fails."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope import wire, worker
from flannelscope.errors import ReadFailed, Refused
from flannelscope.events import Refreshed
from flannelscope.model import Gap, Node, Reading, Snapshot, Topic
from flannelscope.outbox import Outbox
from flannelscope.session import Settings
from flannelscope.sources import Answer, Part, Source
from flannelscope.sources.login import Login
from flannelscope.ssh_settings import SshSettings
from tests.engine.builders import manager_pod, node


class Told:
    """An outbox whose other end is read here."""

    def __init__(self) -> None:
        inward, outward = os.pipe()
        self.outbox = Outbox(outward)
        self.stream = os.fdopen(inward, "rb")
        self.messages = wire.payloads(self.stream)
        self.seen: list[wire.Event] = []

    def until(self, kind: type[wire.Message], run: int = 1) -> Any:
        """The next message of a kind; those before it are kept in `seen`."""
        for payload in self.messages:
            event = wire.decode_event(payload)
            self.seen.append(event)
            if isinstance(event, kind) and event.run == run:
                return event
        raise AssertionError(f"no {kind.__name__} came")


class StepSource:
    """Nodes at once; pods when the test lets them; then it is followed until it is stopped."""

    kind = "simulated"

    def __init__(self, nodes: int = 3, failing: Exception | None = None) -> None:
        self.nodes = tuple(Node(name=f"w{n}", uid=str(n)) for n in range(nodes))
        self.failing = failing
        self.pods = threading.Event()
        self.closed = threading.Event()

    def topics(self) -> Sequence[Topic]:
        return (Topic.NODES, Topic.PODS)

    def read(self, topic: Topic, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        if topic is Topic.NODES:
            if self.failing is not None:
                raise self.failing
            yield Part(topic, {"nodes": self.nodes}, Reading(at=1.0, asked=3, answered=3))
        else:
            self.pods.wait(30)
            yield Gap(topic, "pods is forbidden\x1b[2J", verb="list", resource="pods")

    def watch(self, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        stop.wait(30)
        yield from ()

    def close(self) -> None:
        self.closed.set()
        self.pods.set()


class FollowedSource(StepSource):
    """One that is followed, and reads Leases again when asked. After so many times it loses its login."""

    def __init__(self, times: int = 9) -> None:
        super().__init__()
        self.times = times
        self.again = threading.Event()
        self.pods.set()

    def refresh(self) -> bool:
        self.again.set()
        return True

    def watch(self, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        for time in range(self.times):
            self.again.wait(30)
            if stop.is_set():
                return
            self.again.clear()
            yield Part(Topic.LEASES, {"leases": ()}, Reading(at=100.0 + time))
            yield Refreshed(420.0)
        raise Refused("The API server does not accept these credentials (401).", "https://10.0.0.1:6443", "Log in again.")

    def close(self) -> None:
        super().close()
        self.again.set()


class Served:
    """The engine's loop in a thread, asked as the console asks it."""

    def __init__(self, told: Told, monkeypatch: pytest.MonkeyPatch, *sources: StepSource) -> None:
        self.opened: list[StepSource] = []

        def opened(settings: Settings, login: object) -> Source:
            self.opened.append(sources[len(self.opened)])
            return self.opened[-1]

        monkeypatch.setattr(worker, "open_source", opened)
        outward, inward = os.pipe()
        self._asking = os.fdopen(inward, "wb", buffering=0)
        self._asked = os.fdopen(outward, "rb")
        self._thread = threading.Thread(target=worker.serve, args=(self._asked, told.outbox), daemon=True)
        self._thread.start()

    def ask(self, request: wire.Request) -> None:
        for frame in wire.frames(wire.encode(request)):
            self._asking.write(frame)

    def end(self) -> None:
        self._asking.close()
        self._thread.join(10)
        self._asked.close()
        assert not self._thread.is_alive()


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.stream.close()


def begin(told: Told, source: StepSource, monkeypatch: pytest.MonkeyPatch) -> worker.Run:
    """A run that reads this source."""

    def opened(settings: Settings, login: object) -> Source:
        return source

    monkeypatch.setattr(worker, "open_source", opened)
    run = worker.Run(1, Settings(demo="healthy"), Snapshot(), told.outbox)
    run.start()
    return run


def test_rows_and_a_first_answer_come_before_the_pods(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    source = StepSource()
    run = begin(told, source, monkeypatch)
    judged = told.until(wire.Judged)  # the pods are still held back
    rows = next(event for event in told.seen if isinstance(event, wire.Rows))
    assert [row.name for row in rows.rows] == ["w0", "w1", "w2"]
    assert not judged.overview.complete
    source.pods.set()
    told.until(wire.Finished)
    assert told.until(wire.Judged).overview.complete
    run.end()


def test_a_gap_is_told_clean(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    source = StepSource()
    source.pods.set()
    run = begin(told, source, monkeypatch)
    (gap,) = told.until(wire.Gaps).gaps
    assert gap.verb == "list"
    assert "\x1b" not in gap.reason
    run.end()


def test_a_failure_that_ends_everything_says_what_where_and_what_to_do(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    source = StepSource(failing=ReadFailed("The connection was refused.", "https://10.0.0.1:6443", "Is the server up?"))
    run = begin(told, source, monkeypatch)
    failed = told.until(wire.Failed)
    assert (failed.what, failed.where, failed.do) == (
        "The connection was refused.",
        "https://10.0.0.1:6443",
        "Is the server up?",
    )
    run.end()


def test_an_error_of_our_own_is_told_and_does_not_end_the_process(
    told: Told, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run = begin(told, StepSource(failing=ZeroDivisionError("oops")), monkeypatch)
    assert "ZeroDivisionError: oops" in told.until(wire.Failed).what
    run.end()
    assert "Traceback" in capfd.readouterr().err  # the child's standard error, which no screen shows


class RangedSource(StepSource):
    """Nodes and a controller manager with 10.244.0.0/16, then configuration; pods when the test lets them."""

    def topics(self) -> Sequence[Topic]:
        return (Topic.NODES, Topic.CONTROL_PLANE, Topic.CONFIGURATION, Topic.PODS)

    def read(self, topic: Topic, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        at = Reading(at=1.0, asked=1, answered=1)
        match topic:
            case Topic.NODES:
                yield Part(topic, {"nodes": (node("w1", "10.244.1.0/24"),)}, at)
            case Topic.CONTROL_PLANE:
                yield Part(topic, {"control_plane_pods": (manager_pod("--cluster-cidr=10.244.0.0/16"),)}, at)
            case Topic.CONFIGURATION:
                yield Part(topic, {}, at)
            case _:
                yield from super().read(topic, known, stop)


def test_node_masks_that_the_cluster_found_contradicts_are_refused_before_the_pods_come(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As headless commands do: with a mask that cannot be, every answer about the pool would be a wrong one."""
    source = RangedSource()
    served = Served(told, monkeypatch, source)
    served.ask(wire.Start(run=1, settings=Settings(node_masks=(8,))))
    failed = told.until(wire.Failed)
    assert failed.what == "the node masks given are not those of this cluster: /8 is shorter than the cluster CIDR 10.244.0.0/16"
    assert (failed.where, "--node-cidr-mask-size" in failed.do) == ("cluster CIDR 10.244.0.0/16", True)
    assert source.closed.wait(10)
    served.end()
    told.outbox.send(wire.Hello(run=9, process=1))
    told.until(wire.Hello, 9)
    assert not any(isinstance(event, wire.Finished) for event in told.seen)


def test_node_masks_that_fit_are_taken(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    source = RangedSource()
    source.pods.set()
    served = Served(told, monkeypatch, source)
    served.ask(wire.Start(run=1, settings=Settings(node_masks=(25,))))
    while not told.until(wire.Judged).overview.complete:
        pass
    assert not any(isinstance(event, wire.Failed) for event in told.seen)
    served.end()


def test_a_run_that_is_ended_closes_its_source_and_is_silent(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    source = StepSource()
    run = begin(told, source, monkeypatch)
    told.until(wire.Judged)
    run.end()
    assert source.closed.is_set()
    told.outbox.send(wire.Hello(run=9, process=1))
    told.until(wire.Hello, 9)
    assert not any(isinstance(event, wire.Finished | wire.Failed) for event in told.seen)


def test_requests_are_served_until_the_input_ends(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    sources: list[StepSource] = []

    def opened(settings: Settings, login: object) -> Source:
        sources.append(StepSource())
        sources[-1].pods.set()
        return sources[-1]

    monkeypatch.setattr(worker, "open_source", opened)
    asked = (wire.Reread(run=1), wire.Start(run=2, settings=Settings()), wire.Reread(run=3), wire.Stop(run=4))
    worker.serve(io.BytesIO(b"".join(frame for each in asked for frame in wire.frames(wire.encode(each)))), told.outbox)
    assert len(sources) <= 2  # what was asked before Start was not served; a run may be ended before it opened its source
    assert all(source.closed.is_set() for source in sources[:1])


def test_a_source_that_is_followed_reads_again_within_its_run(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(told, monkeypatch, FollowedSource())
    served.ask(wire.Start(run=1, settings=Settings()))
    told.until(wire.Finished)
    served.ask(wire.Refresh(run=1))
    assert told.until(wire.Refreshed).lists_in == 420.0
    while told.until(wire.Judged).overview.taken < 100.0:  # the answer is as new as what was read again
        pass
    assert sum(1 for event in told.seen if isinstance(event, wire.Rows) and event.first) == 1  # no row was sent anew
    served.end()
    assert len(served.opened) == 1


def test_what_cannot_be_read_again_in_part_is_declined(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    source = StepSource()
    served = Served(told, monkeypatch, source)
    served.ask(wire.Refresh(run=7))
    told.until(wire.Declined, 7)
    served.ask(wire.Start(run=8, settings=Settings()))
    served.ask(wire.Refresh(run=8))  # the first reading goes on
    told.until(wire.Declined, 8)
    source.pods.set()
    told.until(wire.Finished, 8)
    served.ask(wire.Refresh(run=8))  # complete, but this source has nothing to go on from
    told.until(wire.Declined, 8)
    served.end()


def test_a_failure_while_changes_are_followed_is_told_and_everything_can_be_read_anew(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Served(told, monkeypatch, FollowedSource(times=0), FollowedSource())
    served.ask(wire.Start(run=1, settings=Settings()))
    failed = told.until(wire.Failed)
    assert (failed.what, failed.do) == ("The API server does not accept these credentials (401).", "Log in again.")
    served.ask(wire.Refresh(run=1))
    told.until(wire.Declined)
    served.ask(wire.Reread(run=2))
    told.until(wire.Finished, 2)
    served.end()


class AskingSource(StepSource):
    """One that must ask before it can read its nodes' kernels, and tells what it was answered."""

    def __init__(self, login: Login) -> None:
        super().__init__()
        self.login = login
        self.pods.set()

    def topics(self) -> Sequence[Topic]:
        return (Topic.NODES, Topic.KERNELS)

    def read(self, topic: Topic, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        if topic is not Topic.KERNELS:
            yield from super().read(topic, known, stop)
            return
        question = self.login.questions.new("leave", "3 nodes", "3 nodes will be\x1b[2J logged in to")
        yield question
        yield Gap(topic, f"answered: {self.login.questions.wait(question, stop.is_set)}")


def test_what_the_engine_asks_is_answered_through_the_pipe(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(told, monkeypatch)
    monkeypatch.setattr(worker, "open_source", lambda settings, login: AskingSource(login))
    served.ask(wire.Start(run=1, settings=Settings(ssh=SshSettings())))
    asked = told.until(wire.Asked)

    assert (asked.kind, asked.host, asked.secret) == ("leave", "3 nodes", False)
    assert "\x1b" not in asked.text
    served.ask(wire.Reply(run=1, id=asked.id, text="no"))
    gaps = told.until(wire.Gaps)
    assert [gap.reason for gap in gaps.gaps] == ["answered: no"]
    served.end()


def test_a_reading_that_is_stopped_waits_for_no_answer(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(told, monkeypatch)
    monkeypatch.setattr(worker, "open_source", lambda settings, login: AskingSource(login))
    served.ask(wire.Start(run=1, settings=Settings(ssh=SshSettings())))
    told.until(wire.Asked)
    served.end()


def test_a_detail_that_fails_says_so_in_its_place_and_the_others_are_told(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    from flannelscope import details
    from flannelscope.node_views import MeshView, OutliersView

    def failing(*arguments: object) -> MeshView:
        raise OverflowError("no such year")

    known = dict(details.all_details())
    monkeypatch.setattr(details, "all_details", lambda: {**known, "mesh": replace(known["mesh"], make=failing)})
    source = StepSource()
    source.pods.set()
    run = begin(told, source, monkeypatch)
    run.look((("mesh", ()), ("outliers", ())))

    mesh, outliers = told.until(wire.Detailed), told.until(wire.Detailed)
    assert isinstance(mesh.view, MeshView) and "OverflowError: no such year" in mesh.view.note
    assert isinstance(outliers.view, OutliersView)
    run.end()
