"""From a source to Snapshots: topic by topic, then change by change. What could not be read becomes a Gap."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from flannelscope.events import Event, GapFound, Grown, Refreshed, RequestDone, TopicDone, TopicProgress, WatchState
from flannelscope.facts import Facts
from flannelscope.model import Gap, SecondRead, Snapshot, Topic
from flannelscope.pod_addresses import APART, confirm_targets
from flannelscope.sources import Answer, Part, Rereads, Source

AGAIN = 10.0  # seconds between two looks for new suspicions while changes come in
_ADDRESSES = (Topic.NODES, Topic.PODS)


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
            if isinstance(answer, Part) and not answer.reading.complete and snapshot.has(topic):
                continue  # read anew: what is known stays until all of it is there
            snapshot, event = _take(snapshot, answer)
            yield event
            if stop.is_set():
                return
        reading = snapshot.readings.get(topic)
        if reading is not None and reading.complete:
            yield TopicDone(topic, reading.answered, time.monotonic() - started)
    yield from _confirm(source, snapshot, stop)


def follow(source: Source, known: Snapshot, stop: threading.Event) -> Iterator[Event]:
    """Go on from `known` with what changes, until `stop` is set."""
    snapshot = known
    due = time.monotonic() + AGAIN
    for answer in source.watch(snapshot, stop):
        snapshot, event = _take(snapshot, answer)
        yield event
        if isinstance(answer, Part) and answer.topic in _ADDRESSES and time.monotonic() >= due:
            for event in _confirm(source, snapshot, stop):
                snapshot = event.snapshot if isinstance(event, (Grown, GapFound)) else snapshot
                yield event
            due = time.monotonic() + AGAIN


def _still_true(snapshot: Snapshot) -> dict[str, SecondRead]:
    """The second reads of Nodes whose pods are what they were then; other pods may be suspected anew."""
    wanted = snapshot.second_reads
    now: dict[str, set[tuple[str, tuple[str, ...]]]] = {name: set() for name in wanted}
    for pod in snapshot.pods if wanted else ():
        if pod.node in now:
            now[pod.node].add((pod.uid, pod.ips))
    return {name: second for name, second in wanted.items() if now[name] == {(pod.uid, pod.ips) for pod in second.pods}}


def _confirm(source: Source, snapshot: Snapshot, stop: threading.Event) -> Iterator[Event]:
    """Read the Nodes a second time on which addresses of pods look wrong: only what is seen twice is said."""
    if not isinstance(source, Rereads):
        return
    # What was confirmed stays so until the next second read is there, even where this one no longer tells of all pods.
    names = confirm_targets(Facts(replace(snapshot, second_reads=_still_true(snapshot))))
    if not names or stop.wait(APART):
        return
    for answer in source.reread(sorted(names), snapshot, stop):
        snapshot, event = _take(snapshot, answer)
        yield event


def _take(snapshot: Snapshot, answer: Answer) -> tuple[Snapshot, Event]:
    match answer:
        case Part():
            readings = {**snapshot.readings, answer.topic: answer.reading}
            gaps = snapshot.gaps
            if answer.reading.complete and not answer.change:  # a whole reading says itself, afterwards, what it could not read
                gaps = tuple(g for g in gaps if g.topic != answer.topic)
            gaps = _without(gaps, answer.healed)
            grown = replace(snapshot, taken=max(snapshot.taken, answer.reading.at), readings=readings, gaps=gaps, **answer.fields)
            return grown, Grown(grown, answer.topic)
        case Gap():
            grown = replace(snapshot, gaps=(*_without(snapshot.gaps, (answer,)), answer))
            return grown, GapFound(answer, grown)
        case RequestDone() | TopicProgress() | WatchState() | Refreshed():
            return snapshot, answer


def _without(gaps: tuple[Gap, ...], gone: tuple[Gap, ...]) -> tuple[Gap, ...]:
    """Gaps but for those of the same words: values do not compare by content."""
    said = {msgspec.structs.astuple(gap) for gap in gone}
    return tuple(gap for gap in gaps if msgspec.structs.astuple(gap) not in said) if said else gaps
