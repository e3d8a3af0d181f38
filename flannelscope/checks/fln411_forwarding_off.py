"""The kernel of a node forwards no packets: its pods reach their own node and nothing else, and nobody reaches them. flannel
does not set this; hardening scripts, a sysctl file of a package, or a reload of all sysctls take it away.

How it is known

In two readings net.ipv4.ip_forward is 0, or forwarding is off on the devices by which packets for pods come in (the tunnel,
the bridge or Canal's interfaces, without a tunnel the card); for IPv6 net.ipv6.conf.all.forwarding is 0. On a node without
pods of its own nothing is lost yet: worth knowing.

How to see it

On the node, `sysctl net.ipv4.ip_forward`.

    flannelscope check --ssh --only FLN411

What to do

Switch it on, and write it into a file of /etc/sysctl.d that is read last, so that it stays after a reboot. Switching
net.ipv4.ip_forward sets the devices' own settings back to the kernel's defaults: look at rp_filter afterwards.

How to undo it

Set the value back to 0, and take the file away.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.facts import Facts
from flannelscope.here import Here, NotRead
from flannelscope.model import Finding, Severity, Topic, Unknown
from flannelscope.seen_twice import Complaint, on_node, seen_twice
from flannelscope.text import fold

ALL = {4: "net/ipv4/ip_forward", 6: "net/ipv6/conf/all/forwarding"}


@check(
    "FLN411",
    "forwarding-off",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.KERNELS),
    swallows=REACHABILITY,
)
def forwarding_off(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each node that does not forward, of any family that flannel serves."""
    yield from seen_twice(this, facts, _judge)


def _judge(here: Here) -> Iterator[Complaint]:
    for family in here.families:
        value = here.setting(ALL[family])
        if value is None:
            raise NotRead(f"{_dotted(ALL[family])} was not told")
        if value == 0:
            yield _complaint(here, family, [ALL[family]])
        elif family == 4:  # IPv6 has no say of single devices
            paths = [path for name in here.entrances(4) if here.setting(path := f"net/ipv4/conf/{name}/forwarding") == 0]
            if paths:
                yield _complaint(here, family, paths)


def _complaint(here: Here, family: int, paths: list[str]) -> Complaint:
    node = here.node.name
    pods = here.has_pods
    effect = "its pods reach nobody outside of it, and nobody reaches them" if pods else "no pod of its own is there yet"
    return Complaint(
        key=" ".join(paths),
        summary=f"{node} does not forward IPv{family} packets ({fold(map(_dotted, paths))} = 0): {effect}.",
        severity=None if pods else Severity.INFO,
        evidence=tuple(here.proof(_dotted(path), "0", "sysctls", f"sysctl {_dotted(path)}") for path in paths),
        remedy=on_node(
            here.node.name,
            f"Switch it on at {node}, and keep it so in /etc/sysctl.d.",
            [f"sysctl -w {_dotted(path)}=1" for path in paths],
            caution="It resets rp_filter and redirects of every device to the kernel's defaults for routers.",
        ),
    )


def _dotted(path: str) -> str:
    """A sysctl as sysctl(8) takes it: device names hold dots, so such a path keeps its slashes."""
    return path if "." in path else path.replace("/", ".")
