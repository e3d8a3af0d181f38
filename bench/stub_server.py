"""The stand-in for a large cluster's API server (bench/stub), built and run."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import OUT, ROOT
from bench.table import Skip


@contextmanager
def stub(nodes: int, pods: int) -> Iterator[Path]:
    """A kubeconfig for a server with so many Nodes and Pods, as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="flannelscope-bench-") as directory:
        argv = [str(built()), "-nodes", str(nodes), "-pods", str(pods), "-dir", directory]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None and process.stdout is not None
            try:
                yield Path(process.stdout.readline().strip())
            finally:
                process.stdin.close()


def built() -> Path:
    """The program; Go compiles it when its sources are newer."""
    if shutil.which("go") is None:
        raise Skip("needs go, to build the stand-in for the API server")
    program = OUT / "stub"
    OUT.mkdir(exist_ok=True)
    subprocess.run(["go", "build", "-o", str(program), "."], cwd=ROOT / "bench/stub", check=True)
    return program
