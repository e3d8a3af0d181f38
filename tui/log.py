"""The log file: on request, rotating, readable by its owner alone, in UTC. Requests and gaps, never headers or bodies."""

from __future__ import annotations

import logging
import os
import stat
import time
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from flannelscope.errors import UsageError
from flannelscope.text import clean_lines

LOGGER = logging.getLogger("flannelscope")
LOGGER.addHandler(logging.NullHandler())  # without a log file nothing is logged, not even errors to the terminal
LARGEST = 5_000_000  # bytes, of one file
KEPT = 3  # older files


class PrivateFile(RotatingFileHandler):
    """A rotating file with mode 0600, also after each rotation."""

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


def open_log(file: str, *, debug: bool) -> logging.Handler:
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


def close_log(handler: logging.Handler | None) -> None:
    """End the log."""
    if handler is not None:
        LOGGER.removeHandler(handler)
        handler.close()
