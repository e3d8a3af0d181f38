"""The flanneld that run on a node, in whatever container, as /proc shows them."""

from __future__ import annotations

import re

from flannelscope.model.hostfiles import FlannelProcess
from flannelscope.probes import Parsed, Probe, Unparsable, Way
from flannelscope.probes.cgroups import ALL_SEEN, owner, path_of
from flannelscope.probes.flannel_processes import FIND

# A word of argv may hold a line feed, and so would look like lines of ours: it becomes a carriage return.
READ = (
    ALL_SEEN
    + FIND
    + r"""
printf '== clock %s\n' "$(getconf CLK_TCK 2>/dev/null)"
sed -n 's/^btime/== boot/p' /proc/stat
for p in $q; do
  printf '== pid %s\n' "${p#/proc/}"
  cat "$p/stat" "$p/cgroup"
  printf '== argv\n'
  tr '\n' '\r' <"$p/cmdline"
  printf '\n== end\n'
done
"""
)
TICKS = 100  # a second of /proc/PID/stat, where the node does not say; so has every Linux of today
_NUMBER = re.compile(rb"^== (clock|boot) ([0-9]{1,12})$", re.MULTILINE)
_PROCESS = re.compile(rb"^== pid ([0-9]{1,9})\n(.*?)^== argv\n(.*?)\n== end$", re.MULTILINE | re.DOTALL)
_STAT = re.compile(r"\d+ \(.*\) (\S)((?: -?\d+)+)")


def parse(output: bytes) -> Parsed[tuple[FlannelProcess, ...]]:
    """The processes; one that ended meanwhile is left out. Raises Unparsable."""
    numbers = {name: int(value) for name, value in _NUMBER.findall(output)}
    if b"boot" not in numbers:
        raise Unparsable("the time when the node started was not told")
    found = [_process(pid, told, argv, numbers) for pid, told, argv in _PROCESS.findall(output)]
    return Parsed(tuple(process for process in found if process is not None))


def _process(pid: bytes, told: bytes, argv: bytes, numbers: dict[bytes, int]) -> FlannelProcess | None:
    stat, *cgroups = told.decode("utf-8", "replace").split("\n")
    found = _STAT.fullmatch(stat)
    words = argv.rstrip(b"\0").decode("utf-8", "replace")
    if found is None or not words:
        return None
    fields = found[2].split()
    ticks = numbers.get(b"clock") or TICKS
    started = numbers[b"boot"] + int(fields[18]) / ticks if len(fields) > 18 else None
    path = path_of(cgroups)
    return FlannelProcess(
        pid=int(pid), argv=tuple(words.split("\0")), started=started, cgroup=path, pod_uid=owner(path).pod_uid, state=found[1]
    )


PROBE = Probe("flannel_process", "flanneld", (Way(parse, shell=READ, program="grep"),), limit=200_000)
