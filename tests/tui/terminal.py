"""The installed program in a real pseudo-terminal, and what a terminal would show of it (pyte)."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path

import pyte

HERE = Path(__file__).resolve().parents[2]
LIMIT = 60.0  # seconds for anything to appear


class Terminal:
    """A program in a pseudo-terminal of so many columns and rows."""

    def __init__(self, *words: str, columns: int = 80, rows: int = 24, environment: Mapping[str, str] | None = None) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.written = b""  # everything the program wrote
        base = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLORTERM", "KUBECONFIG", "COLUMNS", "LINES")}
        settings = {**base, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(environment or {})}
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            os.chdir(HERE)
            os.execve(sys.executable, [sys.executable, *words], settings)
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Another size of the window."""
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.descriptor, keys.encode())

    def read(self, wait: float) -> bool:
        """Take what the program writes within `wait` seconds; whether there was anything."""
        if not select.select([self.descriptor], [], [], wait)[0]:
            return False
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:  # the program is gone
            return False
        self.written += data
        self.stream.feed(data)
        return bool(data)

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(self.screen.display)

    def until(self, text: str) -> None:
        """Read until the text stands on the screen. Raises AssertionError when it does not come."""
        end = time.monotonic() + LIMIT
        while text not in self.text:
            assert time.monotonic() < end, f"{text!r} did not come:\n{self.text}"
            self.read(0.2)

    def until_last(self, text: str) -> None:
        """Read until the text stands in the last line."""
        end = time.monotonic() + LIMIT
        while text not in self.screen.display[-1]:
            assert time.monotonic() < end, f"{text!r} did not come:\n{self.text}"
            self.read(0.2)

    def quiet(self) -> None:
        """Read until the program has not written for a second."""
        while self.read(1.0):
            pass

    def wait(self) -> int:
        """Read to the end; the exit code."""
        end = time.monotonic() + LIMIT
        while True:
            self.read(0.2)
            done, status = os.waitpid(self.process, os.WNOHANG)
            if done:
                while self.read(0):
                    pass
                self.process = 0
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < end, "the program does not end"

    def close(self) -> None:
        """End the program, if it still runs."""
        if self.process:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        os.close(self.descriptor)
