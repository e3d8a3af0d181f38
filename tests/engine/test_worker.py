"""One reading in the engine's process: what it tells, in which order, how it ends, and how it fails."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from flannelscope import wire, worker
from flannelscope.errors import ReadFailed
from flannelscope.model import Gap, Node, Reading, Snapshot, Topic
from flannelscope.outbox import Outbox
from flannelscope.session import Settings
from flannelscope.sources import Answer, Part, Source


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


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.stream.close()


def begin(told: Told, source: StepSource, monkeypatch: pytest.MonkeyPatch) -> worker.Run:
    """A run that reads this source."""

    def opened(settings: Settings) -> Source:
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

    def opened(settings: Settings) -> Source:
        sources.append(StepSource())
        sources[-1].pods.set()
        return sources[-1]

    monkeypatch.setattr(worker, "open_source", opened)
    asked = (wire.Reread(run=1), wire.Start(run=2, settings=Settings()), wire.Reread(run=3), wire.Stop(run=4))
    worker.serve(io.BytesIO(b"".join(frame for each in asked for frame in wire.frames(wire.encode(each)))), told.outbox)
    assert len(sources) <= 2  # what was asked before Start was not served; a run may be ended before it opened its source
    assert all(source.closed.is_set() for source in sources[:1])
