"""All watches of a source together: what they say is gathered for a moment and becomes one Part a topic.

What no watch tells of is read between such moments: Leases in their time, all of it when somebody asks for it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from msgspec.structs import astuple, replace

from flannelscope.errors import CannotRead, Refused
from flannelscope.events import Refreshed
from flannelscope.model import Gap, Reading, Snapshot, Topic
from flannelscope.sources import Answer, Part
from flannelscope.sources.background import Halt
from flannelscope.sources.decode import Odd
from flannelscope.sources.faults import told
from flannelscope.sources.reader import Reader, gap_of, gap_of_odd
from flannelscope.sources.streams import Start, Starts, Stream
from flannelscope.sources.topics import control_plane, flannel_pods
from flannelscope.sources.transport import Transport
from flannelscope.sources.watch import Broken, Changed, Pace, Relisted, Said, Watcher

_FIELDS = {
    Topic.NODES: "nodes",
    Topic.PODS: "pods",
    Topic.DAEMONSETS: "daemonsets",
    Topic.EVENTS: "events",
    Topic.CONTROL_PLANE: "control_plane_pods",
    Topic.FLANNEL_PODS: "flannel_pods",
}
_QUEUED = 10_000
_LOOK = 0.1

ReadTopic = Callable[[Topic, Snapshot], Iterator[Answer]]


class Follower:
    """Follows what was listed. Values are kept by stream and uid: what did not change stays the same object.

    When `again` is set, those of `topics` that nothing watches are read with `read`.
    """

    def __init__(
        self,
        transport: Transport,
        known: Snapshot,
        starts: Starts,
        pace: Pace,
        stop: threading.Event,
        *,
        again: threading.Event,
        topics: Sequence[Topic],
        read: ReadTopic,
    ) -> None:
        self._transport = transport
        self._starts = starts
        self._again = again
        self._topics = topics
        self._read_topic = read
        self._known = known
        self._pace = pace
        self._stop = stop
        self._line: queue.Queue[Said] = queue.Queue(_QUEUED)
        self._halts: list[Halt] = []
        self._watchers: dict[tuple[Topic, str], Watcher] = {}
        self._values: dict[tuple[Topic, str], dict[str, Any]] = {}
        self._odd: dict[tuple[Topic, str], dict[str, Odd]] = {}
        self._told: dict[Topic, tuple[Gap, ...]] = {}  # what is known to be unreadable
        self._unlisted: set[tuple[Topic, str]] = set()  # streams of which nothing has come yet: their topic is not complete
        self._lease_due = time.monotonic() + pace.lease
        self._leases_due = time.monotonic() + pace.leases
        self._follow_listed()
        self._know_lease_gaps(gap for gap in known.gaps if gap.topic == Topic.CONTROL_PLANE)

    def run(self) -> Iterator[Answer]:
        """Parts, and what the watches say of themselves, until `stop` is set."""
        try:
            while not self._stop.is_set():
                yield from self._round()
        finally:
            for halt in self._halts:
                halt.set()

    def _start(self, stream: Stream, start: Start) -> None:
        self._values[stream.topic, stream.name] = dict(start.values)
        self._unlisted.discard((stream.topic, stream.name))
        self._odd[stream.topic, stream.name] = _by_uid(start.odd)
        self._told[stream.topic] = self._gaps(stream.topic)
        halt = Halt(self._stop)
        self._halts.append(halt)
        self._watchers[stream.topic, stream.name] = watcher = Watcher(
            self._transport, stream, start, self._pace, self._line, halt
        )
        threading.Thread(target=watcher.run, name=f"flannelscope-watch-{stream.topic}", daemon=True).start()

    def _follow_listed(self) -> None:
        """Follow every list of what was read to its end and is not followed; what it held is kept here alone from then on."""
        for stream, start in self._starts.items():
            watcher = self._watchers.get((stream.topic, stream.name))
            if (watcher is None or (watcher.ended and start.version)) and self._known.has(stream.topic):
                self._start(stream, start)
                self._starts.listed(stream, start.at)

    def _round(self) -> Iterator[Answer]:
        """One time of gathering: begins with the first change, ends `gather` seconds later."""
        until: float | None = None
        changed: set[Topic] = set()
        anew: set[Topic] = set()
        while not self._stop.is_set() and (until is None or time.monotonic() < until):
            said = self._next()
            if said is None:
                if until is None:
                    break
                continue
            if isinstance(said, Broken):
                raise said.error
            if isinstance(said, (Changed, Relisted)):
                until = until or time.monotonic() + self._pace.gather
                if self._apply(said):
                    changed.add(said.stream.topic)
                if isinstance(said, Relisted):
                    anew.add(said.stream.topic)
            else:
                yield said
        for topic in sorted(changed | anew):
            yield from self._news(topic, topic not in anew)
        if Topic.DAEMONSETS in changed:
            yield from self._new_flannels()
        yield from self._unwatched()

    def _next(self) -> Said | None:
        try:
            return self._line.get(timeout=_LOOK)
        except queue.Empty:
            return None

    def _apply(self, said: Changed | Relisted) -> bool:
        """Take changes in; whether anything is different."""
        held = self._values[said.stream.topic, said.stream.name]
        odd = self._odd[said.stream.topic, said.stream.name]
        if isinstance(said, Relisted):
            self._odd[said.stream.topic, said.stream.name] = _by_uid(said.odd)
            self._unlisted.discard((said.stream.topic, said.stream.name))
            same = {uid: held[uid] if _unchanged(held.get(uid), value) else value for uid, value in said.values.items()}
            self._values[said.stream.topic, said.stream.name] = same
            self._starts.listed(said.stream, time.monotonic())
            return same != held
        taken = [_take(held, odd, uid, value) for uid, value in said.objects]
        return any(taken)

    def _news(self, topic: Topic, change: bool) -> Iterator[Answer]:
        """The Part of a topic, and the Gaps that came with it; a list says all of its Gaps (Part.change)."""
        before, gaps = self._told.get(topic, ()), self._gaps(topic)
        self._told[topic] = gaps
        part = self._part(topic, change)
        yield replace(part, healed=_but(before, gaps)) if change else part
        yield from _but(gaps, before) if change else gaps
        if topic == Topic.CONTROL_PLANE and not change:
            yield from self._lease_gaps

    def _gaps(self, topic: Topic) -> tuple[Gap, ...]:
        """What of a topic cannot be read."""
        return tuple(gap_of_odd(topic, item) for (of, _), odd in self._odd.items() if of == topic for item in odd.values())

    def _part(self, topic: Topic, change: bool) -> Part:
        values: dict[str, Any] = {}
        for (of, _), held in self._values.items():
            if of == topic:
                values.update(held)
        chosen = tuple(v for v in values.values() if topic != Topic.FLANNEL_PODS or flannel_pods.is_flannel(v))
        before = self._known.readings.get(topic)
        # The pods keep the time of their list while changes come: second reads are compared with it (pod_addresses). The
        # control plane keeps that of the manager's Lease: how old that is counts from then.
        keeps = topic == Topic.CONTROL_PLANE or (change and topic == Topic.PODS)
        at = before.at if before is not None and keeps else self._transport.clock.now()
        return self._learn(Part(topic, {_FIELDS[topic]: chosen}, self._reading(topic, len(chosen), at), change))

    def _reading(self, topic: Topic, answered: int, at: float) -> Reading:
        before = self._known.readings.get(topic)
        odd = sum(len(items) for (of, _), items in self._odd.items() if of == topic)
        whole = not any(of == topic for of, _ in self._unlisted)
        scope = before.scope if before is not None else ""
        return Reading(at=at, asked=answered + odd, answered=answered, complete=whole, scope=scope)

    def _learn(self, part: Part) -> Part:
        """The part, taken into what is known."""
        readings = {**self._known.readings, part.topic: part.reading}
        self._known = replace(self._known, readings=readings, **part.fields)
        return part

    def _new_flannels(self) -> Iterator[Answer]:
        """Watch the pods of flannels that were installed meanwhile. Until all of their lists are there, pods are missing."""
        new = [stream for stream in flannel_pods.streams(self._known) if (stream.topic, stream.name) not in self._values]
        for stream in new:
            self._start(stream, Start("", {}, float("-inf")))
            self._unlisted.add((stream.topic, stream.name))
        if new:
            yield self._part(Topic.FLANNEL_PODS, True)

    # what no watch tells of

    def _unwatched(self) -> Iterator[Answer]:
        """Leases, now and then: they are renewed every few seconds, too often for a watch. All, when asked."""
        if self._again.is_set():
            yield from self._refresh()
            self._again.clear()
        if time.monotonic() >= self._lease_due and self._known.has(Topic.CONTROL_PLANE):
            yield from self._lease()
        if time.monotonic() >= self._leases_due and self._known.has(Topic.LEASES):
            yield from self._read(Topic.LEASES)

    def _refresh(self) -> Iterator[Answer]:
        """Every topic that is not watched, or not wholly so, or of which something is missing."""
        failed = ""
        try:
            for topic in self._topics:
                ended = [watcher.ended for (of, _), watcher in self._watchers.items() if of == topic]
                if not self._known.has(topic) or not ended or any(ended):
                    yield from self._read(topic)
            self._lease_due = time.monotonic()
        except Refused:
            raise
        except CannotRead as fault:  # raised where nothing can be read (KubeSource.read)
            failed = told(fault)
        self._follow_listed()
        yield Refreshed(max(self._starts.newest() + self._pace.relist - time.monotonic(), 0.0), failed)

    def _read(self, topic: Topic) -> Iterator[Answer]:
        if topic == Topic.LEASES:
            self._leases_due = time.monotonic() + self._pace.leases
        gaps: list[Gap] | None = None  # those that followed a whole reading
        for answer in self._read_topic(topic, self._known):
            if not isinstance(answer, Part):
                if isinstance(answer, Gap) and gaps is not None:
                    gaps.append(answer)
                yield answer
            elif answer.reading.complete:  # what is known stays until all of it is there
                gaps = []
                yield self._learn(answer)
        if topic == Topic.CONTROL_PLANE and gaps is not None:
            self._follow_listed()
            self._know_lease_gaps(gaps)

    def _know_lease_gaps(self, gaps: Iterable[Gap]) -> None:
        """Remember those of the control plane's Gaps that are about the manager's Lease, and not about pods."""
        self._lease_gaps = _but(tuple(gaps), self._told.get(Topic.CONTROL_PLANE, ()))

    def _lease(self) -> Iterator[Answer]:
        """The controller manager's."""
        self._lease_due = time.monotonic() + self._pace.lease
        reader = Reader(self._transport, Topic.CONTROL_PLANE, self._stop)
        gaps: list[Gap] = []
        try:
            leases = yield from control_plane.manager_lease(reader, self._known, gaps)
        except CannotRead as fault:
            gaps.append(gap_of(Topic.CONTROL_PLANE, fault))
        if gaps:  # the reading keeps its time
            new = _but(tuple(gaps), self._lease_gaps)
            self._lease_gaps += new
            yield from new
            return
        healed, self._lease_gaps = self._lease_gaps, ()
        reading = self._reading(Topic.CONTROL_PLANE, len(self._known.control_plane_pods), reader.now())
        yield self._learn(Part(Topic.CONTROL_PLANE, {"leases": leases}, reading, True, healed))


