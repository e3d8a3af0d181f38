"""What the engine has to ask the operator: a key's passphrase, what a jump host prompts, leave to log in to nodes.

A Question is an event; its answer comes back by its id. Where nobody can be asked, nobody is: what hangs on the answer is
then a Gap with a sentence. Answers may be secrets: they are never shown, logged or kept.
"""

from __future__ import annotations

import threading
import time

from flannelscope.model import Value

LEAVE, PASSPHRASE, INTERACTIVE = "leave", "passphrase", "interactive"  # kinds
YES = "yes"  # the answer that gives leave
PATIENCE = 300.0  # seconds an operator gets to answer
_LOOK = 0.2


class Question(Value, frozen=True, kw_only=True):
    """Something to be asked. `host` is whom it is about, `text` the question in words; the answer to a `secret` is hidden."""

    id: str
    kind: str
    host: str = ""
    text: str = ""
    secret: bool = False


class Questions:
    """Where answers arrive; may be used from any thread. `may_ask` is False where nobody sits in front of it."""

    def __init__(self, *, may_ask: bool = False) -> None:
        self.may_ask = may_ask
        self._answers: dict[str, str | None] = {}
        self._arrived = threading.Condition()

    def __repr__(self) -> str:
        return f"Questions(may_ask={self.may_ask})"

    def answer(self, question: str, said: str | None) -> None:
        """The answer to the question of this id; None declines."""
        with self._arrived:
            self._answers[question] = said
            self._arrived.notify_all()

    def wait(self, question: Question, stop: threading.Event, seconds: float = PATIENCE) -> str | None:
        """The answer; None when it was declined, did not come in time, nobody may be asked, or `stop` was set."""
        until = time.monotonic() + seconds
        with self._arrived:
            while question.id not in self._answers:
                left = until - time.monotonic()
                if not self.may_ask or stop.is_set() or left <= 0:
                    return None
                self._arrived.wait(min(left, _LOOK))
            return self._answers.pop(question.id)
