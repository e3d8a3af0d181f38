"""What a tunnel device leaves to the hardware below (ethtool -k): checksums above all."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flannelscope.probes import Parsed, Probe, Way

READ = """
for d in /sys/class/net/flannel*; do
  [ ! -e "$d" ] || { printf '== %s\\n' "${d##*/}"; ethtool -k "${d##*/}"; }
done
"""
_DEVICE = re.compile(r"== (\S+)")
_FEATURE = re.compile(r"\s*([a-z0-9_-]+): (on|off)\b.*")


def parse(output: bytes) -> Parsed[Mapping[str, Mapping[str, bool]]]:
    """Whether each feature is on, by device and feature (tx-checksum-ip-generic, …)."""
    found: dict[str, dict[str, bool]] = {}
    device = ""
    unparsed: list[str] = []
    for line in output.decode("utf-8", "replace").split("\n"):
        named, feature = _DEVICE.fullmatch(line), _FEATURE.fullmatch(line)
        if named:
            device = named[1]
            found[device] = {}
        elif feature and device:
            found[device][feature[1]] = feature[2] == "on"
        elif line.strip() and not line.startswith("Features for "):
            unparsed.append(line)
    return Parsed(found, tuple(unparsed))


PROBE = Probe("offload", "offloading", (Way(parse, shell=READ, program="ethtool"),), limit=200_000)
