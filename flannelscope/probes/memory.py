"""How much memory the cgroup of each flanneld uses, and what it may (cgroup version 1 and 2)."""

from __future__ import annotations

import re

from flannelscope.model.base import Value
from flannelscope.probes import Parsed, Probe, Way
from flannelscope.probes.cgroups import ALL_SEEN, owner
from flannelscope.probes.flannel_processes import FIND

READ = (
    ALL_SEEN
    + FIND
    + r"""
cd /sys/fs/cgroup || exit 1
for p in $q; do
  while IFS=: read -r n k g; do
    case $k in memory|memory,*|*,memory|*,memory,*) d=./$k$g;; '') d=.$g;; *) continue;; esac
    [ -e "$d/memory.usage_in_bytes" ] || [ -e "$d/memory.current" ] || continue
    printf '== %s %s\n' "${p#/proc/}" "$g"
    set --
    for f in usage_in_bytes limit_in_bytes max_usage_in_bytes failcnt oom_control current max peak events stat; do
      set -- "$@" "$d/memory.$f"
    done
    grep -s '' /dev/null "$@"
    echo '== end'
    break
  done <"$p/cgroup"
done
"""
)
UNLIMITED = 1 << 60  # version 1 writes the largest number of pages for no limit
_HEAD = re.compile(r"== ([0-9]{1,9}) (.*)")
_LINE = re.compile(r".*/memory\.([a-z_]+):(?:([a-z_]+) )?([0-9]{1,20}|max)")


class MemoryUse(Value, frozen=True, kw_only=True):
    """Of one flanneld's cgroup, in bytes. `limit` None: there is none. `working_set` is the use less inactive file pages, as
    kubelet counts. `peak`, `refusals` and `kills` (processes killed for memory) are None where that kernel does not tell."""

    pid: int
    cgroup: str
    pod_uid: str
    used: int
    working_set: int
    limit: int | None
    peak: int | None = None
    refusals: int | None = None  # how often the limit was hit
    kills: int | None = None


def parse(output: bytes) -> Parsed[tuple[MemoryUse, ...]]:
    """One value for each flanneld."""
    found: list[MemoryUse] = []
    unparsed: list[str] = []
    head: re.Match[str] | None = None
    told: dict[str, int | None] = {}
    for line in output.decode("utf-8", "replace").split("\n"):
        entry = _LINE.fullmatch(line)
        if line == "== end":
            use = _use(head, told)
            if use:
                found.append(use)
            head, told = None, {}
        elif started := _HEAD.fullmatch(line):
            head, told = started, {}
        elif entry:
            told[f"{entry[1]} {entry[2]}" if entry[2] else entry[1]] = None if entry[3] == "max" else int(entry[3])
        elif line.strip():
            unparsed.append(line)
    return Parsed(tuple(found), tuple(unparsed))


def _use(head: re.Match[str] | None, told: dict[str, int | None]) -> MemoryUse | None:
    used = told.get("usage_in_bytes", told.get("current"))
    if head is None or used is None:
        return None
    inactive = told.get("stat total_inactive_file", told.get("stat inactive_file")) or 0
    limit = told.get("limit_in_bytes", told.get("max"))
    return MemoryUse(
        pid=int(head[1]),
        cgroup=head[2],
        pod_uid=owner(head[2]).pod_uid,
        used=used,
        working_set=max(used - inactive, 0),
        limit=limit if limit is not None and limit < UNLIMITED else None,
        peak=told.get("max_usage_in_bytes", told.get("peak")),
        refusals=told.get("failcnt", told.get("events max")),
        kills=told.get("oom_control oom_kill", told.get("events oom_kill")),
    )


PROBE = Probe("memory", "memory of flannel", (Way(parse, shell=READ, program="grep"),), limit=200_000)
