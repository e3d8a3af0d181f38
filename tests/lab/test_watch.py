"""Lists once, then watches: changes come by themselves, and a restart of the API server is got over."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from queue import Empty, Queue

import pytest

from tests.lab.lab import Lab, LabFailed
from tests.lab.objects import bare_node
from tests.lab.places import REPOSITORY

LISTS_APART = "5"  # seconds; ten minutes outside of tests


class Follower:
    """The follower's process, its lines as they come."""

    def __init__(self, lab: Lab) -> None:
        argv = lab.in_bastion(sys.executable, "-m", "tests.lab.follower", str(lab.admin), LISTS_APART)
        self.process = subprocess.Popen(argv, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def until(self, *words: str, seconds: float = 60.0) -> str:
        """The next line that holds all these words."""
        seen: list[str] = []
        while True:
            try:
                line = self.lines.get(timeout=seconds)
            except Empty:
                raise LabFailed(f"no line with {words}, but: {seen}") from None
            if all(word in line.split() for word in words):
                return line
            seen.append(line)

    def end(self) -> int:
        """Close its standard input; its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        code = self.process.wait(30)
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def follower(clean: Lab) -> Iterator[Follower]:
    started = Follower(clean)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.end()


def test_a_new_node_is_seen_and_so_is_its_end(clean: Lab, follower: Follower) -> None:
    follower.until("read", "n1", "n2", "n3")

    clean.create(bare_node("newcomer"))
    follower.until("nodes", "newcomer")

    clean.delete_nodes(["newcomer"])
    assert "newcomer" not in follower.until("nodes", "n1").split()
    assert follower.end() == 0


def test_a_restart_of_the_api_server_is_got_over(clean: Lab, follower: Follower) -> None:
    """A server that has just started does not know what changed before: the watch says so, and lists once more."""
    follower.until("read", "n1")
    clean.create(bare_node("before"))
    follower.until("nodes", "before")

    clean.stop_api_server()
    follower.until("watch", "nodes", "reconnecting")
    clean.start_api_server()
    clean.create(bare_node("after"))
    follower.until("nodes", "after", seconds=120)
    assert follower.end() == 0
