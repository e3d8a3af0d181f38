"""From a source to Snapshots: topic by topic, then change by change. What could not be read becomes a Gap."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from msgspec.structs import replace

from flannelscope.events import Event, GapFound, Grown, TopicDone
from flannelscope.facts import Facts
from flannelscope.following import Following
from flannelscope.growing import take
from flannelscope.held import Held
from flannelscope.model import SecondRead, Snapshot, Topic
from flannelscope.pod_addresses import APART, confirm_targets
from flannelscope.sources import Part, Rereads, Source, Sweeps
from flannelscope.suspects import APART as APART_KERNELS
from flannelscope.suspects import suspects

AGAIN = 10.0  # seconds between two looks for new suspicions while changes come in
_ADDRESSES = (Topic.NODES, Topic.PODS)


def collect(source: Source, known: Snapshot, stop: threading.Event) -> Iterator[Event]:
    """Read all topics of `source` once; yields a Snapshot (Grown) after each part.

    Raises CannotRead when nothing can be read at all (no connection, refused everywhere).
    """
    snapshot = known
    held = Held()
    for topic in source.topics():
        if stop.is_set():
            return
        started = time.monotonic()
        for answer in source.read(topic, snapshot, stop):
            if held.take(answer, snapshot):
                continue
            snapshot, event = take(snapshot, answer)
            yield event
            if stop.is_set():
                return
        reading = snapshot.readings.get(topic)
        if reading is not None and reading.complete:
            yield TopicDone(topic, reading.answered, time.monotonic() - started)
    for event in _confirm(source, snapshot, stop):
        snapshot = event.snapshot if isinstance(event, (Grown, GapFound)) else snapshot
        yield event
    yield from _confirm_kernels(source, snapshot, held, stop)


def follow(source: Source, known: Snapshot, stop: threading.Event) -> Iterator[Event]:
    """Go on from `known` with what changes, until `stop` is set."""
    snapshot = known
    due = time.monotonic() + AGAIN
    answers = Following(source, known, stop).run() if isinstance(source, Sweeps) else source.watch(snapshot, stop)
    for answer in answers:
        snapshot, event = take(snapshot, answer)
        yield event
        if isinstance(answer, Part) and answer.topic in _ADDRESSES and time.monotonic() >= due:
            for event in _confirm(source, snapshot, stop):
                snapshot = event.snapshot if isinstance(event, (Grown, GapFound)) else snapshot
                yield event
            due = time.monotonic() + AGAIN


def _confirm_kernels(source: Source, snapshot: Snapshot, held: Held, stop: threading.Event) -> Iterator[Event]:
    """Read the kernels a second time in which anything looks wrong; where they were known before, both are told at once."""
    if not isinstance(source, Sweeps):
        return
    now = held.over(snapshot)
    began = time.monotonic()
    names = suspects(now)
    if names and not stop.wait(max(APART_KERNELS - (time.monotonic() - began), 0.0)):
        for answer in source.sweep(sorted(names), now, stop):
            if not held.take(answer, snapshot):
                snapshot, event = take(snapshot, answer)
                yield event
    for answer in held.released() if not stop.is_set() else ():
        snapshot, event = take(snapshot, answer)
        yield event


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
        snapshot, event = take(snapshot, answer)
        yield event
