"""A request whose answer is read later: sent in a thread, so that the server works on it meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

from flannelscope.sources.background import Abortable, Halt


class _Answer(Abortable, Protocol):
    def close(self) -> None: ...


T = TypeVar("T")
A = TypeVar("A", bound=_Answer)


class Ahead(Generic[T, A]):
    """A request sent before its turn: the server works on the answer while the one before it is read and decoded."""

    def __init__(self, tried: T, send: Callable[[], A], halt: Halt) -> None:
        self.tried = tried
        self._halt = halt
        self._answer: Future[A] = Future()
        threading.Thread(target=self._run, args=(send,), name="flannelscope-ask", daemon=True).start()

    def _run(self, send: Callable[[], A]) -> None:
        try:
            self._answer.set_result(send())
        except BaseException as error:  # noqa: BLE001 - handed to the taker, which raises it
            self._answer.set_exception(error)

    def take(self) -> A:
        """The answer, waited for. Raises what sending raised."""
        return self._answer.result()

    def drop(self) -> None:
        """Nobody wants the answer: it is ended as soon as it is there."""
        self._answer.add_done_callback(self._end)

    def _end(self, answer: Future[A]) -> None:
        if answer.exception() is None:
            self._halt.detach(answer.result())
            answer.result().close()
