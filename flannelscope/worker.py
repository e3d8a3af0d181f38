"""The engine as a child process: requests in by standard input, events out by standard output, as `wire` says.

The console starts it as `python -m flannelscope.worker`. It ends when its standard input does. An interrupt from the
terminal is the console's to answer, so it is ignored here; whatever libraries print goes to standard error.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, BinaryIO

from msgspec.structs import replace

from flannelscope import wire
from flannelscope.errors import FlannelscopeError, UsageError
from flannelscope.events import Event, GapFound, Grown, Refreshed, RequestDone, TopicDone, TopicProgress, WatchState
from flannelscope.model import Snapshot, Topic
from flannelscope.outbox import Outbox, Shown
from flannelscope.questions import Answer, Question, Questions
from flannelscope.session import Settings, open_login, open_source
from flannelscope.sources import Refreshes, Source
from flannelscope.text import clean, clean_lines

if TYPE_CHECKING:
    from flannelscope.facts import Facts
    from flannelscope.judge import Judgement
    from flannelscope.sources.login import Login

SHARE = 0.2  # at most this part of the time goes into judging while things still come in
_TELL_RANGES = (Topic.NODES, Topic.CONTROL_PLANE, Topic.CONFIGURATION)  # the cluster CIDR in effect follows from these
PATIENCE = 1.0  # seconds a reading gets to end when it is told to


class Run:
    """One reading: all topics once, then what changes; judged beside it in a thread of its own."""

    def __init__(self, number: int, settings: Settings, known: Snapshot, outbox: Outbox, login: Login | None = None) -> None:
        """`login` reaches the nodes; it lasts longer than one reading."""
        self.number = number
        self.login = login
        self.settings = settings
        self.snapshot = known
        self.outbox = outbox
        self.stop = threading.Event()
        self._news = threading.Condition()
        self._verdict = threading.Lock()  # a reading that has failed is never said to be finished after that
        self._fresh = False
        self._complete = False
        self._following = False
        self._in_view: tuple[tuple[str, tuple[str, ...]], ...] = ()
        self._turned = False  # something else is in view
        self._source: Source | None = None
        self._requests = 0
        self._received = 0
        self._reading = threading.Thread(target=self._read, name=f"read {number}", daemon=True)
        self._judging = threading.Thread(target=self._judge_on, name=f"judge {number}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self.outbox.begin(self.number)
        self._reading.start()
        self._judging.start()

    def refresh(self) -> bool:
        """Have what no watch tells of read again; False where everything has to be."""
        source = self._source
        return self._following and source is not None and isinstance(source, Refreshes) and source.refresh()

    def look(self, details: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
        """From now on these details are in view."""
        with self._news:
            self._in_view, self._turned = details, True
            self._news.notify_all()

    def end(self) -> None:
        """Stop reading, close connections, and wait a little until the threads are through."""
        self.stop.set()
        with self._news:
            self._news.notify_all()
        if self._source is not None:
            self._source.close()
        self._reading.join(PATIENCE)
        self._judging.join(PATIENCE)

    def _read(self) -> None:
        try:
            self._read_all()
        except FlannelscopeError as error:
            self._fail(error.what, error.where, error.do)
        except Exception as error:  # noqa: BLE001 - a bug: it is told to the operator, and the console lives on
            traceback.print_exc()
            self._fail(f"The engine met an error of its own: {type(error).__name__}: {error}", "", "Press r to read again.")

    def _read_all(self) -> None:
        from flannelscope.collect import collect, follow

        started = time.monotonic()
        self._source = source = open_source(self.settings, self.login)
        for event in collect(source, self.snapshot, self.stop):
            self._take(event)
        with self._verdict:
            if self.stop.is_set():
                return
            self._following = True
            self.outbox.send(wire.Finished(run=self.number, seconds=time.monotonic() - started))
        with self._news:
            self._complete = self._fresh = True
            self._news.notify_all()
        try:
            for event in follow(source, self.snapshot, self.stop):
                self._take(event)
        finally:
            self._following = False

    def _fail(self, what: str, where: str, do: str) -> None:
        if not self.stop.is_set():
            self.outbox.send(wire.Failed(run=self.number, what=clean(what, 600), where=clean(where, 300), do=clean(do, 300)))

    def _take(self, event: Event) -> None:
        match event:
            case Grown(snapshot=snapshot, topic=topic):
                with self._news:
                    self.snapshot = snapshot
                    self._fresh = self._fresh or bool(snapshot.nodes) or snapshot.has(Topic.NODES)
                    self._news.notify_all()
                reading = snapshot.readings.get(topic)
                if reading is not None and not self._complete:
                    self._progress(topic, reading.answered, reading.asked or None, reading.complete)
            case RequestDone():
                self._requests += 1
                self._received += event.received
                self.outbox.request(self.number, event)
            case TopicProgress(topic=topic, read=read, total=total):
                self._progress(topic, read, total, False)
            case TopicDone(topic=topic, count=count):
                self._progress(topic, count, count, True)
            case GapFound(gap=gap, snapshot=snapshot):
                with self._news:
                    self.snapshot = snapshot
                self.outbox.gap(self.number, gap)
            case WatchState(topic=topic, state=state, reason=reason):
                self.outbox.watch(self.number, str(topic), state, reason)
            case Question():
                text = clean_lines(event.text)
                about = {"id": event.id, "kind": event.kind, "host": clean(event.host)}
                self.outbox.send(wire.Asked(run=self.number, **about, text=text, secret=event.secret))
            case Refreshed(lists_in=lists_in, failed=failed):
                self.outbox.send(wire.Refreshed(run=self.number, lists_in=lists_in, failed=clean(failed, 600)))

    def _progress(self, topic: Topic, read: int, total: int | None, done: bool) -> None:
        self.outbox.progress(
            wire.Progressed(
                run=self.number,
                topic=str(topic),
                read=read,
                total=total,
                done=done,
                requests=self._requests,
                received=self._received,
            )
        )

    def _judge_on(self) -> None:
        shown = Shown(self.outbox, self.number)
        known: tuple[Facts, Judgement] | None = None
        while True:
            with self._news:
                self._news.wait_for(lambda: self._fresh or self._turned or self.stop.is_set())
                fresh, self._fresh, self._turned = self._fresh, False, False
                snapshot, complete = self.snapshot, self._complete
            if self.stop.is_set():
                return
            started = time.monotonic()
            try:
                if fresh:
                    known = self._judge(shown, snapshot, complete)
                if known is not None:
                    self._tell_details(shown, *known)
            except UsageError as error:  # what was given cannot be: nothing that follows from it is shown
                self._give_up(error)
                return
            except Exception as error:  # noqa: BLE001 - a bug in a check: told, and the rest lives on
                traceback.print_exc()
                self._fail(f"A check failed: {type(error).__name__}: {error}", "", "Please report it; the data stays in view.")
            if fresh:
                self._breathe((time.monotonic() - started) * (1 - SHARE) / SHARE, complete)

    def _give_up(self, error: UsageError) -> None:
        with self._verdict:
            self._fail(error.what, error.where, error.do)
            self.stop.set()
        if self._source is not None:
            self._source.close()

    def _breathe(self, seconds: float, was_complete: bool) -> None:
        """Wait so long; the end of the reading cuts it short, so that the whole answer does not wait."""
        with self._news:
            self._news.wait_for(lambda: self.stop.is_set() or self._turned or (self._complete and not was_complete), seconds)

    def _tell_details(self, shown: Shown, facts: Facts, judgement: Judgement) -> None:
        """What is in view besides rows and findings."""
        from flannelscope.details import all_details
        from flannelscope.details.broken import broken

        for what, about in self._in_view:
            made = all_details().get(what)
            try:
                view = None if made is None else made.make(facts, judgement, about)
            except Exception as error:  # noqa: BLE001 - a bug in one detail: said in its place, and the others are told
                traceback.print_exc()
                view = broken(what, about, error)
            shown.detail(what, about, view)

    def _judge(self, shown: Shown, snapshot: Snapshot, complete: bool) -> tuple[Facts, Judgement]:
        """Judge and send. Raises UsageError for options that the cluster found contradicts."""
        from flannelscope.config_ranges import insist
        from flannelscope.facts import Facts
        from flannelscope.judge import judge
        from flannelscope.present import node_rows, overview

        facts = Facts(snapshot)
        if complete or all(snapshot.has(topic) for topic in _TELL_RANGES):
            insist(facts)
        judgement = judge(facts)
        answer = overview(facts, judgement, complete=complete, requests=self._requests, received=self._received)
        if not self.stop.is_set():
            shown.show(answer, node_rows(facts, judgement))
        return facts, judgement


def serve(inbound: BinaryIO, outbox: Outbox) -> None:
    """Do what is asked until `inbound` ends."""
    run: Run | None = None
    settings: Settings | None = None
    login: Login | None = None
    for payload in wire.payloads(inbound):
        request = wire.decode_request(payload)
        if isinstance(request, wire.Refresh):
            if run is None or run.number != request.run or not run.refresh():
                outbox.send(wire.Declined(run=request.run))
            continue
        if isinstance(request, wire.Look):
            if run is not None and run.number == request.run:
                run.look(request.details)
            continue
        if isinstance(request, wire.Reply):
            if login is not None:
                login.questions.hear(Answer(request.id, request.text))
            continue
        known = run.snapshot if run is not None else None
        if run is not None:
            run.end()
            run = run if isinstance(request, wire.Stop) else None
        if isinstance(request, wire.Start):
            settings, known = request.settings, None
            _close(login)
            login = open_login(settings, Questions(withdrawn=outbox.withdraw))
        if settings is None or isinstance(request, wire.Stop):
            continue
        run = Run(request.run, settings, settings.start if known is None else replace(known, gaps=()), outbox, login)
        run.start()
    if run is not None:
        run.stop.set()
    _close(login)  # first: whoever started us does not wait long, and connections of the system's ssh would outlive us
    if run is not None:
        run.end()


def _close(login: Login | None) -> None:
    if login is not None:
        login.close()


def take_over_pipes() -> tuple[BinaryIO, int]:
    """The two pipes for our own use; standard input becomes empty and standard output becomes standard error.

    So nothing that a library prints, and no plugin that reads, can disturb the conversation.
    """
    inbound, outbound = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    return open(inbound, "rb"), outbound  # noqa: PTH123 - a descriptor, not a path


def main() -> int:
    """Run until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(50_000, 20, 100)  # values are not tracked; what is left to collect is little
    logging.lastResort = None
    inbound, outbound = take_over_pipes()
    outbox = Outbox(outbound)
    outbox.send(wire.Hello(run=0, process=os.getpid()))
    serve(inbound, outbox)
    return 0


if __name__ == "__main__":
    sys.exit(main())
