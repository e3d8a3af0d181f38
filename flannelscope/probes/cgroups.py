"""To which pod and container a process belongs, by the path of its cgroup.

kubelet's two drivers: /kubepods/burstable/pod<uid>/<id>, and
/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid with _>.slice/cri-containerd-<id>.scope.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

# A /proc that hides others' processes would look as if nothing ran.
ALL_SEEN = "[ -r /proc/1/comm ] || { echo 'processes of others are hidden from this user (hidepid)' >&2; exit 3; }\n"
_POD = re.compile(
    r"pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?(?=/|$)"
)
_CONTAINER = re.compile(r"/(?:cri-containerd-|crio-|docker-|libpod-)?([0-9a-f]{64})(?:\.scope)?(?=/|$)")


class Owner(NamedTuple):
    """A pod's uid and a container's id, "" for what is none. Of a static pod the uid is its manifest's hash."""

    pod_uid: str
    container: str


@lru_cache(8192)
def owner(path: str) -> Owner:
    """Whose the cgroup is."""
    pod = _POD.search(path)
    container = _CONTAINER.search(path, pod.end()) if pod else None
    return Owner(pod[1].replace("_", "-") if pod else "", container[1] if container else "")


def path_of(lines: list[str]) -> str:
    """The path that says most in /proc/PID/cgroup: the memory controller's, else version 2's, else any."""
    paths = {controllers: path for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2)}
    named = [path for controllers, path in paths.items() if "memory" in controllers.split(",")]
    return next((path for path in (*named, paths.get("", ""), *paths.values()) if path not in ("", "/")), "")
