"""The file that flanneld writes for its CNI plugin, with its age; the one that a running flanneld names with --subnet-file, else
the usual one."""

from __future__ import annotations

import re

from flannelscope.model.hostfiles import SubnetEnv
from flannelscope.probes import Parsed, Probe, Unparsable, Way
from flannelscope.probes.flannel_processes import FIND
from flannelscope.probes.framing import lines

USUAL = "/run/flannel/subnet.env"
# The name of the file is chosen by whoever runs there: it is opened only where no container has files of its own, only where it
# is a plain file, and nothing but flannel's own lines is printed of it.
READ = (
    FIND
    + f"""
f=
for p in $q; do
  f=$(tr '\\0' '\\n' <"$p/cmdline" | sed -n -e 's/^--*subnet-file=//p' -e '/^--*subnet-file$/{{n;p;}}' | head -n 1)
  [ -z "$f" ] || break
done
f=${{f:-{USUAL}}}
r=$(readlink -f "$f")
[ -n "$r" ] || r=$f
if [ ! -e "$f" ]; then printf '== absent %s\\n' "$f"; exit 0; fi
case $r in
  /run/*/*/* | /etc/*/*/* | /var/lib/*/*/*) r=;;
  /run/*.env | /etc/*.env | /var/lib/*/*.env) [ -f "$r" ] || r=;;
  *) r=;;
esac
if [ -z "$r" ]; then printf '== unread %s\\n' "$f"; exit 0; fi
printf '== %s %s\\n' "$(stat -L -c %Y "$r")" "$f"
exec sed -n '/^FLANNEL_[A-Z0-9_]*=/p' "$r"
"""
)
_HEAD = re.compile(r"== (absent|unread|[0-9]{0,15}) (/.*)")


def parse(output: bytes) -> Parsed[SubnetEnv]:
    """The file; raises Unparsable."""
    head, *rest = lines(output) or [""]
    found = _HEAD.fullmatch(head)
    if found is None:
        raise Unparsable("its path was not told")
    if found[1] == "unread":
        raise Unparsable(
            f"flanneld names {found[2]}, which is not opened:"
            " only a plain file *.env in /run or /etc, or in a folder of these or of /var/lib"
        )
    if found[1] == "absent":
        return Parsed(SubnetEnv(path=found[2], present=False))
    pairs = [line.strip().partition("=") for line in rest]
    values = {key: value.strip("\"'") for key, sign, value in pairs if sign and key}
    unparsed = tuple(key for key, sign, _ in pairs if not (sign and key) and not key.startswith("#"))
    return Parsed(SubnetEnv(path=found[2], values=values, modified=float(found[1]) if found[1] else None), unparsed)


PROBE = Probe("subnet_env", "flannel's subnet.env", (Way(parse, shell=READ, program="grep"),), limit=64_000)
