"""The lab's cgroups (version 1): one tree in every controller, a branch for each machine. What is in them is the lab's."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tests.lab.places import CGROUPS, Places, cgroup_name
from tests.lab.processes import LabFailed, signal_to


def make(places: Places, machines: Iterable[str]) -> None:
    """The lab's own cgroups, and those of machines. A new group of cpuset has no processors: it is given its parent's."""
    for name in ("", *machines):
        for group in places.cgroups(name):
            group.mkdir(exist_ok=True)
            if group.is_relative_to(CGROUPS / "cpuset"):
                for kind in ("cpus", "mems"):
                    (group / f"cpuset.{kind}").write_text((group.parent / f"cpuset.{kind}").read_text())


def members(places: Places, machine: str = "") -> set[int]:
    """Pids of all that runs in the lab, or in one machine."""
    return {pid for group in places.cgroups(machine) for file in group.rglob("cgroup.procs") for pid in _pids(file)}


def end_all(places: Places, machine: str = "", seconds: float = 30.0) -> None:
    """Kill all that runs in the lab, or in one machine: frozen first, so that nothing starts anything meanwhile.

    Raises LabFailed with what does not end.
    """
    end = time.monotonic() + seconds
    while left := members(places, machine):
        if time.monotonic() > end:
            raise LabFailed(f"processes that do not end: {sorted(left)}")
        _freeze(places, machine, "FROZEN")
        for pid in members(places, machine):
            signal_to(pid, signal.SIGKILL)
        _freeze(places, machine, "THAWED")
        time.sleep(0.05)


def remove(places: Places, seconds: float = 20.0) -> None:
    """Take the lab's cgroups away, the inner ones first; the kernel needs a moment after the last process."""
    end = time.monotonic() + seconds
    while left := [group for group in places.cgroups() if group.exists()]:
        for group in left:
            for inner in sorted((path for path in group.rglob("*") if path.is_dir()), key=lambda path: -len(path.parts)):
                _remove(inner)
            _remove(group)
        if time.monotonic() > end:
            raise LabFailed(f"cgroups that do not go: {', '.join(str(group) for group in left)}")
        time.sleep(0.02)


def _remove(group: Path) -> None:
    with suppress(OSError):  # busy for a moment, or gone
        group.rmdir()


def _freeze(places: Places, machine: str, state: str) -> None:
    with suppress(OSError):
        (CGROUPS / "freezer" / cgroup_name(places.lab, machine) / "freezer.state").write_text(state)


def _pids(file: Path) -> list[int]:
    try:
        return [int(pid) for pid in file.read_text().split()]
    except OSError:  # a container's cgroup has gone meanwhile
        return []
