"""What is there of a lab, in one line."""

from __future__ import annotations

from flannelscope.text import count, fold
from tests.lab import cgroups, networks
from tests.lab.lifecycle import is_reserved, settings_of
from tests.lab.places import CGROUPS, Places, cgroup_name
from tests.lab.processes import LabFailed
from tests.lab.settings import CONTROL_PLANE, Settings


def status(name: str, *, logs: bool = False) -> str:
    """One line on a lab that is up, on its way, or to be cleared away; "" where nothing is left but, at most, its logs.

    `logs`: then the line says where those are.
    """
    places = Places(name)
    processes = len(cgroups.members(places))
    try:
        settings = settings_of(name)
    except LabFailed:
        if is_reserved(places):
            return f"{name}: somebody is starting, ending or testing it"
        if is_there(places):
            return f"{name}: broken start, end it with make lab-down NAME={name}"
        return f"{name}: gone; its last logs are in {places.logs}" if logs and places.logs.exists() else ""
    if not processes:
        return f"{name}: was up, nothing of it runs any more; clear it away with make lab-down NAME={name}"
    used = f"{count(processes, 'process', 'processes')}, {memory(places) / 2**20:.0f} MB"
    return f"{name}: up, {settings.kind.name}, {roster(settings)}; {used}"


def roster(settings: Settings) -> str:
    """How many Nodes there are, and which: the control plane's machine is one of them unless it is somebody else's."""
    full = [machine.name for machine in networks.full_nodes(settings)]
    named = full if settings.kind.managed else [CONTROL_PLANE, *full]
    listed = ", ".join(named) if len(named) <= 5 else fold(named)
    light = f" and {settings.light} light ones" if settings.light else ""
    return f"{count(len(named), 'node')}: {listed}{light}"


def next_commands(name: str) -> str:
    """What to type once a lab is up."""
    return f"make lab-shell NAME={name}, then flannelscope. make lab-down NAME={name} ends it."


def is_there(places: Places) -> bool:
    """Whether there is anything of a lab to be ended: a process, a namespace, a file that is no log."""
    files = any(path != places.logs for path in places.home.glob("*"))
    return files or bool(networks.names(places)) or bool(cgroups.members(places))


def memory(places: Places) -> int:
    """Bytes that all of the lab uses, without what the kernel would give back (the inactive page cache)."""
    group = CGROUPS / "memory" / cgroup_name(places.lab)
    try:
        used = int((group / "memory.usage_in_bytes").read_text())
        lines = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except OSError:
        return 0
    return used - int(lines.get("total_inactive_file", 0))
