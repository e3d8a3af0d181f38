"""Addresses that host-local keeps for sandboxes that are gone: every crash of a node or its runtime may leave some."""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.cidr import holds, parse_address
from flannelscope.facts import Facts
from flannelscope.here import Here
from flannelscope.model import IpamLease, NodeContainer
from flannelscope.seen_twice import Complaint, Doubts, judged_twice

OLD = 600.0  # seconds: a younger lease may belong to a pod that is just being made


def leaked(here: Here) -> tuple[IpamLease, ...]:
    """Leases of the podCIDRs older than ten minutes whose sandbox does not run and whose address no pod of the node holds.

    Pods in any phase count. Raises NotRead where the leases were not read. The pods must have been read (Topic.PODS).
    """
    leases: tuple[IpamLease, ...] = here.fact("host_local", "leases of host-local")
    runs: tuple[NodeContainer, ...] = here.kernel.facts.get("containers") or ()
    sandboxes = {container.container for container in runs}
    held = {address for pod in here.facts.pods_on.get(here.node.name, ()) for address in pod.ips}
    blocks = [prefix for family in (4, 6) if (prefix := here.own(family)) is not None]
    return tuple(
        lease
        for lease in leases
        if lease.address not in held
        and lease.container not in sandboxes
        and lease.modified is not None
        and here.kernel.at - lease.modified > OLD
        and (parsed := parse_address(lease.address)) is not None
        and any(holds(block, *parsed) for block in blocks)
    )


def stable_leaks(facts: Facts) -> tuple[dict[str, tuple[str, ...]], Doubts]:
    """By member, the addresses of leases that both readings show as leaked, and why which members are not known."""
    found, doubts = judged_twice(facts, _complaints)
    return {name: tuple(complaint.key.partition(" ")[0] for complaint in said) for name, said in found.items()}, doubts


def _complaints(here: Here) -> Iterator[Complaint]:
    for lease in leaked(here):
        yield Complaint(key=f"{lease.address} {lease.container}", summary="")
