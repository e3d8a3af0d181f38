"""The log file: on request, rotating, readable by its owner alone, in UTC. Requests and gaps, never headers or bodies."""

from __future__ import annotations

import logging
import os
import stat
import sys
import time
from collections.abc import Iterable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from flannelscope import wire
from flannelscope.errors import UsageError
from flannelscope.events import RequestDone
from flannelscope.model import Gap
from flannelscope.text import clean, clean_lines
from tui.streams import amount, drop, say

LOGGER = logging.getLogger("flannelscope")
LOGGER.addHandler(logging.NullHandler())  # without a log file nothing is logged, not even errors to the terminal
LARGEST = 5_000_000  # bytes, of one file
KEPT = 3  # older files


class PrivateFile(RotatingFileHandler):
    """A rotating file with mode 0600, also after each rotation. Once it could not be written, nothing more goes into it.

    `problem` says why, "" as long as all is well. It is told at the end: until then the console may own the terminal.
    """

    problem = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the entry."""
        if not self.problem:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Keep the reason. What stands in the buffer goes nowhere: the end of the program would fail on it again."""
        error = sys.exc_info()[1]
        self.problem = (error.strerror if isinstance(error, OSError) else "") or f"{type(error).__name__}: {error}"
        drop(self.stream)

    def close(self) -> None:
        """End the file. A disk that is full may say so only here."""
        try:
            super().close()
        except OSError as error:
            self.problem = self.problem or error.strerror or str(error)

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")


class Line(logging.Formatter):
    """One line an entry, its text cleaned."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """The entry; only a traceback takes more than one line."""
        message = record.getMessage().replace("\r", " ").replace("\n", " ")
        plain = logging.makeLogRecord({**record.__dict__, "msg": message, "args": None})
        return clean_lines(super().format(plain))


def open_log(file: str, *, debug: bool) -> PrivateFile:
    """Begin to log into `file`. Raises UsageError when it cannot be written."""
    path = Path(file).expanduser()
    try:
        handler = PrivateFile(path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the log file cannot be written: {error.strerror}", str(path), "Give another file to --log-file."
        ) from error
    handler.setFormatter(Line())
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.DEBUG if debug else logging.INFO)
    LOGGER.propagate = False
    return handler


def close_log(handler: PrivateFile | None) -> None:
    """End the log. One that could not be written is said to be incomplete; it changes nothing else."""
    if handler is None:
        return
    LOGGER.removeHandler(handler)
    handler.close()
    if handler.problem:
        say(f"flannelscope: the log file is incomplete: {clean(handler.problem)} ({clean(handler.baseFilename)}).")


def request_line(done: RequestDone) -> str:
    """A request in one line: never its headers, never a body."""
    note = f" ({done.note})" if done.note else ""
    return f"{done.method} {done.path} -> {done.status or 'no answer'}, {amount(done.received)}, {done.seconds:.3f} s{note}"


def gap_line(gap: Gap) -> str:
    """What could not be read, in one line."""
    return f"gap: {gap.topic.value}: {f'{gap.node}: ' if gap.node else ''}{gap.reason}"


def log_events(events: Iterable[wire.Event]) -> None:
    """What the engine told the console: requests, gaps, watches, failures."""
    if not LOGGER.isEnabledFor(logging.INFO):
        return
    for event in events:
        match event:
            case wire.Requested():
                for done in event.requests:
                    LOGGER.info("%s", request_line(done))
            case wire.Gaps():
                for gap in event.gaps:
                    LOGGER.warning("%s", gap_line(gap))
            case wire.WatchStates():
                for topic, (state, reason) in event.states.items():
                    LOGGER.info("watch of %s: %s %s", topic, state, reason)
            case wire.Failed():
                LOGGER.error("%s %s %s", event.what, event.where, event.do)
            case wire.Finished():
                LOGGER.info("all was read in %.2f s", event.seconds)
            case wire.Refreshed():
                LOGGER.info("what is not watched was read again%s", f": {event.failed}" if event.failed else "")
            case _:
                pass
