"""What this machine's kernel deals out to all labs together and a lab may not raise: it says so, or waits, before it starts.

Every kubelet, containerd and part of the control plane watches files, and one user has fs.inotify.max_user_instances of such
watchers in all namespaces together, often 128. Past it a kubelet ends at once, with words that only its log has. A lab that is
just starting has few of those that it will have, so that each start claims all of them beforehand.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import cgroups
from tests.lab.places import Places, cache
from tests.lab.processes import LabFailed, started_at, wait_until
from tests.lab.settings import Settings

MOST = Path("/proc/sys/fs/inotify/max_user_instances")
EACH_MACHINE = 7  # six of a kubelet, one of containerd; counted on a lab that is up
CONTROL_PLANE = 10  # three of the API server, six of the controller manager, one more of a kubelet that has static pods
WATCHER = "anon_inode:inotify"
LOOKS = 3.0  # seconds between two looks for room: each goes through the files of all processes
Claims = dict[str, tuple[int, int, str]]  # by lab: watchers, and pid and start time of who starts it


def needed(settings: Settings) -> int:
    """How many watchers of files a lab has when it is up. Light nodes have none."""
    return (settings.nodes + 1) * EACH_MACHINE + CONTROL_PLANE


def used() -> int:
    """How many this user's processes have, and how many more those labs will have that are just being started."""
    with _claims() as claims:
        return _used(claims)


@contextmanager
def room(settings: Settings, patience: float = 0.0) -> Iterator[None]:
    """For the time of a start: claim what the lab will need, so that another start counts it.

    Waits up to `patience` seconds for other labs to end; raises LabFailed, with what to do, where there is no room even then.
    """
    lacking = [""]

    def claimed() -> bool:
        lacking[0] = _claim(settings)
        return not lacking[0]

    try:
        wait_until(claimed, "there is room for the lab", patience, LOOKS)
    except LabFailed as failure:
        raise LabFailed(f"{failure}: {lacking[0]}" if patience else lacking[0]) from None
    try:
        yield
    finally:
        with _claims() as claims:
            claims.pop(settings.name, None)


def _claim(settings: Settings) -> str:
    """Why there is no room for the lab; "" where there is, which is then claimed."""
    with _claims() as claims:
        most, taken, wanted = int(MOST.read_text()), _used(claims), needed(settings)
        if taken + wanted <= most:
            claims[settings.name] = (wanted, os.getpid(), started_at(os.getpid()) or "")
            return ""
    return (
        f"this kernel lets one user watch files {most} times (fs.inotify.max_user_instances); {taken} are taken, and this "
        f"lab needs {wanted}: take another lab down, or: sysctl fs.inotify.max_user_instances=1024"
    )


@contextmanager
def _claims() -> Iterator[Claims]:
    """What is claimed by starts that go on; who holds this is alone with it."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "claims.json").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        written: Claims = json.loads(file.read() or "{}")
        claims = {lab: claim for lab, claim in written.items() if started_at(claim[1]) == claim[2]}
        try:
            yield claims
        finally:
            file.seek(0)
            file.truncate()
            file.write(json.dumps(claims))


def _used(claims: Claims) -> int:
    """Watchers that are there, with those that are claimed in place of those that a starting lab has by now."""
    starting = {pid for lab in claims for pid in cgroups.members(Places(lab))}
    others = (process for process in Path("/proc").glob("[0-9]*") if int(process.name) not in starting)
    return sum(claim[0] for claim in claims.values()) + sum(map(_watchers, others))


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
