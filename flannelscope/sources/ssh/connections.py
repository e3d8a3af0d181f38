"""Connections of our own, over paramiko: one to each jump host, shared, and one to each node, all kept between runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence

from flannelscope.questions import PASSPHRASE, Question, Questions
from flannelscope.sources.ssh.dial import dial
from flannelscope.sources.ssh.ending import Ending
from flannelscope.sources.ssh.execute import Stale, execute
from flannelscope.sources.ssh.failures import Ended, NotReached
from flannelscope.sources.ssh.hops import Hops
from flannelscope.sources.ssh.key_ring import KeyRing
from flannelscope.sources.ssh.known_files import KnownFiles
from flannelscope.sources.ssh.link import Link
from flannelscope.sources.ssh.login import log_in
from flannelscope.sources.ssh.said import judged
from flannelscope.sources.ssh.values import Answered, Login, Target
from flannelscope.text import clean

_TRIES = 3  # for a passphrase


class Connections:
    """What is connected; `prepare` comes before each fan-out of `run`s, which may be made in many threads."""

    def __init__(self, ask: Questions) -> None:
        self._ask = ask
        self._ring = KeyRing()
        self._known = KnownFiles()
        self._hops = Hops(ask, self._ring, self._known)
        self._links: dict[str, Link] = {}
        self._lock = threading.Lock()
        self._in_vain: set[str] = set()  # files whose passphrase was asked for already, and not told

    def ask_again(self) -> None:
        """Ask anew what was asked in vain."""
        self._in_vain.clear()
        self._hops.ask_again()

    def prepare(self, targets: Sequence[Target], ending: Ending) -> Iterator[Question]:
        """Ask for what is needed, and connect to the jump hosts; a node is not dialled before that is done."""
        self._known.look_again()
        self._ring.fresh()
        self._hops.test()
        new = [target for target in targets if not self._alive(target)]
        yield from self._unlock({id(login): login for target in new for login in target.route}.values(), ending)
        yield from self._hops.open({route for target in new if (route := target.route[:-1])}, ending)

    def run(self, target: Target, script: bytes, limit: int, until: float, ending: Ending) -> Answered:
        """What the script says there. Raises NotReached."""
        link = self._kept(target)
        if link is not None and not link.answers():
            self._drop(target)
            link = None
        if link is not None:
            try:
                return self._ask_node(link, target, script, limit, until, ending)
            except Stale:
                self._drop(target)
        link = self._connect(target, until, ending)
        try:
            return self._ask_node(link, target, script, limit, until, ending)
        except Stale as error:
            self._drop(target)
            raise NotReached(f"logged in, then the connection ended without an answer ({error})") from None

    def close(self) -> None:
        """End all connections, jump hosts first: through one that takes nothing any more, nobody could say goodbye."""
        with self._lock:
            links, self._links = [*self._links.values()], {}
        self._hops.close()
        for link in links:
            link.shut()

    def _ask_node(self, link: Link, target: Target, script: bytes, limit: int, until: float, ending: Ending) -> Answered:
        at = time.time()
        try:
            return judged(target, at, execute(link, script, limit, until, ending))
        finally:
            if not link.is_active():
                self._drop(target)

    def _connect(self, target: Target, until: float, ending: Ending) -> Link:
        login = target.login
        until = min(until, time.monotonic() + login.policy.patience)
        with self._hops.turn(target.route[:-1], ending) as via:
            link = dial(login, target.route[:-1], via, self._known.of(login), until, ending)
            try:
                log_in(link, login, target.route[:-1], self._ring, until, ending)
            except BaseException:
                link.shut()
                raise
        if ending.is_set():
            link.shut()
            raise Ended
        with self._lock:
            self._links[_name(target.route)] = link
        return link

    def _kept(self, target: Target) -> Link | None:
        with self._lock:
            return self._links.get(_name(target.route))

    def _alive(self, target: Target) -> bool:
        link = self._kept(target)
        return link is not None and link.is_active()

    def _drop(self, target: Target) -> None:
        with self._lock:
            link = self._links.pop(_name(target.route), None)
        if link is not None:
            link.shut()

    def _unlock(self, logins: Iterable[Login], ending: Ending) -> Iterator[Question]:
        if not self._ask.asks:
            return
        for file, login in self._ring.to_unlock(logins):
            if file.path in self._in_vain:
                continue
            self._in_vain.add(file.path)
            text = f"Passphrase of the key {file.path} (to log in as {login.words})"
            for attempt in range(_TRIES):
                question = self._ask.new(PASSPHRASE, file.path, clean(text), secret=True)
                yield question
                given = self._ask.wait(question, ending.is_set)
                if given is None or file.unlock(given):
                    break
                text = f"That is not the passphrase of {file.path}; {_TRIES - attempt - 1} more tries"


def _name(route: Sequence[Login]) -> str:
    return " ".join(login.words for login in route)
