"""How many labs tests and truth tables use side by side, and what each of them is called.

Tests on a cluster mostly wait: for a kubelet, for flannel, for a Node that is old enough to be judged. A lab that waits takes
about an eighth of a processor. `python -m tests.lab.side_by_side` prints the number.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.lab import limits
from tests.lab.lifecycle import is_reserved, take_down
from tests.lab.places import Places, labs
from tests.lab.settings import Settings
from tests.lab.status import is_there

NODES = 3  # full nodes of a lab that tests share
MEMORY = 2.5  # GiB of a lab with so many nodes
MOST = 6
OF_TESTS = ("tests", "kinds", "light", "itself", "beside", "twins")


def named(name: str) -> str:
    """The name of a lab that is this process' own, one of OF_TESTS: workers of pytest-xdist have numbers."""
    if name not in OF_TESTS:
        raise ValueError(f"{name} is to stand in OF_TESTS: else nobody ends what a killed worker leaves of it")
    return name + re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", ""))


def end_left() -> None:
    """Take down labs of tests that nobody holds any more: when a run is interrupted, its workers are killed."""
    for places in (Places(name) for name in labs() if re.sub(r"\d+$", "", name) in OF_TESTS):
        if is_there(places) and not is_reserved(places):
            take_down(places.lab)


def number() -> int:
    """How many this machine can take: one more than it has processors, as far as memory and watchers of files go."""
    memory = re.search(r"^MemAvailable: *(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    fit = (int(limits.MOST.read_text()) - limits.used()) // limits.needed(Settings(nodes=NODES))
    free = int(memory[1]) / 2**20 // MEMORY if memory else 1
    return max(1, min(len(os.sched_getaffinity(0)) + 1, fit, int(free), MOST))


if __name__ == "__main__":
    print(number())
