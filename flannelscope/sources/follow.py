"""All watches of a source together: what they say is gathered for a moment and becomes one Part a topic."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from flannelscope.errors import CannotRead
from flannelscope.model import Gap, Reading, Snapshot, Topic
from flannelscope.sources import Answer, Part
from flannelscope.sources.background import Halt
from flannelscope.sources.reader import Reader, gap_of_odd
from flannelscope.sources.streams import Start, Starts, Stream
from flannelscope.sources.topics import control_plane, flannel_pods
from flannelscope.sources.transport import Transport
from flannelscope.sources.watch import Changed, Pace, Relisted, Said, Watcher

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


class Follower:
    """Follows what was listed. Values are kept by stream and uid: what did not change stays the same object."""

    def __init__(self, transport: Transport, known: Snapshot, starts: Starts, pace: Pace, stop: threading.Event) -> None:
        self._transport = transport
        self._known = known
        self._pace = pace
        self._stop = stop
        self._line: queue.Queue[Said] = queue.Queue(_QUEUED)
        self._halts: list[Halt] = []
        self._values: dict[tuple[Topic, str], dict[str, Any]] = {}
        self._lease_due = time.monotonic() + pace.lease
        for stream, start in starts.items():
            self._start(stream, start)

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
        halt = Halt(self._stop)
        self._halts.append(halt)
        watcher = Watcher(self._transport, stream, start, self._pace, self._line, halt)
        threading.Thread(target=watcher.run, name=f"flannelscope-watch-{stream.topic}", daemon=True).start()

    def _round(self) -> Iterator[Answer]:
        """One time of gathering: begins with the first change, ends `gather` seconds later."""
        until: float | None = None
        changed: set[Topic] = set()
        anew: set[Topic] = set()
        gaps: list[Gap] = []
        while not self._stop.is_set() and (until is None or time.monotonic() < until):
            said = self._next()
            if said is None:
                if until is None:
                    break
                continue
            if isinstance(said, (Changed, Relisted)):
                until = until or time.monotonic() + self._pace.gather
                if self._apply(said):
                    changed.add(said.stream.topic)
                if isinstance(said, Relisted):
                    anew.add(said.stream.topic)
                    gaps += [gap_of_odd(said.stream.topic, odd) for odd in said.odd]
            else:
                yield said
        for topic in sorted(changed | anew):
            yield self._part(topic, topic not in anew)
        yield from gaps
        if Topic.DAEMONSETS in changed:
            self._new_flannels()
        yield from self._lease()

    def _next(self) -> Said | None:
        try:
            return self._line.get(timeout=_LOOK)
        except queue.Empty:
            return None

    def _apply(self, said: Changed | Relisted) -> bool:
        """Take changes in; whether anything is different."""
        held = self._values[said.stream.topic, said.stream.name]
        if isinstance(said, Relisted):
            same = {uid: held[uid] if _unchanged(held.get(uid), value) else value for uid, value in said.values.items()}
            self._values[said.stream.topic, said.stream.name] = same
            return same != held
        different = False
        for uid, value in said.objects:
            if value is None:
                different = held.pop(uid, None) is not None or different
            elif not _unchanged(held.get(uid), value):
                held[uid] = value
                different = True
        return different

    def _part(self, topic: Topic, change: bool) -> Part:
        values: dict[str, Any] = {}
        for (of, _), held in self._values.items():
            if of == topic:
                values.update(held)
        chosen = tuple(v for v in values.values() if topic != Topic.FLANNEL_PODS or flannel_pods.is_flannel(v))
        before = self._known.readings.get(topic)
        scope = before.scope if before is not None else ""
        # The pods keep the time of their list while changes come: second reads are compared with it (pod_addresses).
        at = before.at if before is not None and change and topic == Topic.PODS else self._transport.clock.now()
        reading = Reading(at=at, asked=len(chosen), answered=len(chosen), scope=scope)
        self._known = replace(self._known, **{_FIELDS[topic]: chosen})
        return Part(topic, {_FIELDS[topic]: chosen}, reading, change)

    def _new_flannels(self) -> None:
        """Watch the pods of a flannel that was installed meanwhile."""
        for stream in flannel_pods.streams(self._known):
            if (stream.topic, stream.name) not in self._values:
                self._start(stream, Start("", {}, float("-inf")))

    def _lease(self) -> Iterator[Answer]:
        """The controller manager's Lease, now and then: it is renewed every two seconds, too often for a watch."""
        if time.monotonic() < self._lease_due or not self._known.has(Topic.CONTROL_PLANE):
            return
        self._lease_due = time.monotonic() + self._pace.lease
        reader = Reader(self._transport, Topic.CONTROL_PLANE, self._stop)
        gaps: list[Gap] = []
        try:
            leases = yield from control_plane.manager_lease(reader, self._known, gaps)
        except CannotRead:
            return  # the record of the request says it; the reading keeps its time
        if gaps:
            return
        self._known = replace(self._known, leases=leases)
        pods = self._known.control_plane_pods
        yield Part(Topic.CONTROL_PLANE, {"leases": leases}, reader.reading(len(pods)), True)


def _unchanged(held: Any, value: Any) -> bool:
    """Whether it is the same state of the same object (Events carry no resourceVersion in the model: always new)."""
    version = getattr(value, "resource_version", "")
    return bool(version) and held is not None and held.resource_version == version
