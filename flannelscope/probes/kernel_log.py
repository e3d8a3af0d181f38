"""Lines of the kernel log about memory that ran out and tables that overflowed, with the seconds since the node started."""

from __future__ import annotations

import re

from flannelscope.model.base import Value
from flannelscope.probes import Parsed, Probe, Unparsable, Way
from flannelscope.probes.framing import parts

DMESG = ("dmesg",)
JOURNAL = ("journalctl", "-k", "-b", "-q", "--no-pager", "-o", "short-monotonic")
MOST = 400  # lines
# The frame of the output goes through too (its head may be cut by tail, its end is the last line).
THROUGH = f"grep -E '^== |oom-kill:|oom_reaper|[Oo]ut of memory|[Kk]illed process|table overflow|table full' | tail -n {MOST}"
_LINE = re.compile(r"\[ *([0-9]{1,10}\.[0-9]{1,9})\](?:\[[^\]]*\])? (.*)")
_JOURNAL = re.compile(r"\S+ kernel: ")


class KernelLine(Value, frozen=True):
    """A line of the kernel log. `since_boot` in seconds, None where the log has no times; `clock` knows when that was."""

    since_boot: float | None
    text: str


def parse(output: bytes) -> Parsed[tuple[KernelLine, ...]]:
    """The lines, oldest first; raises Unparsable where the log could not be read."""
    said, end = output.rsplit(b"\n== ", 1) if b"\n== " in output else (b"", output)
    if end.strip().removeprefix(b"== ") != b"exit 0":
        raise Unparsable("the kernel log may not be read")
    body = parts(b"\n" + said + b"\n", (DMESG, JOURNAL))
    text = next((part.output for part in body.values()), said).decode("utf-8", "replace")
    found: list[KernelLine] = []
    for line in text.split("\n"):
        timed = _LINE.fullmatch(line)
        if timed:
            found.append(KernelLine(float(timed[1]), _JOURNAL.sub("", timed[2], count=1)))
        elif line.strip():
            found.append(KernelLine(None, line))
    return Parsed(tuple(found))


PROBE = Probe(
    "kernel_log",
    "kernel log",
    (
        Way(parse, argv=DMESG, when='[ "$U" != 0 ] && grep -qs 0 /proc/sys/kernel/dmesg_restrict', through=THROUGH),
        Way(parse, argv=DMESG, root=True, through=THROUGH),
        Way(parse, argv=JOURNAL, root=True, through=THROUGH),
    ),
    limit=400_000,
    partial=True,
)
