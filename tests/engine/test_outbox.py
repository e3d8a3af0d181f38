"""What leaves the engine's process: only what changed, gathered, and nothing of an older reading."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from flannelscope import wire
from flannelscope.events import RequestDone
from flannelscope.outbox import Outbox, Shown
from flannelscope.views import FindingView, NodeRow, Overview

REQUEST = RequestDone(method="GET", path="/version", status=200, received=10, seconds=0.1, at=1.0)


class Pipe:
    """An outbox and the other end of its pipe."""

    def __init__(self) -> None:
        self.inward, outward = os.pipe()
        os.set_blocking(self.inward, False)
        self.outbox = Outbox(outward)
        self.outbox.begin(1)
        self.stream = open(self.inward, "rb")  # noqa: SIM115, PTH123 - a descriptor, closed by the fixture

    def read(self) -> list[wire.Event]:
        """What was sent since the last time."""
        import io

        return [wire.decode_event(payload) for payload in wire.payloads(io.BytesIO(self.stream.read() or b""))]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.stream.close()


def finding(key: str, summary: str = "") -> FindingView:
    return FindingView(key=key, code="FLN101", slug="duplicate-podcidr", severity=3, subjects=(), summary=summary)


def test_only_changed_rows_are_sent_again(pipe: Pipe) -> None:
    shown = Shown(pipe.outbox, 1)
    first, second = NodeRow(name="w1"), NodeRow(name="w2")
    shown.show(Overview(verdict="v"), [first, second])
    (rows, judged) = pipe.read()
    assert isinstance(rows, wire.Rows)
    assert isinstance(judged, wire.Judged)
    assert ([row.name for row in rows.rows], rows.first, rows.last) == (["w1", "w2"], True, True)
    shown.show(Overview(verdict="v"), [replace(first), replace(second, ready="no")])
    (rows,) = pipe.read()  # the answer is the same, so it is not said again
    assert isinstance(rows, wire.Rows)
    assert ([row.name for row in rows.rows], rows.first, rows.removed) == (["w2"], False, ())


def test_rows_that_are_gone_are_named(pipe: Pipe) -> None:
    shown = Shown(pipe.outbox, 1)
    shown.show(Overview(verdict="v"), [NodeRow(name="w1"), NodeRow(name="w2")])
    pipe.read()
    shown.show(Overview(verdict="v"), [NodeRow(name="w1")])
    (rows,) = pipe.read()
    assert isinstance(rows, wire.Rows)
    assert rows.removed == ("w2",)


def test_a_cluster_without_nodes_is_told_too(pipe: Pipe) -> None:
    Shown(pipe.outbox, 1).show(Overview(verdict="v"), [])
    assert [type(event) for event in pipe.read()] == [wire.Rows, wire.Judged]


def test_findings_go_before_the_answer_that_names_them_and_only_once(pipe: Pipe) -> None:
    shown = Shown(pipe.outbox, 1)
    shown.show(Overview(verdict="v", findings=(finding("a"), finding("b"))), [])
    _, found, judged = pipe.read()
    assert isinstance(found, wire.Findings)
    assert isinstance(judged, wire.Judged)
    assert judged.keys == ("a", "b")
    assert judged.overview.findings == ()
    shown.show(Overview(verdict="v", findings=(finding("b"), finding("a", "changed"))), [])
    found, judged = pipe.read()
    assert isinstance(found, wire.Findings)
    assert isinstance(judged, wire.Judged)
    assert [view.key for view in found.findings] == ["a"]
    assert judged.keys == ("b", "a")


def test_small_news_is_gathered_and_the_newest_progress_wins(pipe: Pipe) -> None:
    for read in (500, 1000):
        pipe.outbox.progress(wire.Progressed(run=1, topic="pods", read=read))
        pipe.outbox.request(1, REQUEST)
    pipe.outbox.flush()
    progressed, requested = pipe.read()
    assert isinstance(progressed, wire.Progressed)
    assert isinstance(requested, wire.Requested)
    assert progressed.read == 1000
    assert len(requested.requests) == 2


def test_news_of_an_older_reading_is_dropped(pipe: Pipe) -> None:
    pipe.outbox.request(1, REQUEST)
    pipe.outbox.begin(2)
    pipe.outbox.request(1, REQUEST)
    pipe.outbox.flush()
    assert pipe.read() == []


def test_a_console_that_is_gone_is_no_error() -> None:
    pipe = Pipe()
    pipe.stream.close()
    pipe.outbox.send(wire.Hello(run=0, process=1))
