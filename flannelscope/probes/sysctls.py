"""Settings of the kernel that a pod network depends on: text by path below /proc/sys.

Device names hold dots, so slashes part the words: net/ipv4/conf/flannel.1/rp_filter. A path that is not there does not exist in
that kernel (net/bridge/… without br_netfilter).
"""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern

from flannelscope.probes import Parsed, Probe, Unparsable, Way
from flannelscope.probes.framing import lines

ROOT = "/proc/sys/"
PATHS = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/*/forwarding",
    "net/ipv4/conf/*/rp_filter",
    "net/ipv4/conf/*/src_valid_mark",
    "net/ipv4/ip_local_port_range",
    "net/ipv4/neigh/default/gc_thresh*",
    "net/ipv6/neigh/default/gc_thresh*",
    "net/ipv6/conf/*/forwarding",
    "net/ipv6/conf/*/disable_ipv6",
    "net/ipv6/conf/*/accept_ra",
    "net/bridge/bridge-nf-*",
    "net/core/netdev_max_backlog",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_count",
    "kernel/dmesg_restrict",
)


def parse(output: bytes) -> Parsed[Mapping[str, str]]:
    """The settings by path; raises Unparsable where there is none."""
    found: dict[str, str] = {}
    unparsed: list[str] = []
    for line in lines(output):
        path, colon, value = line.partition(":")
        if colon and path.startswith(ROOT):
            found[intern(path.removeprefix(ROOT))] = intern(value.strip())
        else:
            unparsed.append(line)
    if not found:
        raise Unparsable("no setting of the kernel is in it")
    return Parsed(found, tuple(unparsed))


# Ports of a bridge (veth…) take no part in routing, and there are hundreds of them. grep, because a shell's own `read` gets
# but one character of these files.
READ = f"""
set --
for f in {" ".join(ROOT + path for path in PATHS)}; do
  case $f in */conf/veth*) ;; *) set -- "$@" "$f";; esac
done
exec grep -s '' /dev/null "$@"
"""
PROBE = Probe("sysctls", "kernel settings", (Way(parse, shell=READ, program="grep", accept=(1, 2)),), limit=500_000)
