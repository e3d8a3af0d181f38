"""The pool of podCIDRs has no block left while Nodes join."""

from __future__ import annotations

from random import Random

from tests.lab.faults import Fault, Victims
from tests.lab.faults.hands import Cluster, wait_until
from tests.lab.lab import DEFAULT_FLAGS
from tests.lab.objects import bare_node


class PoolExhausted(Fault):
    """The controller manager hands out of a range that is too small for those who come."""

    NAME = "pool-exhausted"
    BREAKS = "Nodes join and the allocator has no podCIDR left for them"
    FINDINGS = ("FLN106",)
    PAIRS = False

    def draw(self, lab: Cluster, random: Random) -> Victims:
        held = len(lab.pod_cidrs())
        bits = held.bit_length()  # the smallest power of two above what is held
        joining = 2**bits - held + random.randrange(1, 3)
        first = random.randrange(10**6)
        names = [f"join-{first + i:06d}" for i in range(joining)]
        return Victims((), {"names": " ".join(names), "cidr": f"10.244.0.0/{24 - bits}"})

    def inject(self, lab: Cluster, victims: Victims) -> None:
        names = victims.values["names"].split()
        lab.controller_manager(cluster_cidr=victims.values["cidr"])
        lab.create(*(bare_node(name) for name in names))
        full = 2 ** (24 - int(victims.values["cidr"].partition("/")[2])) - len(lab.pod_cidrs().keys() - set(names))
        wait_until(lambda: sum(bool(lab.pod_cidrs()[name]) for name in names) == full, "all blocks are given away")
        wait_until(lambda: refused(lab) >= waiting(lab), "the allocator refused those who wait")

    def subjects(self, lab: Cluster, victims: Victims) -> dict[str, frozenset[str]]:
        """Whom the allocator left out is its own choice."""
        return {"FLN106": frozenset(waiting(lab))}

    def ranges(self, victims: Victims) -> tuple[str, ...]:
        return ("--cluster-cidr", victims.values["cidr"], "--node-cidr-mask-size", DEFAULT_FLAGS["node-cidr-mask-size"])

    def heal(self, lab: Cluster, victims: Victims) -> None:
        lab.delete_nodes(victims.values["names"].split())
        lab.controller_manager(cluster_cidr=DEFAULT_FLAGS["cluster-cidr"])


def waiting(lab: Cluster) -> set[str]:
    """Nodes without a podCIDR."""
    return {name for name, cidr in lab.pod_cidrs().items() if not cidr}


def refused(lab: Cluster) -> set[str]:
    """Nodes for which the allocator wrote CIDRNotAvailable."""
    events = lab.get("/api/v1/namespaces/default/events")["items"]
    return {event["involvedObject"]["name"] for event in events if event["reason"] == "CIDRNotAvailable"}
