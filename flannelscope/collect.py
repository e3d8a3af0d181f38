"""From a source to Snapshots: topic by topic, then change by change. What could not be read becomes a Gap."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from msgspec.structs import replace

from flannelscope.events import Event, GapFound, Grown, RequestDone, TopicDone, TopicProgress, WatchState
from flannelscope.model import Gap, Snapshot
from flannelscope.sources import Answer, Part, Source


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
            if answer.reading.complete and not answer.change:  # what was missing of this topic before is answered by this reading
                gaps = tuple(g for g in gaps if g.topic != answer.topic or g.node)
            grown = replace(snapshot, taken=answer.reading.at, readings=readings, gaps=gaps, **answer.fields)
            return grown, Grown(grown, answer.topic)
        case Gap():
            return replace(snapshot, gaps=(*snapshot.gaps, answer)), GapFound(answer)
        case RequestDone() | TopicProgress() | WatchState():
            return snapshot, answer
