"""What a node's clock says, and since when it runs. It is asked first, right after the node began to answer."""

from __future__ import annotations

import re

from flannelscope.model.base import Value
from flannelscope.probes import Parsed, Probe, Unparsable, Way

READ = "date +%s.%N; cat /proc/uptime"
# busybox knows no %N and prints it as it is.
_NOW = re.compile(rb"([0-9]{1,12})(?:\.([0-9]{1,9}|%?N))?\n(?:([0-9]{1,12}\.[0-9]{1,3}) )?")


class Clock(Value, frozen=True):
    """`now` in seconds since the epoch, exact to `exact` seconds; `booted` when the node started, by its own clock."""

    now: float
    exact: float
    booted: float | None


def parse(output: bytes) -> Parsed[Clock]:
    """The clock; raises Unparsable."""
    found = _NOW.match(output)
    if found is None:
        raise Unparsable("date did not tell the seconds")
    fine = found[2] is not None and found[2].isdigit()
    now = float(b"%s.%s" % (found[1], found[2])) if fine else float(found[1])
    return Parsed(Clock(now, 0.01 if fine else 1.0, now - float(found[3]) if found[3] else None))


PROBE = Probe("clock", "clock", (Way(parse, shell=READ, program="date"),), limit=1_000)
