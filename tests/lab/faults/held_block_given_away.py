"""The allocator gave a joining Node the wide block in which living Nodes hold theirs."""

from __future__ import annotations

import ipaddress
from random import Random

from tests.lab.faults import Victims, hands
from tests.lab.faults.allocator_forgot_block import AllocatorForgotBlock
from tests.lab.faults.hands import Cluster, wait_until
from tests.lab.objects import bare_node

JOINING = 5  # a controller manager that has just started goes up from its first block; that of those who are there is the fifth


class HeldBlockGivenAway(AllocatorForgotBlock):
    """What comes of a forgotten block when Nodes join before any kubelet of the others reports again."""

    NAME = "held-block-given-away"
    BREAKS = "a joining Node was given a block that holds the podCIDRs of living ones, for one of those was deleted before"
    FINDINGS = ("FLN102",)
    ALSO = ("FLN110", "FLN119")

    def draw(self, lab: Cluster, random: Random) -> Victims:
        drawn = super().draw(lab, random)
        names = [f"join-{random.randrange(10**6):06d}" for _ in range(JOINING)]
        return Victims(drawn.nodes, {**drawn.values, "names": " ".join(names)})

    def inject(self, lab: Cluster, victims: Victims) -> None:
        """The report of a kubelet may come in between and mark the block again: then once more, up to three times."""
        names = victims.values["names"].split()
        for _ in range(3):
            super().inject(lab, victims)
            lab.create(*(bare_node(name) for name in names))
            wait_until(lambda: all(lab.pod_cidrs()[name] for name in names), "those who join have podCIDRs", 30)
            if receiver(lab, names):
                return
            lab.delete_nodes(names)
        hands.demand(False, "the block was marked again each time before it was given away")

    def subjects(self, lab: Cluster, victims: Victims) -> dict[str, frozenset[str]]:
        """Who was given the block is the allocator's own choice."""
        return {"FLN102": frozenset({*victims.nodes, *receiver(lab, victims.values["names"].split())})}

    def heal(self, lab: Cluster, victims: Victims) -> None:
        lab.delete_nodes(victims.values["names"].split())
        super().heal(lab, victims)


def receiver(lab: Cluster, names: list[str]) -> set[str]:
    """Those of `names` whose block holds the podCIDR of another Node."""
    blocks = {name: ipaddress.ip_network(cidr) for name, cidr in lab.pod_cidrs().items() if cidr}
    real = [block for name, block in blocks.items() if name not in names]
    return {name for name in names if name in blocks and any(blocks[name].overlaps(block) for block in real)}
