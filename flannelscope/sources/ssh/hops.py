"""Jump hosts: one connection to each, shared by all nodes behind it, made before the first of these is dialled."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager

from flannelscope.questions import PROMPT, Question, Questions
from flannelscope.sources.ssh.dial import dial
from flannelscope.sources.ssh.ending import Ending
from flannelscope.sources.ssh.failures import Ended, NotReached
from flannelscope.sources.ssh.fan_out import HANDSHAKES
from flannelscope.sources.ssh.key_ring import KeyRing
from flannelscope.sources.ssh.known_files import KnownFiles
from flannelscope.sources.ssh.link import Link
from flannelscope.sources.ssh.login import Prompt, log_in
from flannelscope.sources.ssh.values import Login
from flannelscope.text import clean

_LOOK = 0.1  # seconds between looks whether the run has ended

Route = tuple[Login, ...]


class _Hop:
    def __init__(self) -> None:
        self.link: Link | None = None
        self.failure: NotReached | None = None
        self.turns = threading.BoundedSemaphore(HANDSHAKES)


class Hops:
    """By the whole way to each: a jump host reached in two ways has two connections."""

    def __init__(self, ask: Questions, ring: KeyRing, known: KnownFiles) -> None:
        self._ask = ask
        self._ring = ring
        self._known = known
        self._hops: dict[str, _Hop] = {}
        self._in_vain: set[str] = set()  # where a person was asked already, and it did not help

    def ask_again(self) -> None:
        """Forget that somebody was asked in vain."""
        self._in_vain.clear()

    def test(self) -> None:
        """Give up those that are kept and do not answer any more, with all that goes through them; side by side."""
        kept = [hop.link for hop in self._hops.values() if hop.link is not None and hop.link.is_active()]
        tests = [threading.Thread(target=link.answers, name="flannelscope-hop", daemon=True) for link in kept]
        for one in tests:
            one.start()
        for one in tests:
            one.join()

    def open(self, routes: AbstractSet[Route], ending: Ending) -> Iterator[Question]:
        """Connect to the last of each route and all before it; what fails is told to who wants to go through."""
        wanted: dict[str, Route] = {_name(route[:end]): route[:end] for route in routes for end in range(1, len(route) + 1)}
        for depth in range(1, max(map(len, wanted.values()), default=0) + 1):
            yield from self._level([route for route in wanted.values() if len(route) == depth], ending)

    @contextmanager
    def turn(self, route: Route, ending: Ending) -> Iterator[Link | None]:
        """A handshake through the last of the route; None where there is no hop. Raises NotReached where it is not connected."""
        if not route:
            yield None
            return
        hop = self._hops[_name(route)]
        while not hop.turns.acquire(timeout=_LOOK):
            if ending.is_set():
                raise Ended
        try:
            if hop.link is None or not hop.link.is_active():
                no = hop.failure or NotReached("the connection to it ended")
                raise NotReached(f"its jump host {route[-1].alias}: {no.reason}", no.do)
            yield hop.link
        finally:
            hop.turns.release()

    def close(self) -> None:
        """End them, the first of a route first: whoever waits for something to go through it wakes up."""
        for name in sorted(self._hops, key=len):
            link = self._hops[name].link
            if link is not None:
                link.shut()
        self._hops.clear()

    def _level(self, routes: Sequence[Route], ending: Ending) -> Iterator[Question]:
        """Side by side; their questions as they come."""
        told: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
        under_way = 0
        for route in routes:
            hop = self._hops.setdefault(_name(route), _Hop())
            if hop.link is None or not hop.link.is_active():
                under_way += 1
                threading.Thread(target=self._open, args=(route, hop, told, ending), name="flannelscope-hop", daemon=True).start()
        while under_way:
            try:
                question = told.get(timeout=_LOOK)
            except queue.Empty:
                if ending.is_set():
                    return
                continue
            if question is None:
                under_way -= 1
            else:
                yield question

    def _open(self, route: Route, hop: _Hop, told: queue.SimpleQueue[Question | None], ending: Ending) -> None:
        hop.link, hop.failure = None, None
        try:
            hop.link = self._connect(route, told, ending)
            self._in_vain.discard(_name(route))
        except NotReached as no:
            hop.failure = no
        except Exception as error:  # noqa: BLE001 - said of the nodes behind it
            hop.failure = NotReached(f"connecting failed in an unforeseen way ({type(error).__name__})")
        finally:
            told.put(None)

    def _asks(self, route: Route) -> bool:
        return self._ask.asks and _name(route) not in self._in_vain

    def _connect(self, route: Route, told: queue.SimpleQueue[Question | None], ending: Ending) -> Link:
        login = route[-1]
        until = time.monotonic() + login.policy.patience
        with self.turn(route[:-1], ending) as via:
            link = dial(login, route[:-1], via, self._known.of(login), until, ending)
            try:
                prompt = self._prompt(route, told, ending) if self._asks(route) else None
                log_in(link, login, route[:-1], self._ring, until, ending, prompt)
            except BaseException:
                link.shut()
                raise
        link.wire.allow(1 << 62)  # it carries what all nodes behind it say, each within its own bounds
        return link

    def _prompt(self, route: Route, told: queue.SimpleQueue[Question | None], ending: Ending) -> Prompt:
        def ask(text: str, shown: bool) -> str | None:
            self._in_vain.add(_name(route))
            question = self._ask.new(PROMPT, route[-1].words, clean(text, 500), secret=not shown)
            told.put(question)
            return self._ask.wait(question, ending.is_set)

        return ask


def _name(route: Sequence[Login]) -> str:
    return " ".join(login.words for login in route)
