"""Running things in turns and in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "bench/out"
PROGRAM = str(Path(sys.executable).with_name("flannelscope"))


class Pair(NamedTuple):
    """Medians of two things done in turns, in seconds."""

    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        """Ours to theirs."""
        return self.ours / self.theirs

    def told(self) -> str:
        """Both and their ratio."""
        return f"{seconds(self.ours)} : {seconds(self.theirs)} = {self.ratio:.2f}"


def seconds(value: float) -> str:
    """Seconds, with as many digits as mean something."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def in_turns(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> Pair:
    """Run both `rounds` times, A B A B …; each says how long it took."""
    taken = [(ours(), theirs()) for _ in range(rounds)]
    return Pair(median(a for a, _ in taken), median(b for _, b in taken))


def job(name: str, *args: str) -> dict[str, Any]:
    """Run a job of bench/jobs.py in a new process; what it answers."""
    done = subprocess.run([sys.executable, "-m", "bench.jobs", name, *args], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"job {name}: {done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


class Ran(NamedTuple):
    """How long a program ran and its peak resident memory in MB."""

    seconds: float
    megabytes: float


def run(argv: Sequence[str], environment: dict[str, str] | None = None) -> Ran:
    """Run a program to its end with its output thrown away. Raises CalledProcessError when it fails."""
    started = time.monotonic()
    process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    if process.returncode not in (0, 1):  # 1: findings
        raise subprocess.CalledProcessError(process.returncode, argv)
    return Ran(time.monotonic() - started, peak)


def resident(process: int) -> float:
    """The peak resident memory of a process so far, in MB; 0 when it has gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM")), 0.0)
