"""The file that flanneld writes for its CNI plugin, with its age; the one that a running flanneld names with --subnet-file, else
the usual one."""

from __future__ import annotations

import re

from flannelscope.model.hostfiles import SubnetEnv
from flannelscope.probes import Parsed, Probe, Unparsable, Way
from flannelscope.probes.framing import lines

USUAL = "/run/flannel/subnet.env"
READ = f"""
f=
for c in $(grep -ls '^flanneld' /proc/[0-9]*/comm); do
  f=$(tr '\\0' '\\n' <"${{c%comm}}cmdline" | sed -n -e 's/^--*subnet-file=//p' -e '/^--*subnet-file$/{{n;p;}}')
  [ -z "$f" ] || break
done
f=${{f:-{USUAL}}}
if [ -e "$f" ]; then printf '== %s %s\\n' "$(stat -c %Y "$f")" "$f"; exec cat "$f"; else printf '== absent %s\\n' "$f"; fi
"""
_HEAD = re.compile(r"== (absent|[0-9]{0,15}) (/.*)")


def parse(output: bytes) -> Parsed[SubnetEnv]:
    """The file; raises Unparsable."""
    head, *rest = lines(output) or [""]
    found = _HEAD.fullmatch(head)
    if found is None:
        raise Unparsable("its path was not told")
    if found[1] == "absent":
        return Parsed(SubnetEnv(path=found[2], present=False))
    pairs = [line.strip().partition("=") for line in rest]
    values = {key: value.strip("\"'") for key, sign, value in pairs if sign and key}
    unparsed = tuple(key for key, sign, _ in pairs if not (sign and key) and not key.startswith("#"))
    return Parsed(SubnetEnv(path=found[2], values=values, modified=float(found[1]) if found[1] else None), unparsed)


PROBE = Probe("subnet_env", "flannel's subnet.env", (Way(parse, shell=READ, program="grep"),), limit=64_000)
