"""What is there of a lab, in one line."""

from __future__ import annotations

from tests.lab import cgroups, networks
from tests.lab.lifecycle import settings_of
from tests.lab.places import CGROUPS, Places, cgroup_name
from tests.lab.processes import LabFailed


def status(name: str) -> str:
    """Name, stage, size, kind, processes and memory of a lab; what is left of one that is not up."""
    places = Places(name)
    processes = len(cgroups.members(places))
    namespaces = len(networks.names(places))
    try:
        settings = settings_of(name)
    except LabFailed:
        left = f"{processes} processes and {namespaces} namespaces are there"
        return f"{name}: not up; {left if processes or namespaces else f'its last logs are in {places.logs}'}"
    size = f"{settings.nodes} nodes" + (f" and {settings.light} light ones" if settings.light else "")
    return f"{name}: up, {settings.kind.name}, {size}; {processes} processes, {memory(places) / 2**20:.0f} MB"


def memory(places: Places) -> int:
    """Bytes that all of the lab uses, without what the kernel would give back (the inactive page cache)."""
    group = CGROUPS / "memory" / cgroup_name(places.lab)
    try:
        used = int((group / "memory.usage_in_bytes").read_text())
        lines = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except OSError:
        return 0
    return used - int(lines.get("total_inactive_file", 0))
