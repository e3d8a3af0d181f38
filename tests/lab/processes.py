"""Running programs, and starting those that stay: each is on record, with its start time, before it becomes what it is to be."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.lab.places import Places

Result = subprocess.CompletedProcess[str]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The shell writes its own pid and start time (field 22 of its stat) and then becomes the program, under the same pid: whoever
# finds no record finds no process either. Arguments: the record, the cgroups' files up to "--", then the program.
RECORDING = r"""
record=$1; shift
while [ "$1" != -- ]; do echo $$ > "$1"; shift; done; shift
read -r stat < /proc/$$/stat
field() { shift 19; echo "$1"; }
echo "$$ $(field ${stat##*) })" > "$record.new" && mv "$record.new" "$record" && exec "$@"
"""


class LabFailed(Exception):
    """The lab itself did not do what was wanted of it; the message says what was run, what it said and which log to read."""


def run(argv: Sequence[str], stdin: str = "", seconds: float = 120.0, environment: Mapping[str, str] | None = None) -> Result:
    """Run a program to its end, whatever its exit code; raises LabFailed when it takes longer than `seconds`."""
    try:
        return subprocess.run(
            argv, input=stdin, capture_output=True, text=True, timeout=seconds, env=environment or tools(), errors="replace"
        )
    except subprocess.TimeoutExpired as late:
        raise LabFailed(f"$ {' '.join(argv)}\nnot done after {seconds:.0f} s") from late


def checked(argv: Sequence[str], stdin: str = "", seconds: float = 120.0, environment: Mapping[str, str] | None = None) -> str:
    """What a program printed; raises LabFailed when it fails."""
    result = run(argv, stdin, seconds, environment)
    if result.returncode:
        raise LabFailed(f"$ {' '.join(argv)}\nexit {result.returncode}: {result.stdout}{result.stderr}".rstrip())
    return result.stdout


def tools() -> dict[str, str]:
    """The environment for the lab's own commands: this process', with the administrator's folders on the path, in English."""
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{PATH}", "LC_ALL": "C"}


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60.0, pause: float = 0.2) -> None:
    """Come back as soon as `condition` holds; raises LabFailed with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise LabFailed(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(pause)


def start(places: Places, name: str, argv: Sequence[str], machine: str = "", environment: Mapping[str, str] | None = None) -> int:
    """Start a program that stays, in the cgroups of a machine (or the lab's own), and return its pid once it is on record.

    Its output goes to the log of that name. It does not end when this process ends, however that may happen.
    """
    record = places.pids / name
    record.unlink(missing_ok=True)
    entries = [str(group / "cgroup.procs") for group in places.cgroups(machine)]
    command = ["setsid", "--fork", "sh", "-c", RECORDING, "sh", str(record), *entries, "--", *argv]
    with (places.logs / f"{name}.log").open("ab") as log:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment or tools(), check=True)
    wait_until(record.exists, f"{name} is on record; read {places.logs / name}.log", 15, 0.003)
    return int(record.read_text().split()[0])


def recorded(places: Places, name: str) -> int:
    """The pid of a program that the lab started and that still runs; raises LabFailed where there is none."""
    pid = running(places.pids / name)
    if pid is None:
        raise LabFailed(f"{name} does not run in the lab {places.lab}; read {places.logs / name}.log")
    return pid


def running(record: Path) -> int | None:
    """The pid on record, if that very process still runs: a later one with the same pid has another start time."""
    try:
        pid, started = record.read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if started_at(int(pid)) == started else None


def started_at(pid: int) -> str | None:
    """When a process started, in clock ticks since boot; None when it is gone or only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def children(pid: int) -> list[int]:
    """Pids of a process' children."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def stop(places: Places, name: str, politely: float = 5.0) -> None:
    """End a program of the lab: asked first, and after `politely` seconds at once. One that is gone is no error."""
    record = places.pids / name
    pid = running(record)
    for sign, patience in ((signal.SIGTERM, politely), (signal.SIGKILL, 30.0)):
        if pid is None:
            break
        if patience:
            signal_to(pid, sign)
            end = time.monotonic() + patience
            while (pid := running(record)) is not None and time.monotonic() < end:
                time.sleep(0.02)
    record.unlink(missing_ok=True)


def signal_to(pid: int, sign: signal.Signals) -> None:
    """Send a signal; a process that is gone already is no error."""
    with suppress(ProcessLookupError):
        os.kill(pid, sign)
