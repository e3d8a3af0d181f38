"""When the first rows of Nodes are there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.measure import PROGRAM, ROOT, job, seconds
from bench.rows.first_frame import FRAME
from bench.stub_server import stub
from bench.table import Row
from bench.terminal import terminal

PLACE = 6
WORK = "first rows of Nodes, 300 nodes"
ROUNDS = 7


def measure() -> Iterator[Row]:
    """All four in turns."""
    with stub(300, 9000) as kubeconfig:
        rounds = [(*rows(kubeconfig), float(job("discard", str(kubeconfig), "nodes")["seconds"]), child()) for _ in range(ROUNDS)]
    frame, first, get, start = (median(column) for column in zip(*rounds, strict=True))
    allowed = frame + 1.5 * get + start
    told = f"{seconds(first)} : {seconds(frame)} + 1.5 x {seconds(get)} + {seconds(start)} = {first / allowed:.2f}"
    yield Row(WORK, "first frame + 1.5 x bare GET + start of the child", told, first <= allowed)


def rows(kubeconfig: Path) -> tuple[float, float]:
    """Seconds to the first frame, and to the first row of a console that was sent to Nodes at once."""
    with terminal([PROGRAM], kubeconfig) as opened:
        frame = opened.until(*FRAME)
        opened.press("2")
        return frame, opened.until("node-00000")


def child() -> float:
    """Seconds to start an interpreter with what the engine's child needs to read a cluster."""
    needed = "import flannelscope.worker, flannelscope.sources.kube, kubernetes.client"
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", needed], cwd=ROOT, check=True)
    return time.monotonic() - started
