"""What nodes answered, taken apart, parsed and judged."""

from __future__ import annotations

from collections.abc import Iterator

from bench.measure import job, seconds
from bench.table import Row

PLACE = 10
WORK = "full answers of 300 nodes, parsed and judged (300 x 300 routes, neighbours, FDB)"
GOAL = "at most 1.5 s of CPU, 250 MB"


def measure() -> Iterator[Row]:
    """CPU seconds and peak memory of a process that has the answers and ends with findings."""
    answer = job("kernels", "300")
    taken, memory = float(answer["seconds"]), float(answer["megabytes"])
    told = (
        f"{seconds(taken)} ({seconds(answer['parsing'])} of it parsing), {memory:.0f} MB; "
        f"{answer['bytes'] / 1e6:.0f} MB of answers, {len(answer['findings'])} findings of 4xx, {answer['unknown']} unknown"
    )
    yield Row(WORK, GOAL, told, taken <= 1.5 and memory <= 250)
