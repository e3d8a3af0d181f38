"""Which kernel and which distribution a node runs."""

from __future__ import annotations

from flannelscope.model.base import Value
from flannelscope.probes import Parsed, Probe, Unparsable, Way
from flannelscope.probes.framing import lines

READ = "uname -srm && { cat /etc/os-release 2>/dev/null || :; }"


class KernelVersion(Value, frozen=True):
    """`release` as uname -r has it, `machine` as uname -m, `distribution` the PRETTY_NAME of os-release ("" without)."""

    release: str
    machine: str
    distribution: str = ""


def parse(output: bytes) -> Parsed[KernelVersion]:
    """The versions; raises Unparsable."""
    told, *rest = lines(output) or [""]
    words = told.split()
    if len(words) != 3:
        raise Unparsable("uname did not tell name, release and machine")
    names = (line.partition("=") for line in rest)
    pretty = next((value.strip("\"' ") for key, _, value in names if key == "PRETTY_NAME"), "")
    return Parsed(KernelVersion(words[1], words[2], pretty))


PROBE = Probe("kernel_version", "kernel version", (Way(parse, shell=READ, program="uname"),), limit=20_000)
