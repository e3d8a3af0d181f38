"""What this machine's kernel and tools can do, found out by doing it.

Every trial is a short shell script that runs in network and mount namespaces of its own, which end with it: nothing of the
machine is changed (a kernel may load the module that it was asked for). A lab test names what it needs in `require`, and is
skipped only where the trial failed: `skips.py` holds continuous integration to that.

`python -m tests.lab capabilities` prints the table.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

SECONDS = 20


@dataclass(frozen=True)
class Trial:
    """`script` ends with 0 where the capability is there; `use` says what the lab wants it for."""

    name: str
    use: str
    script: str


def device(name: str, kind: str, use: str) -> Trial:
    """A trial that makes one network device of a kind."""
    return Trial(name, use, f"ip link add made type {kind}")


CGROUP_V1 = """
for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
  made=/sys/fs/cgroup/$controller/flannelscope-trial-$$
  mkdir $made && rmdir $made
done
"""
CGROUP_V2 = """
unified=/sys/fs/cgroup; [ -e $unified/cgroup.controllers ] || unified=/sys/fs/cgroup/unified
for controller in cpu memory pids; do
  grep -qw $controller $unified/cgroup.controllers || { echo "no $controller in $unified/cgroup.controllers"; exit 1; }
done
"""
OLD_FLANNEL = """
built=${FLANNELSCOPE_LAB_HOME:-$HOME/.cache/flannelscope-lab}/programs/flannel-0.14.0/flanneld
[ -x $built ] || [ -x /usr/lib/go-1.19/bin/go ] || { echo "not built, and no golang-1.19-go to build it"; exit 1; }
"""
OVERLAY = """
mount -t tmpfs tmpfs /mnt
mkdir /mnt/lower /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
"""
MASQUERADE = "-t nat -A POSTROUTING -s 10.244.0.0/16 -m comment --comment trial -j MASQUERADE --random-fully"
NFT = """
nft add table inet trial
nft add chain inet trial forward '{ type filter hook forward priority 0; }'
"""

TRIALS = (
    Trial("vxlan", "flannel's usual backend", "ip link add made type vxlan id 1 dstport 8472 local 127.0.0.1 dev lo nolearning"),
    device("veth", "veth peer name other", "cables, and pods"),
    device("bridge", "bridge", "switches, and cni0"),
    device("dummy", "dummy", "devices that are in the way: docker0, a stopped VPN"),
    device("wireguard", "wireguard", "flannel's backend wireguard"),
    device("ipip", "ipip local 127.0.0.1 remote 127.0.0.2", "flannel's backend ipip"),
    device("bonding", "bond", "real bonds below flannel (else bond1 is only a name)"),
    Trial("vlan", "cards with a VLAN of their own", "ip link add link lo name made type vlan id 5"),
    Trial("tun", "flannel's backend udp", "ip tuntap add made mode tun"),
    Trial("ipv6", "clusters with both families", "ip -6 addr add fd00::1/64 dev lo"),
    Trial("strict-rp-filter", "packets that come back another way", "echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter"),
    Trial("policy-routing", "paths that are not symmetric", "ip rule add from 10.0.0.1 table 100"),
    Trial("netem", "loss and delay by the card's queue", "tc qdisc add dev lo root netem loss 10%"),
    Trial("iptables-nft", "flannel's masquerade and FORWARD rules", f"iptables-nft {MASQUERADE}; iptables-nft -P FORWARD DROP"),
    Trial("iptables-legacy", "the same in the older tables", f"iptables-legacy {MASQUERADE}; iptables-legacy -P FORWARD DROP"),
    Trial("ip6tables-nft", "the same for IPv6", "ip6tables-nft -P FORWARD DROP"),
    Trial("nft", "flannel's nftables mode", f"{NFT} nft add rule inet trial forward udp dport 8472 drop"),
    Trial("nft-random", "20 % loss", f"{NFT} nft add rule inet trial forward numgen random mod 100 '<' 20 drop"),
    Trial("nft-length", "a path that drops large packets", f"{NFT} nft add rule inet trial forward meta length '>' 1400 drop"),
    Trial("ebtables", "filters on a switch", "ebtables -A FORWARD -p ARP -j DROP"),
    Trial("ebtables-legacy", "the same in the older tables", "ebtables-legacy -A FORWARD -p ARP -j DROP"),
    Trial("bridge-netfilter", "FORWARD rules between pods of one node", "cat /proc/sys/net/bridge/bridge-nf-call-iptables"),
    Trial("conntrack", "connections that go on with an old address", "conntrack -L"),
    Trial("ethtool", "checksum offload on a card", "ip link add made type veth peer name other; ethtool -K made tx off"),
    Trial(
        "packet-capture",
        "what is really on the wire",
        "ip link set lo up; timeout 9 tcpdump -i lo -c 1 & ping -i 0.2 -c 9 127.0.0.1; wait $!",
    ),
    Trial("kernel-log", "what the kernel killed for memory", "dmesg > /dev/null"),
    Trial("cgroup-v1", "nodes with a kubelet", CGROUP_V1),
    Trial("cgroup-v2", "nodes with a kubelet, as on newer machines", CGROUP_V2),
    Trial("overlay", "roots of nodes of their own", OVERLAY),
    Trial("old-flannel", "flannel 0.14.0: version skew, and the words of its log", OLD_FLANNEL),
    Trial("user-namespaces", "an operator who is not root", "unshare --user --map-root-user true"),
)


@cache
def why_not(name: str) -> str:
    """Why this machine cannot do it, in the words of what was tried; "" where it can. Tried once a process.

    Raises KeyError for a name that no trial has.
    """
    trial = {trial.name: trial for trial in TRIALS}[name]
    if os.geteuid() != 0:
        return "only root can try"
    argv = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-ec", trial.script]
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=SECONDS, env={**os.environ, "PATH": path, "LC_ALL": "C"}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    said = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    return said[-1] if said else f"exit {done.returncode}"


def absent(names: Iterable[str]) -> list[str]:
    """Those of `names` that this machine cannot do."""
    return [name for name in names if why_not(name)]


def table() -> str:
    """All trials, one a line: what it is called, whether it is there or why not, what it is for."""
    width = max(len(trial.name) for trial in TRIALS)
    return "\n".join(f"{t.name:{width}}  {'no ' if why_not(t.name) else 'yes'}  {t.use}{_reason(t.name)}" for t in TRIALS)


def _reason(name: str) -> str:
    reason = why_not(name)
    return f"  ({reason})" if reason else ""
