"""Standard streams of the headless commands: results on output, all else on error, no traceback on a closed pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TextIO

from flannelscope.errors import FlannelscopeError
from flannelscope.text import clean

COLOURS = {"critical": "31", "warning": "33", "info": "36", "title": "1", "dim": "2"}


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads this stream."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def may_colour(stream: TextIO | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Colour only on a terminal that knows it, and never against NO_COLOR (https://no-color.org)."""
    return is_terminal(stream) and not environment.get("NO_COLOR") and environment.get("TERM", "dumb") != "dumb"


def paint(kind: str, text: str) -> str:
    """`text` in the colour of its kind when standard output may have colour."""
    return f"\x1b[{COLOURS[kind]}m{text}\x1b[0m" if may_colour(sys.stdout) and kind in COLOURS else text


def emit(text: str) -> None:
    """Write a result. A reader that closed the pipe has read enough; any other failure is told.

    Raises FlannelscopeError when the result cannot be written.
    """
    try:
        if sys.stdout is None:
            raise OSError(0, "it is closed")
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        drop(sys.stdout)
    except OSError as error:
        drop(sys.stdout)
        reason = f"the result could not be written: {error.strerror or error}"
        raise FlannelscopeError(reason, "standard output", "Give it somewhere to go.") from error


def say(text: str) -> None:
    """Write one line for the operator. Nothing is said when nobody listens."""
    if sys.stderr is None:
        return
    with suppress(OSError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def drop(stream: TextIO | None) -> None:
    """Let what is still buffered go nowhere, so that the end of the program does not fail on it again."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # type: ignore[union-attr]
        os.close(nowhere)


class Progress:
    """One line that says how far the reading is; drawn over itself, on a terminal only, and gone when it ends."""

    def __init__(self, *, wanted: bool = True) -> None:
        self.shown = wanted and is_terminal(sys.stderr) and os.environ.get("TERM", "dumb") != "dumb"
        self._drawn = False

    def tell(self, text: str) -> None:
        """Draw `text` in place of what stood there."""
        if self.shown:
            self._write(f"\r\x1b[K{clean(text, 78)}")
            self._drawn = True

    def clear(self) -> None:
        """Take the line away."""
        if self._drawn:
            self._write("\r\x1b[K")
            self._drawn = False

    def _write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()


def amount(size: float) -> str:
    """Bytes in a unit that reads well."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
