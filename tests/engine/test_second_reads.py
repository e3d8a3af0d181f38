"""Addresses of pods are called wrong only when they are seen wrong twice: after a collection, and while changes come in."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest
from msgspec.structs import replace

from flannelscope import collect as collecting
from flannelscope.collect import collect, follow
from flannelscope.events import Event, GapFound, Grown
from flannelscope.judge import judge
from flannelscope.model import Gap, Pod, SecondRead, Snapshot, Topic
from flannelscope.sources import Answer, Part
from tests.engine.builders import NOW, announced, healthy, node, pod

TWINS = (announced(node("w1", "10.244.1.0/24", ip="10.20.0.1")), announced(node("w2", "10.244.2.0/24", ip="10.20.0.2")))
ALIKE = (pod("a", "w1", "10.244.1.5"), pod("b", "w2", "10.244.1.5"))


class Moving:
    """A cluster whose pods are `first`, then as a watch says; a second read shows `again`."""

    kind = "api"

    def __init__(self, first: Sequence[Pod], again: Sequence[Pod] | None = None, *changes: Sequence[Pod]) -> None:
        self.first, self.again, self.changes = tuple(first), again, changes
        self.reread_names: list[list[str]] = []

    def topics(self) -> Sequence[Topic]:
        return (Topic.PODS,)

    def read(self, topic: Topic, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        yield Part(topic, {"pods": self.first}, known.readings[topic])

    def watch(self, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        for pods in self.changes:
            yield Part(Topic.PODS, {"pods": tuple(pods)}, known.readings[Topic.PODS], change=True)

    def reread(self, names: Sequence[str], known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        self.reread_names.append(list(names))
        if self.again is None:
            yield Gap(Topic.PODS, "the server went away", names[0])
            return
        nodes = {item.name: item for item in known.nodes}
        read = {n: SecondRead(NOW + 5, nodes[n], tuple(p for p in self.again if p.node == n)) for n in names}
        fields = {"second_reads": {**known.second_reads, **read}}
        yield Part(Topic.PODS, fields, known.readings[Topic.PODS], change=True)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for seconds here: the times are those in the values."""
    monkeypatch.setattr(collecting, "APART", 0.0)
    monkeypatch.setattr(collecting, "AGAIN", 0.0)


def known() -> Snapshot:
    return healthy(TWINS, pods=(), source="api")


def last(events: Iterator[Event], start: Snapshot) -> Snapshot:
    """The Snapshot at the end."""
    for event in events:
        if isinstance(event, (Grown, GapFound)):
            start = event.snapshot
    return start


def codes(snapshot: Snapshot) -> set[str]:
    return {finding.code for finding in judge(snapshot).findings}


def test_two_pods_with_one_address_are_looked_at_twice_and_said() -> None:
    source = Moving(ALIKE, ALIKE)
    grown = last(collect(source, known(), threading.Event()), known())
    assert source.reread_names == [["w1", "w2"]]
    assert "FLN112" in codes(grown)


def test_what_was_gone_the_second_time_is_not_said() -> None:
    source = Moving(ALIKE, ALIKE[:1])
    assert "FLN112" not in codes(last(collect(source, known(), threading.Event()), known()))


def test_a_cluster_without_suspicion_is_not_read_again() -> None:
    source = Moving(ALIKE[:1], ALIKE)
    collected = last(collect(source, known(), threading.Event()), known())
    assert source.reread_names == []
    assert codes(collected) == set()


def test_a_second_read_that_fails_leaves_it_unknown() -> None:
    grown = last(collect(Moving(ALIKE), known(), threading.Event()), known())
    assert "FLN112" not in codes(grown)
    assert "FLN112" in {item.code for item in judge(grown).unknown}
    assert [gap.reason for gap in grown.gaps] == ["the server went away"]


def test_a_suspicion_that_a_watch_brings_is_looked_at_too() -> None:
    source = Moving((), ALIKE, ALIKE[:1], ALIKE)
    assert "FLN112" in codes(last(follow(source, known(), threading.Event()), known()))
    assert source.reread_names == [["w1", "w2"]]


def test_what_was_confirmed_stays_said_while_other_pods_change() -> None:
    other = pod("c", "w2", "10.244.2.9")
    source = Moving((), ALIKE, ALIKE, (*ALIKE, other))
    grown = [event.snapshot for event in follow(source, known(), threading.Event()) if isinstance(event, Grown)]
    assert ["FLN112" in codes(item) for item in grown] == [False, True, True, True]
    assert source.reread_names == [["w1", "w2"], ["w2"]]  # w2 has another pod now: only that Node is read once more


def test_the_time_of_a_snapshot_never_goes_back() -> None:
    late = replace(known(), taken=NOW + 100)
    assert last(collect(Moving(ALIKE, ALIKE), late, threading.Event()), late).taken == NOW + 100