def _take(held: dict[str, Any], odd: dict[str, Odd], uid: str, value: Any) -> bool:
    """Take one change in; whether anything is different. What cannot be read any more is not what it was: it is not held."""
    if isinstance(value, Odd):
        before = odd.get(uid)
        odd[uid] = value
        return held.pop(uid, None) is not None or before is None or before.reason != value.reason
    healed = odd.pop(uid, None) is not None
    if value is None:
        return held.pop(uid, None) is not None or healed
    if _unchanged(held.get(uid), value):
        return healed
    held[uid] = value
    return True


def _by_uid(odd: Iterable[Odd]) -> dict[str, Odd]:
    """Objects without a readable uid are told apart by their names."""
    return {item.uid or f"{item.namespace}/{item.name}": item for item in odd}


def _but(gaps: tuple[Gap, ...], others: tuple[Gap, ...]) -> tuple[Gap, ...]:
    """Those that are not among the others, by their words."""
    said = {astuple(gap) for gap in others}
    return tuple(gap for gap in gaps if astuple(gap) not in said)


def _unchanged(held: Any, value: Any) -> bool:
    """Whether it is the same state of the same object (Events carry no resourceVersion in the model: always new)."""
    version = getattr(value, "resource_version", "")
    return bool(version) and held is not None and held.resource_version == version
