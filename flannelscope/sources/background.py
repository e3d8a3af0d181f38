"""Runs a generator in a thread, one result ahead, and ends with whoever listens: a reader that was told to stop comes back
at once, whatever its sockets do.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator
from typing import Generic, Protocol, TypeVar

from flannelscope.sources.faults import Stopped

T = TypeVar("T")
R = TypeVar("R")
_LOOK = 0.1  # seconds between looks at the stop event


class Abortable(Protocol):
    """Something that another thread can end: an answer under way."""

    def abort(self) -> None:
        """End it; whoever reads from it gets an error or the end."""


class Halt:
    """Says when work should end: with the run's `stop` event, or when nobody listens any more."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._own = threading.Event()
        self._lock = threading.Lock()
        self._open: set[Abortable] = set()

    def is_set(self) -> bool:
        """Whether to end."""
        return self._own.is_set() or self._stop.is_set()

    def set(self) -> None:
        """End: waiting ends, and so do the answers under way."""
        with self._lock:
            self._own.set()
            for answer in self._open:
                answer.abort()

    def attach(self, answer: Abortable) -> None:
        """`answer` is under way from here on. Raises Stopped when it is too late for that."""
        with self._lock:
            if self._own.is_set():
                answer.abort()
                raise Stopped
            self._open.add(answer)

    def detach(self, answer: Abortable) -> None:
        """`answer` has been read, or nobody wants it any more."""
        with self._lock:
            self._open.discard(answer)

    def wait(self, seconds: float) -> None:
        """Sleep. Raises Stopped when told to end meanwhile."""
        until = time.monotonic() + seconds
        while True:
            if self.is_set():
                raise Stopped
            left = until - time.monotonic()
            if left <= 0:
                return
            self._own.wait(min(left, _LOOK))


class _Result(Generic[R]):
    def __init__(self, value: R | None = None, error: BaseException | None = None) -> None:
        self.value = value
        self.error = error


def background(work: Callable[[Halt], Generator[T, None, R]], stop: threading.Event) -> Generator[T, None, R]:
    """What `work` yields and returns, made in a thread of its own. Raises what it raises, and Stopped when `stop` is set."""
    halt = Halt(stop)
    line: queue.Queue[T | _Result[R]] = queue.Queue(maxsize=1)
    thread = threading.Thread(target=_run, args=(work, halt, line), name="flannelscope-read", daemon=True)
    thread.start()
    try:
        while True:
            item = _take(line, stop)
            if not isinstance(item, _Result):
                yield item
                continue
            if item.error is not None:
                raise item.error
            return item.value  # type: ignore[return-value] # a _Result without error holds what was returned
    finally:
        halt.set()


def _run(work: Callable[[Halt], Generator[T, None, R]], halt: Halt, line: queue.Queue[T | _Result[R]]) -> None:
    result: _Result[R]
    try:
        making = work(halt)
        while True:
            try:
                _give(line, next(making), halt)
            except StopIteration as end:
                result = _Result(end.value)
                break
    except BaseException as error:  # noqa: BLE001 - handed to the listener, which raises it
        result = _Result(error=error)
    try:
        _give(line, result, halt)
    except Stopped:
        return


def _give(line: queue.Queue[T | _Result[R]], item: T | _Result[R], halt: Halt) -> None:
    while True:
        if halt.is_set():
            raise Stopped
        try:
            line.put(item, timeout=_LOOK)
            return
        except queue.Full:
            continue


def _take(line: queue.Queue[T | _Result[R]], stop: threading.Event) -> T | _Result[R]:
    while True:
        if stop.is_set():
            raise Stopped
        try:
            return line.get(timeout=_LOOK)
        except queue.Empty:
            continue
