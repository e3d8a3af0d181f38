"""Reading a large cluster against downloading the same bytes and throwing them away."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from bench.measure import PROGRAM, in_turns, job, run
from bench.stub_server import stub
from bench.table import Row

PLACE = 1
WORK = "5,000 nodes + 150,000 pods over TLS"
ROUNDS = 3
GOAL = "at most 1.5 x download and discard"


def measure() -> Iterator[Row]:
    """Nodes alone, pods alone, memory of a headless `check`."""
    with stub(5000, 150_000) as kubeconfig:
        where = str(kubeconfig)
        nodes = in_turns(
            lambda: float(job("read", where, "none")["topics"]["nodes"]),
            lambda: float(job("discard", where, "nodes")["seconds"]),
            2 * ROUNDS + 1,
        )
        yield Row("5,000 nodes over TLS", GOAL, nodes.told(), nodes.ratio <= 1.5)
        memory: list[float] = []

        def read_pods() -> float:
            answer = job("read", where, "all")
            memory.append(float(answer["megabytes"]))
            return float(answer["topics"]["pods"])

        pods = in_turns(read_pods, lambda: float(job("discard", where, "pods")["seconds"]), ROUNDS)
        yield Row("150,000 pods over TLS", GOAL, pods.told(), pods.ratio <= 1.5)
        yield Row("the same, read and kept", "peak RSS at most 400 MB", f"{median(memory):.0f} MB", median(memory) <= 400)
        whole = run([PROGRAM, "--kubeconfig", where, "check", "-o", "json"])
        yield Row(
            "the same, `flannelscope check`",
            "peak RSS at most 400 MB",
            f"{whole.megabytes:.0f} MB, {whole.seconds:.1f} s",
            whole.megabytes <= 400,
        )
