"""Taking a lab down: whatever it started, however far it came, and nothing else."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from tests.lab import cgroups, host, networks
from tests.lab.places import NAMESPACES, Places
from tests.lab.processes import LabFailed, checked, running, signal_to, wait_until


def take_down(name: str) -> None:
    """End and remove the lab of this name; its logs stay. A lab that is not there is no error.

    Raises LabFailed with what does not go.
    """
    places = Places(name)
    _end_recorded(places)
    cgroups.end_all(places)
    cgroups.remove(places)
    left = networks.names(places)
    if left:
        networks.batch(places, "", [f"netns del {namespace}" for namespace in left])
    _forget_namespaces()
    host.release(name)
    _remove_files(places)


def _end_recorded(places: Places) -> None:
    """Programs on record, in case one of them has been moved out of the lab's cgroups."""
    records = list(places.pids.glob("*"))
    for record in records:
        pid = running(record)
        if pid is not None:
            signal_to(pid, signal.SIGKILL)
    names = ", ".join(record.name for record in records)
    wait_until(lambda: all(running(record) is None for record in records), f"{names} have ended", 30, 0.02)


def _forget_namespaces() -> None:
    """`ip netns` mounts its folder on itself and leaves that behind: once it is empty, nobody needs it."""
    try:
        if NAMESPACES.exists() and not any(NAMESPACES.iterdir()) and NAMESPACES in mounts():
            checked(["umount", str(NAMESPACES)])
    except LabFailed:
        return  # somebody has just made a namespace


def mounts() -> list[Path]:
    """Where something is mounted, as this process sees it."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [Path(line.split()[4].encode().decode("unicode_escape")) for line in lines]


def _remove_files(places: Places) -> None:
    """Remove the run folder but for the logs. Never across a mount: machines see this one's programs below their roots."""
    inside = [path for path in mounts() if path.is_relative_to(places.home)]
    if inside:
        raise LabFailed(f"still mounted, so nothing is removed: {', '.join(map(str, inside))}")
    for path in places.home.glob("*"):
        if path == places.logs:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
