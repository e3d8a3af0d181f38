"""What must be as it was after healing: every node's kernel, its files, and what the cluster says of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from tests.lab.faults import hands
from tests.lab.faults.hands import Cluster, wait_until

# Addresses that the kernel invents (fe80::, veth names, interface indexes) differ after every restart of a pod.
KERNEL = r"""set +e  # grep without a match is no failure
ip -o -4 route show table all | grep -v '^local\|^broadcast' | sed 's/ *$//' | sort
ip -o -6 route show table all | grep ' via ' | sort
ip rule
ip -o neigh show dev flannel.1 | grep PERMANENT | sort
bridge fdb show dev flannel.1 | grep ' dst ' | sort
if [ -e /sys/class/net/flannel-v6.1 ]; then
  ip -o -6 neigh show dev flannel-v6.1 | grep PERMANENT | sort
  bridge fdb show dev flannel-v6.1 | grep ' dst ' | sort
fi
ip -o link show | grep -v veth | sed 's/^[0-9]*: //; s/@if[0-9]*//; s/link-netnsid.*//; s/qlen.*//'
ip -d -o link show flannel.1 | grep -o 'vxlan id.*dstport [0-9]*'
ip -o -4 address show | sed 's/^[0-9]*: //; s/ valid_lft.*//; s/\\.*//'
for t in filter nat mangle raw; do
  iptables -t $t -S 2>/dev/null | grep -v KUBE
  iptables-legacy -t $t -S 2>/dev/null | grep -- '-A'
done
nft list tables | sort
sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter
for f in /etc/cni/net.d/* /run/flannel/*; do [ ! -f $f ] || { echo "$f:"; cat $f; }; done
"""
NOISE = re.compile(r" brd [0-9a-f:]{17}|\bmode DEFAULT.*|state (UNKNOWN|UP|LOWERLAYERDOWN)")

ORPHAN = re.compile(r"[0-9a-f:]{17} dst ")


def state(lab: Cluster) -> dict[str, str]:
    """The state of each node with a kubelet, as text that is alike when nothing is different."""
    everywhere = hands.nodes(lab)
    return {name: _api(everywhere[name]) + NOISE.sub("", hands.shell(lab, name, KERNEL + "true")) for name in sorted(everywhere)}


def _api(node: hands.Object) -> str:
    kept = {"podCIDRs": node["spec"].get("podCIDRs"), "taints": node["spec"].get("taints")}
    return f"{kept} {sorted(hands.announced(node).items())}\n"


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Lines that are there on one side only, but for FDB entries of MACs that are no neighbour's: no packet goes by them."""
    found = []
    for name in sorted({*before, *after}):
        old, new = _lines(before.get(name, "")), _lines(after.get(name, ""))
        found += [f"{name} - {line}" for line in old if line not in new] + [f"{name} + {line}" for line in new if line not in old]
    return found


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not ORPHAN.match(line) or f"lladdr {line.split()[0]} " in text]


def await_healthy(lab: Cluster, baseline: Mapping[str, str] | None = None, seconds: float = 120.0) -> None:
    """Wait until every pod reaches every other and, given how all was before, nothing is left of the fault.

    Raises LabFailed with what is still different.
    """
    wait_until(lambda: not _ailing(lab), "nodes, flannel and probes are ready", seconds)
    if baseline is not None:
        _await_unchanged(lab, baseline, seconds)
    names = sorted(hands.nodes(lab))
    for source, target in zip(names, names[1:] + names[:1], strict=True):
        for pair in ((source, target), (target, source)):
            wait_until(partial(hands.reaches, lab, *pair), f"{pair[0]} reaches {pair[1]} again", 60)


def _await_unchanged(lab: Cluster, baseline: Mapping[str, str], seconds: float) -> None:
    left: list[str] = []

    def unchanged() -> bool:
        left[:] = changes(baseline, state(lab))
        return not left

    try:
        wait_until(unchanged, "the kernels are as they were", seconds, 1.0)
    except hands.LabFailed as failure:
        raise hands.LabFailed(f"{failure}: {'; '.join(left[:20])}") from None


def _ailing(lab: Cluster) -> list[str]:
    """What is not ready."""
    real, probes, flannels = hands.nodes(lab), hands.probes(lab), hands.flannel_pods(lab)
    bare = [n["metadata"]["name"] for n in lab.get("/api/v1/nodes")["items"] if "lab.local/bare" in n["metadata"]["labels"]]
    return [
        *bare,
        *(name for name, node in real.items() if not hands.ready(node)),
        *(name for name in real if name not in probes or not hands.ready(probes[name]) or not hands.address(probes[name])),
        *(name for name in real if name not in flannels or not hands.ready(flannels[name])),
    ]


def settled(lab: Cluster) -> bool:
    """Whether Nodes are old enough, and flannels run long enough, to be judged."""
    now = datetime.now(UTC)
    born = [datetime.fromisoformat(node["metadata"]["creationTimestamp"]) for node in hands.nodes(lab).values()]
    ran = [
        datetime.fromisoformat(status["state"]["running"]["startedAt"])
        for pod in hands.flannel_pods(lab).values()
        for status in pod["status"].get("containerStatuses", [])
        if "running" in status["state"]
    ]
    return all(now - at > timedelta(seconds=125) for at in born) and all(now - at > timedelta(seconds=65) for at in ran)
