"""Containers and sandboxes that run, by the cgroups of their processes: no runtime is asked, so none has to be known.

The network namespace of a process is shown to its owner and to root only: `namespaces` learns it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from flannelscope.model.hostfiles import NodeContainer
from flannelscope.probes import Parsed, Probe, Way
from flannelscope.probes.cgroups import ALL_SEEN, Owner, owner

# Of version 1 the memory controller's path is enough; version 2 has but one.
READ = ALL_SEEN + "exec grep -sE '^[0-9]+:(memory|):.*pod' /dev/null /proc/[0-9]*/cgroup"
_LINE = re.compile(r"/proc/([0-9]{1,9})/cgroup:[0-9]+:[^:]*:(.*)")


def parse(output: bytes) -> Parsed[tuple[NodeContainer, ...]]:
    """The containers, in the order of their first processes."""
    pids: dict[Owner, list[int]] = {}
    unparsed: list[str] = []
    for line in output.decode("utf-8", "replace").split("\n"):
        found = _LINE.fullmatch(line)
        if found and owner(found[2]).container:
            pids.setdefault(owner(found[2]), []).append(int(found[1]))
        elif line and not found:
            unparsed.append(line)
    found_all = (NodeContainer(pod_uid=own.pod_uid, container=own.container, pids=tuple(held)) for own, held in pids.items())
    return Parsed(tuple(found_all), tuple(unparsed))


def with_namespaces(containers: Iterable[NodeContainer], namespaces: Mapping[int, int]) -> tuple[NodeContainer, ...]:
    """The containers with the namespace's inode that one process of their pod is known to be in; all of a pod share it."""
    held = tuple(containers)
    known = {box.pod_uid: namespaces[pid] for box in held for pid in box.pids if pid in namespaces}
    return tuple(replace(box, netns=known.get(box.pod_uid)) for box in held)


# grep ends with 1 where no line is found, with 2 where a process ended meanwhile.
PROBE = Probe("containers", "containers", (Way(parse, shell=READ, program="grep", accept=(1, 2)),), limit=2_000_000)
