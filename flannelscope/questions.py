"""What the engine must ask a person while it runs: a key's passphrase, a jump host's prompt, leave to begin.

A Question is an event like any other; who shows it puts the Answer into the queue. Nobody waits for ever: no answer within
the patience is a refusal, and headless nothing is asked at all.
"""

from __future__ import annotations

import queue
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from flannelscope.model.base import Value

PASSPHRASE = "passphrase"  # of a key file; secret
PROMPT = "prompt"  # keyboard-interactive of a jump host: `secret` as the server says
LEAVE = "leave"  # may these hosts be looked at: yes or no
YES = "yes"
_LOOK = 0.1  # seconds between looks at the stop event


class Question(Value, frozen=True, kw_only=True):
    """Something only a person knows. `text` may hold words of a server and is cleaned; `secret`: do not show the answer."""

    id: str
    kind: str
    host: str  # the server, file or group of hosts that it is about
    text: str
    secret: bool = False


class Answer(Value, frozen=True):
    """What was answered to the Question `id`; None: declined. Never shown."""

    id: str
    text: str | None

    def __repr__(self) -> str:
        return f"Answer({self.id!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """What rich shows of it, for instance in a traceback with locals."""
        return [("id", self.id)]


def _nobody(question: str) -> None:
    """Who is told that a question no longer waits, where that is of no use to anybody."""


class Questions:
    """Where questions get their identity, and the queue in which answers arrive, from any thread.

    An answer that came too late, or to a question of somebody else, is kept nowhere: it may be a secret. `withdrawn` is called
    with the id of a question that nobody answered and nobody waits for any more.
    """

    def __init__(self, *, patience: float = 120.0, asks: bool = True, withdrawn: Callable[[str], None] = _nobody) -> None:
        self.answers: queue.Queue[Answer] = queue.Queue()
        self.asks = asks
        self.patience = patience
        self._withdrawn = withdrawn
        self._open: set[str] = set()
        self._lock = threading.Lock()
        self._early: dict[str, Answer] = {}

    @classmethod
    def headless(cls) -> Questions:
        """Asks nothing: whoever needs an answer does without."""
        return cls(asks=False)

    def new(self, kind: str, host: str, text: str, *, secret: bool = False) -> Question:
        """A question with an identity of its own, which no other process gives to one of its own."""
        question = Question(id=secrets.token_hex(8), kind=kind, host=host, text=text, secret=secret)
        with self._lock:
            self._open.add(question.id)
        return question

    def hear(self, answer: Answer) -> None:
        """Take an answer, if its question still waits for one."""
        with self._lock:
            if answer.id in self._open:
                self.answers.put(answer)

    def wait(self, question: Question, ended: Callable[[], bool]) -> str | None:
        """The answer; None where it was declined, did not come in time, or `ended` became true."""
        try:
            answer = self._awaited(question, ended)
        finally:
            self._forget(question.id)
        if answer is None:
            self._withdrawn(question.id)
            return None
        return answer.text

    def _awaited(self, question: Question, ended: Callable[[], bool]) -> Answer | None:
        until = time.monotonic() + self.patience
        while self.asks and not ended() and time.monotonic() < until:
            with self._lock:
                if question.id in self._early:
                    return self._early.pop(question.id)
            try:
                answer = self.answers.get(timeout=_LOOK)
            except queue.Empty:
                continue
            with self._lock:
                if answer.id in self._open:
                    self._early[answer.id] = answer
        return None

    def _forget(self, question: str) -> None:
        with self._lock:
            self._open.discard(question)
            self._early.pop(question, None)
            waiting = []
            with suppress(queue.Empty):
                while True:
                    waiting.append(self.answers.get_nowait())
            for answer in waiting:
                if answer.id in self._open:
                    self.answers.put(answer)
