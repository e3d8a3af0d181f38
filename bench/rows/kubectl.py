"""Against kubectl, for what it can be asked to do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.measure import PROGRAM, in_turns, run
from bench.stub_server import stub
from bench.table import Row, Skip
from tests.lab.programs.shelf import program

PLACE = 2
WORK = "5,000 nodes + 15,000 pods against kubectl get -o json"


def measure() -> Iterator[Row]:
    """`flannelscope nodes`, judged and printed, against kubectl's two lists, printed."""
    kubectl = shutil.which("kubectl") or str(program("kubectl"))
    if not Path(kubectl).exists():
        raise Skip("needs kubectl, in the path or built with the lab")
    with stub(5000, 15_000) as kubeconfig:
        get = [kubectl, "--kubeconfig", str(kubeconfig), "get", "-o", "json"]
        pair = in_turns(
            lambda: run([PROGRAM, "--kubeconfig", str(kubeconfig), "nodes", "-o", "json"]).seconds,
            lambda: run([*get, "nodes"]).seconds + run([*get, "pods", "-A"]).seconds,
            2,
        )
    yield Row(WORK, "at least 10 x faster", f"{pair.told()}; {1 / pair.ratio:.1f} x faster", pair.ratio <= 0.1)
