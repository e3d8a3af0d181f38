"""When the console shows itself, against an empty app of the same toolkit."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.measure import PROGRAM, in_turns
from bench.stub_server import stub
from bench.table import Row
from bench.terminal import terminal

PLACE = 5
WORK = "first frame of the console in a pty"
FRAME = ("flannelscope", "reading nodes", "Nodes")


def measure() -> Iterator[Row]:
    """From the start of the process to the frame, in turns."""
    with stub(300, 9000) as kubeconfig:
        pair = in_turns(lambda: first_frame(kubeconfig), empty_app, 9)
    yield Row(WORK, "at most 1.3 x an empty Textual app", pair.told(), pair.ratio <= 1.3)


def first_frame(kubeconfig: Path) -> float:
    """Seconds until header, screens and "reading nodes" are there."""
    with terminal([PROGRAM], kubeconfig) as opened:
        return opened.until(*FRAME)


def empty_app() -> float:
    """Seconds until the empty app is there."""
    with terminal([sys.executable, "-m", "bench.empty"]) as opened:
        return opened.until("ready")
