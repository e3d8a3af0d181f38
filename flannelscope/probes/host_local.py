"""Addresses that host-local gave to pods: a file each, named by the address, with the sandbox's id and the interface in it."""

from __future__ import annotations

import re

from flannelscope.model.hostfiles import IpamLease
from flannelscope.probes import Parsed, Probe, Unparsable, Way, framing

FOLDER = "/var/lib/cni/networks"
# 126: more leases than one command line takes. One that went away meanwhile is no failure.
READ = f"""
if grep -shq '"dataDir"' /dev/null /etc/cni/net.d/*; then echo 'a dataDir of its own is configured' >&2; exit 4; fi
[ -e {FOLDER} ] || exit 0
cd {FOLDER} && ls . >/dev/null || exit 1
set -- */*[.:]*
[ -e "$1" ] || exit 0
echo '== times'; stat -c '%Y %n' "$@"; [ $? -lt 126 ] || exit 5
echo '== contents'; grep -s '' /dev/null "$@"; [ $? -lt 126 ] || exit 5
echo '== end'
"""
_TIME = re.compile(r"([0-9]{1,15}) (.+)")
_LINE = re.compile(r"([^/]+/[^/]+?):(\S*)\s*")


def parse(output: bytes) -> Parsed[tuple[IpamLease, ...]]:
    """The leases; a lock or a counter of host-local is none. Raises Unparsable where their end was not told."""
    if output.strip() and not output.endswith(b"== end\n"):
        raise Unparsable("the list of leases ended in the middle")
    told, _, contents = output.decode("utf-8", "replace").partition("== contents\n")
    times = {found[2]: float(found[1]) for line in told.split("\n") if (found := _TIME.fullmatch(line))}
    files: dict[str, list[str]] = {}
    unparsed: list[str] = []
    for line in contents.removesuffix("== end\n").split("\n"):
        split = _split(line, times)
        if split:
            files.setdefault(split[0], []).append(split[1])
        elif line.strip():
            unparsed.append(line)
    leases = [_lease(path, held, times.get(path)) for path, held in files.items()]
    return Parsed(tuple(lease for lease in leases if lease), tuple(unparsed))


def _split(line: str, times: dict[str, float]) -> tuple[str, str] | None:
    """Path and content of a line of grep; an IPv6 address has colons too, so a path that is known comes first."""
    path = next((path for at, sign in enumerate(line) if sign == ":" and (path := line[:at]) in times), None)
    if path is not None:
        return path, line[len(path) + 1 :].strip()
    found = _LINE.fullmatch(line)
    return (found[1], found[2]) if found and not times else None


def _lease(path: str, held: list[str], modified: float | None) -> IpamLease | None:
    network, _, name = path.partition("/")
    address = framing.address(name)
    words = [word for line in held for word in line.split()] or [""]
    return IpamLease(network, address, words[0], words[1] if len(words) > 1 else "", modified) if address else None


PROBE = Probe("host_local", "host-local's leases", (Way(parse, shell=READ, program="grep"),), limit=1_000_000)
