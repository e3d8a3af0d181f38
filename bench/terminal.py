"""A program in a pseudo terminal, and when it showed what."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.measure import ROOT

SEQUENCES = re.compile(rb"\x1b(?:\[[0-9;:?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|[=>78])")


class Terminal:
    """What a program wrote since it was started."""

    def __init__(self, argv: Sequence[str], kubeconfig: Path | None, extra: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TERM": "xterm-256color", "LANG": "C.UTF-8", **extra}
        if kubeconfig is not None:
            environment["KUBECONFIG"] = str(kubeconfig)
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            argv, cwd=ROOT, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.written = b""

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def until(self, *words: str, limit: float = 120.0) -> float:
        """Seconds since the start until all these words had been written since the last call."""
        wanted = [word.encode() for word in words]
        while True:
            text = SEQUENCES.sub(b"", self.written)
            if all(word in text for word in wanted):
                self.written = b""
                return time.monotonic() - self.started
            ready, _, _ = select.select([self._master], [], [], limit)
            try:
                more = os.read(self._master, 1 << 16) if ready else b""
            except OSError:  # the other end is closed
                more = b""
            if not more:
                raise RuntimeError(f"never saw {words}, but: {text[-3000:].decode(errors='replace')}")
            self.written += more

    def children(self) -> list[int]:
        """The processes that the program started."""
        pid = self.process.pid
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]

    def close(self) -> None:
        """End the program; its terminal is drained meanwhile, so that it can say goodbye."""
        self.process.terminate()
        end = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < end:
            if select.select([self._master], [], [], 0.1)[0]:
                try:
                    os.read(self._master, 1 << 16)
                except OSError:
                    break
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        os.close(self._master)


@contextmanager
def terminal(argv: Sequence[str], kubeconfig: Path | None = None, **extra: str) -> Iterator[Terminal]:
    """A program in a terminal of 200 columns and 50 lines."""
    opened = Terminal(argv, kubeconfig, extra)
    try:
        yield opened
    finally:
        opened.close()
