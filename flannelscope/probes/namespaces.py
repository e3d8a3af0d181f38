"""The network namespaces of a node: the first process of each (of a pod: its sandbox) and the namespace's inode."""

from __future__ import annotations

from collections.abc import Mapping

from flannelscope.probes import Parsed, Probe, Way
from flannelscope.probes.framing import lines


def parse(output: bytes) -> Parsed[Mapping[int, int]]:
    """Inodes by pid."""
    found: dict[int, int] = {}
    unparsed: list[str] = []
    for line in lines(output):
        words = line.split()
        if len(words) == 2 and all(word.isascii() and word.isdigit() and len(word) < 20 for word in words):
            found[int(words[1])] = int(words[0])
        else:
            unparsed.append(line)
    return Parsed(found, tuple(unparsed))


PROBE = Probe(
    "namespaces",
    "network namespaces",
    (Way(parse, argv=("lsns", "--noheadings", "--type", "net", "--output", "NS,PID"), root=True),),
    limit=200_000,
)
