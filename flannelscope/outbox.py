"""What leaves the engine's process: gathered by time, in small pieces, and only what changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Generic

from msgspec.structs import replace

from flannelscope import wire
from flannelscope.events import RequestDone
from flannelscope.model import Gap
from flannelscope.node_views import AnyDetail
from flannelscope.text import clean
from flannelscope.views import FindingView, NodeRow, Overview
from flannelscope.wire import ViewT

GATHER = 0.1  # seconds: small news is held back this long, so that the console draws ten times a second at most
KEPT = 8  # details of which it is remembered what was sent
LONGEST = 500  # characters of a path, reason or note


class Changes(Generic[ViewT]):
    """Remembers the encoding of each view by its key and tells what is new."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}

    def take(self, views: Iterable[tuple[str, ViewT]]) -> tuple[list[ViewT], list[str]]:
        """The views that are new or differ from before, and the keys that are gone."""
        fresh: dict[str, bytes] = {}
        changed: list[ViewT] = []
        for key, view in views:
            fresh[key] = encoded = wire.encode(view)
            if self.known.get(key) != encoded:
                changed.append(view)
        gone = [key for key in self.known if key not in fresh]
        self.known = fresh
        return changed, gone


class Outbox:
    """The one writer on the pipe to the console; may be used from any thread.

    A console that is gone is no error here: the engine ends when its standard input does.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._writing = threading.Lock()
        self._gathered = threading.Condition()
        self._requests: list[RequestDone] = []
        self._gaps: list[Gap] = []
        self._progress: dict[str, wire.Progressed] = {}
        self._watches: dict[str, tuple[str, str]] = {}
        self._run = 0
        threading.Thread(target=self._flushing, name="outbox", daemon=True).start()

    def send(self, message: wire.Message) -> None:
        """Send at once, after what was gathered."""
        self.flush()
        self._write([message])

    def begin(self, run: int) -> None:
        """From here on, what is gathered belongs to `run`; what was gathered for another is dropped."""
        with self._gathered:
            self._run = run
            self._requests, self._gaps, self._progress, self._watches = [], [], {}, {}

    def withdraw(self, question: str) -> None:
        """Say that nobody waits for the answer to this question any more."""
        self.send(wire.Withdrawn(run=self._run, id=question))

    def request(self, run: int, done: RequestDone) -> None:
        """Note a request for the log."""
        done = replace(done, path=clean(done.path, LONGEST), note=clean(done.note, LONGEST))
        self._gather(run, lambda: self._requests.append(done))

    def gap(self, run: int, gap: Gap) -> None:
        """Note something that could not be read."""
        gap = replace(gap, reason=clean(gap.reason, LONGEST), node=clean(gap.node))
        self._gather(run, lambda: self._gaps.append(gap))

    def progress(self, message: wire.Progressed) -> None:
        """Note how far a topic is; only the newest is sent."""
        self._gather(message.run, lambda: self._progress.__setitem__(message.topic, message))

    def watch(self, run: int, topic: str, state: str, reason: str) -> None:
        """Note how a watch stands; only the newest is sent."""
        self._gather(run, lambda: self._watches.__setitem__(topic, (state, clean(reason, LONGEST))))

    def _gather(self, run: int, note: Callable[[], None]) -> None:
        with self._gathered:
            if run == self._run:
                note()
                self._gathered.notify()

    def flush(self) -> None:
        """Send what was gathered."""
        with self._gathered:
            run, messages = self._run, list[wire.Message](self._progress.values())
            if self._requests:
                messages.append(wire.Requested(run=run, requests=tuple(self._requests)))
            if self._gaps:
                messages.append(wire.Gaps(run=run, gaps=tuple(self._gaps)))
            if self._watches:
                messages.append(wire.WatchStates(run=run, states=self._watches))
            self._requests, self._gaps, self._progress, self._watches = [], [], {}, {}
        self._write(messages)

    def _pending(self) -> bool:
        return bool(self._requests or self._gaps or self._progress or self._watches)

    def _flushing(self) -> None:
        pause = threading.Event()
        while True:
            with self._gathered:
                self._gathered.wait_for(self._pending)
            pause.wait(GATHER)
            self.flush()

    def _write(self, messages: Sequence[wire.Message]) -> None:
        with self._writing:
            for message in messages:
                for frame in wire.frames(wire.encode(message)):
                    self._put(memoryview(frame))

    def _put(self, data: memoryview) -> None:
        try:
            while data:
                data = data[os.write(self.descriptor, data) :]
        except BrokenPipeError:
            return


class Shown:
    """What the console was told in one run, so that only changes are sent."""

    def __init__(self, outbox: Outbox, run: int) -> None:
        self.outbox = outbox
        self.run = run
        self._rows: Changes[NodeRow] = Changes()
        self._findings: Changes[FindingView] = Changes()
        self._answer: Changes[Overview] = Changes()
        self._details: dict[tuple[str, tuple[str, ...]], bytes] = {}
        self._begun = False

    def detail(self, what: str, about: tuple[str, ...], view: AnyDetail | None) -> None:
        """Send a detail, if it is not what was sent last."""
        message = wire.Detailed(run=self.run, what=what, about=about, view=view)
        encoded = wire.encode(message)
        if self._details.get((what, about)) != encoded:
            self._details = {(what, about): encoded, **dict(list(self._details.items())[:KEPT])}
            self.outbox.send(message)

    def show(self, overview: Overview, rows: Iterable[NodeRow]) -> None:
        """Send what is new in `overview` and `rows`."""
        self._show_rows(rows)
        changed, _ = self._findings.take((finding.key, finding) for finding in overview.findings)
        for group in wire.batches(changed):
            self.outbox.send(wire.Findings(run=self.run, findings=group))
        keys = tuple(finding.key for finding in overview.findings)
        answer = replace(overview, findings=())
        if self._answer.take([("\n".join(keys), answer)])[0]:
            self.outbox.send(wire.Judged(run=self.run, overview=answer, keys=keys))

    def _show_rows(self, rows: Iterable[NodeRow]) -> None:
        changed, gone = self._rows.take((row.name, row) for row in rows)
        if not (changed or gone) and self._begun:
            return
        groups = list(wire.batches(changed)) or [()]
        for number, group in enumerate(groups):
            final = number == len(groups) - 1
            begins = not self._begun
            self._begun = True
            removed = tuple(gone) if final else ()
            self.outbox.send(wire.Rows(run=self.run, rows=group, removed=removed, first=begins, last=final))
