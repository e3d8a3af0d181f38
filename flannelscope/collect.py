"""From a source to Snapshots: topic by topic, then change by change. What could not be read becomes a Gap."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from flannelscope.events import Event, GapFound, Grown, RequestDone, TopicDone, TopicProgress, WatchState
from flannelscope.facts import Facts
from flannelscope.model import Gap, Snapshot
from flannelscope.pod_addresses import APART, confirm_targets
from flannelscope.sources import Answer, Part, Rereads, Source


def collect(source: Source, known: Snapshot, stop: threading.Event) -> Iterator[Event]:
    """Read all topics of `source` once; yields a Snapshot (Grown) after each part.

    Raises CannotRead when nothing can be read at all (no connection, refused everywhere).
    """
    snapshot = known
    for topic in source.topics():
        if stop.is_set():
            return
        started = time.monotonic()
        for answer in source.read(topic, snapshot, stop):
            snapshot, event = _take(snapshot, answer)
            yield event
            if stop.is_set():
                return
        reading = snapshot.readings.get(topic)
        if reading is not None and reading.complete:
            yield TopicDone(topic, reading.answered, time.monotonic() - started)
    yield from _confirm(source, snapshot, stop)


def _confirm(source: Source, snapshot: Snapshot, stop: threading.Event) -> Iterator[Event]:
    """Read the Nodes a second time on which addresses of pods look wrong: only what is seen twice is said."""
    names = confirm_targets(Facts(snapshot)) if isinstance(source, Rereads) else frozenset()
    if not isinstance(source, Rereads) or not names or stop.wait(APART):
        return
    for answer in source.reread(sorted(names), snapshot, stop):
        snapshot, event = _take(snapshot, answer)
        yield event


def follow(source: Source, known: Snapshot, stop: threading.Event) -> Iterator[Event]:
    """Go on from `known` with what changes, until `stop` is set."""
    snapshot = known
    for answer in source.watch(snapshot, stop):
        snapshot, event = _take(snapshot, answer)
        yield event


def _take(snapshot: Snapshot, answer: Answer) -> tuple[Snapshot, Event]:
    match answer:
        case Part():
            readings = {**snapshot.readings, answer.topic: answer.reading}
            gaps = snapshot.gaps
            if answer.reading.complete and not answer.change:  # a whole reading says itself, afterwards, what it could not read
                gaps = tuple(g for g in gaps if g.topic != answer.topic)
            grown = replace(snapshot, taken=answer.reading.at, readings=readings, gaps=gaps, **answer.fields)
            return grown, Grown(grown, answer.topic)
        case Gap():
            others = (g for g in snapshot.gaps if msgspec.structs.astuple(g) != msgspec.structs.astuple(answer))
            grown = replace(snapshot, gaps=(*others, answer))
            return grown, GapFound(answer, grown)
        case RequestDone() | TopicProgress() | WatchState():
            return snapshot, answer
