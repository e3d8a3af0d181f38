"""The installed console, in a real terminal, on the real cluster."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
import pytest

from tests.lab.lab import Lab, LabFailed


class Terminal:
    """A pseudo terminal with a program in it, and what a person would see."""

    def __init__(self, argv: list[str], environment: dict[str, str], columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True)
        os.close(slave)

    @property
    def text(self) -> str:
        """The screen's lines."""
        return "\n".join(self.screen.display)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def until(self, *words: str, seconds: float = 30.0) -> str:
        """The screen, as soon as it shows all these words."""
        end = time.monotonic() + seconds
        while not all(word in self.text for word in words):
            if time.monotonic() > end or not self._read(end - time.monotonic()):
                raise LabFailed(f"no {words} on the screen:\n{self.text}")
        return self.text

    def ended(self, seconds: float = 15.0) -> int:
        """The exit code, once the program has ended."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self._read(0.1)
        return self.process.wait(1)

    def close(self) -> None:
        """End what still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        os.close(self._master)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, seconds))
        if not ready:
            return self.process.poll() is None
        try:
            self._stream.feed(os.read(self._master, 65536))
        except OSError:  # the other end is closed: the program has ended
            return False
        return True


@contextmanager
def console(lab: Lab, *args: str, columns: int, rows: int) -> Iterator[Terminal]:
    """The console in the bastion."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(lab.home), "KUBECONFIG": str(lab.admin),
        "TERM": "xterm-256color", "LANG": "C.UTF-8",
    }  # fmt: skip
    program = str(Path(sys.executable).with_name("flannelscope"))
    terminal = Terminal(lab.in_bastion(program, *args), environment, columns, rows)
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50)])
def test_nodes_and_their_pod_cidrs_are_shown(lab: Lab, columns: int, rows: int) -> None:
    held = lab.pod_cidrs()
    with console(lab, columns=columns, rows=rows) as terminal:
        terminal.until("flannelscope", "v1.34")
        terminal.press("2")
        shown = terminal.until(*held, *held.values())
        for name, cidr in held.items():
            assert any(name in line and cidr in line for line in shown.splitlines())


def test_findings_of_the_real_cluster_are_shown(lab: Lab) -> None:
    """Told a range that the Nodes are not in, it says so, with the Nodes."""
    with console(lab, "--cluster-cidr", "10.16.0.0/16", columns=120, rows=40) as terminal:
        terminal.until("flannelscope", "FLN103")
        terminal.press("7")
        terminal.until("FLN103", "n[1-3]", "10.244.0.0/24")


def test_it_leaves_by_q(lab: Lab) -> None:
    with console(lab, columns=80, rows=24) as terminal:
        terminal.until("flannelscope", "v1.34")
        terminal.press("q")
        if terminal.process.poll() is None:
            terminal.press("y")
        assert terminal.ended() == 0
