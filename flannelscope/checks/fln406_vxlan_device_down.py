"""flannel's tunnel device is missing on a node or down: nothing leaves for pods on other nodes, and nothing comes from them.
flannel makes it at its start and does not look after it again; network managers and clean-up scripts take it down.

How it is known

A member whose flannel has run for over two minutes, and whose kernel has no device of the backend's name (flannel.VNI,
flannel-v6.VNI, flannel.ipip, flannel-wg) for a family that flannel serves, or one without the flag UP, in two readings. That
its state is UNKNOWN is normal. Backends without a device (host-gw) are not judged.

How to see it

On the node, `ip -details link show flannel.1`; its flags must hold UP.

    flannelscope check --ssh --only FLN406

What to do

Start flannel anew on that node: it makes the device and everything on it. Setting the device up alone does not bring back the
routes and neighbours that went with it. Then find who took it down, or it will happen again.

How to undo it

There is nothing to undo: a new flannel pod sets what the old one had set.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.facts import Facts
from flannelscope.here import Here
from flannelscope.model import Finding, Remedy, Severity, Topic, Unknown
from flannelscope.proofs import restart_flannel
from flannelscope.seen_twice import Complaint, seen_twice


@check(
    "FLN406",
    "vxlan-device-down",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.KERNELS),
    swallows=("FLN401", "FLN402", "FLN403", "FLN404", "FLN407", "FLN423", *REACHABILITY),
)
def vxlan_device_down(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each node whose tunnel device is missing or not up."""
    yield from seen_twice(this, facts, _judge)


def _judge(here: Here) -> Iterator[Complaint]:
    if not here.up:
        return
    for _, name in here.tunnels:
        link = here.links.get(name)
        if link is None or "UP" not in link.flags:
            state = "missing" if link is None else "down"
            yield Complaint(
                key=f"{name} {state}",
                summary=f"{here.node.name}'s device {name} is {state}: its pods reach no pod of another node, and none reaches "
                "them.",
                evidence=(
                    here.proof(
                        f"device {name}", _told(link.flags) if link else "missing", "links", f"ip -details link show {name}"
                    ),
                ),
                remedy=_remedy(here, name),
            )


def _told(flags: tuple[str, ...]) -> str:
    return f"flags {','.join(flags) or 'none'}, UP is not among them"


def _remedy(here: Here, name: str) -> Remedy:
    restart = restart_flannel((here.runs,) if here.runs else ())
    return Remedy(
        f"Start flannel anew on {here.node.name}: it makes {name} and its routes, neighbours and FDB entries again.",
        restart,
        "" if restart else f"flannel runs there without a pod: restart its service on {here.node.name}.",
    )
