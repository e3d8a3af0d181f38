"""What this machine's kernel deals out to all labs together and the lab may not raise: it says so before it starts.

Every kubelet, containerd and part of the control plane watches files, and one user has fs.inotify.max_user_instances of such
watchers in all namespaces together, often 128. Past it a kubelet ends at once, with words that only its log has.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.lab.processes import LabFailed
from tests.lab.settings import Settings

MOST = Path("/proc/sys/fs/inotify/max_user_instances")
EACH_MACHINE = 7  # six of a kubelet, one of containerd; counted on a lab that is up
CONTROL_PLANE = 9  # of an API server and a controller manager
WATCHER = "anon_inode:inotify"


def needed(settings: Settings) -> int:
    """How many watchers of files a lab has when it is up. Light nodes have none."""
    return (settings.nodes + 1) * EACH_MACHINE + CONTROL_PLANE


def used() -> int:
    """How many this user's processes have."""
    return sum(_watchers(process) for process in Path("/proc").glob("[0-9]*"))


def demand(settings: Settings) -> None:
    """Raise LabFailed, with what to do, where this lab would not find what it needs."""
    most, taken = int(MOST.read_text()), used()
    if taken + needed(settings) > most:
        raise LabFailed(
            f"this kernel lets one user watch files {most} times (fs.inotify.max_user_instances); {taken} are taken, and this "
            f"lab needs {needed(settings)}: take another lab down, or: sysctl fs.inotify.max_user_instances=1024"
        )


def _watchers(process: Path) -> int:
    try:
        if process.stat().st_uid != os.geteuid():
            return 0
        return sum(1 for link in os.scandir(process / "fd") if _is_watcher(link.path))
    except OSError:  # it has ended meanwhile
        return 0


def _is_watcher(link: str) -> bool:
    try:
        return str(Path(link).readlink()) == WATCHER
    except OSError:  # closed meanwhile
        return False
