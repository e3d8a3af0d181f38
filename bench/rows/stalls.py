"""The console's event loop and memory while a large cluster comes in."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import resident
from bench.rows.first_frame import FRAME
from bench.stub_server import stub
from bench.table import Row
from bench.terminal import terminal

PLACE = 7
WORK = "console while 5,000 nodes + 150,000 pods come in"
READ_ALL = "150,000 pods"  # as Overview says it


def measure() -> Iterator[Row]:
    """Worst delay of a tick after the first frame, and the peak memory of console and child together."""
    with stub(5000, 150_000) as kubeconfig, tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "delays"
        with terminal([sys.executable, "-m", "bench.watched_console", str(file)], kubeconfig) as opened:
            frame = opened.until(*FRAME)
            opened.press("2")
            opened.until("node-00000")
            opened.until("5,000 of 5,000")
            opened.press("1")
            done = opened.until(READ_ALL, limit=300)
            processes = [opened.process.pid, *opened.children()]
            memory = [resident(process) for process in processes]
        delays = json.loads(file.read_text())
    late = [delay for at, delay in delays["late"] if at > frame]
    worst = max(late, default=min(delays["worst"], 0.05))
    told = f"worst {worst * 1000:.0f} ms, {len(late)} above 50 ms in {done - frame:.0f} s"
    yield Row(f"{WORK}: stalls", "none above 50 ms", told, not late)
    total = sum(memory)
    yield Row(f"{WORK}: memory", "at most 550 MB", f"{total:.0f} MB ({' + '.join(f'{m:.0f}' for m in memory)})", total <= 550)
