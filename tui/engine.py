"""The engine as the console sees it: something that is asked and that tells. It runs in a child process.

Started with the same Python, never forked, in a session of its own: it has no terminal, so no plugin it starts can write on
our screen, and Ctrl-C does not reach it. The current directory is not on its path: it holds credentials, and a msgspec.py
that lies there must not be imported. Its standard error goes to a nameless file.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import IO, Protocol

from flannelscope import wire
from flannelscope.session import Settings
from flannelscope.text import clean

GATHER = 0.1  # seconds between two messages to the app
PORTION = 0.025  # seconds between portions of rows, so that keys are answered in between
FIRST_RUN = 1
PATIENCE = 1.5  # seconds the child gets to end by itself
TAIL = 2000  # bytes of its last words

Tell = Callable[[tuple[wire.Event, ...]], None]


class Engine(Protocol):
    """What the app needs of an engine; tests bring their own."""

    def start(self) -> None:
        """Start the process. Returns at once."""

    def ask(self, request: wire.Request) -> None:
        """Send a request. One sent to a process that is gone is lost; `listen` tells of its end."""

    def listen(self, tell: Tell) -> tuple[str, str] | None:
        """In a thread: tell what comes until the process ends. Returns how it ended and its last words, None when closed."""

    def close(self) -> None:
        """End the process; never takes longer than about two seconds."""


class ChildEngine:
    """The engine in a child process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._words: IO[bytes] | None = None
        self._closed = False

    @property
    def process(self) -> int:
        """The process id of the child, 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Start the process."""
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "flannelscope.worker"],  # -P: nothing is imported from where it was called
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            start_new_session=True,
        )

    def ask(self, request: wire.Request) -> None:
        """Send a request; small enough for the pipe, so this does not block."""
        if self._process is None or self._process.stdin is None or self._process.stdin.closed:
            return
        with contextlib.suppress(OSError):
            for frame in wire.frames(wire.encode(request)):
                self._process.stdin.write(frame)
            self._process.stdin.flush()

    def listen(self, tell: Tell) -> tuple[str, str] | None:
        """Decode here, off the UI thread, and tell at most ten times a second."""
        process = self._process
        if process is None or process.stdout is None:
            return None
        arrived: queue.SimpleQueue[wire.Event | None] = queue.SimpleQueue()
        teller = threading.Thread(target=_gather, args=(arrived, tell), name="gather", daemon=True)
        teller.start()
        with contextlib.suppress(ValueError, OSError):  # closed under us
            for payload in wire.payloads(process.stdout):
                arrived.put(wire.decode_event(payload))
        arrived.put(None)
        teller.join()
        code = self._wait(process)
        process.stdout.close()
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        return None if self._closed else (_how(code), self._last_words())

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            _kill(process)
            return process.wait()

    def _last_words(self) -> str:
        words, self._words = self._words, None
        if words is None:
            return ""
        with words:
            end = words.seek(0, os.SEEK_END)
            words.seek(max(end - TAIL, 0))
            lines = words.read().decode("utf-8", "replace").strip().splitlines()
        return clean(lines[-1], 300) if lines else ""

    def close(self) -> None:
        """Close its standard input, which ends it; where it does not end in time, end it."""
        self._closed = True
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        self._wait(process)
        if self._words is not None:
            self._words.close()


def early(settings: Settings) -> ChildEngine | None:
    """An engine that reads already while the console is still being imported, where there is a second processor for it."""
    if _processors() < 2:
        return None
    engine = ChildEngine()
    engine.start()
    engine.ask(wire.Start(run=FIRST_RUN, settings=settings))
    return engine


def _processors() -> int:
    """How many we may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _how(code: int) -> str:
    if code >= 0:
        return f"exit {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _gather(arrived: queue.SimpleQueue[wire.Event | None], tell: Tell) -> None:
    """Tell the first at once, then what comes within each further GATHER in one; many rows in portions, one by one."""
    pause = threading.Event()
    while True:
        events = [arrived.get()]
        while events[-1] is not None and not isinstance(events[-1], wire.Rows) and not arrived.empty():
            events.append(arrived.get())
        said = tuple(event for event in events if event is not None)
        if said:
            tell(said)
        if events[-1] is None:
            return
        pause.wait(GATHER if arrived.empty() else PORTION)
