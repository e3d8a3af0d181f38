"""A Node joins while nobody hands out podCIDRs."""

from __future__ import annotations

from random import Random

from tests.lab.faults import SETTLED, Fault, Victims, bare
from tests.lab.faults.hands import Cluster
from tests.lab.objects import bare_node


class PodCidrMissing(Fault):
    """The controller manager runs, and was started without --allocate-node-cidrs."""

    NAME = "podcidr-missing"
    BREAKS = "a Node has no podCIDR, for the controller manager hands out none"
    FINDINGS = ("FLN105",)
    PATIENCE = SETTLED
    PAIRS = False

    def draw(self, lab: Cluster, random: Random) -> Victims:
        name = bare.drawn(random)["bare"]
        return Victims((name,), {"bare": name})

    def inject(self, lab: Cluster, victims: Victims) -> None:
        lab.controller_manager(allocate_node_cidrs="false")
        lab.create(bare_node(victims.values["bare"]))

    def heal(self, lab: Cluster, victims: Victims) -> None:
        lab.delete_nodes([victims.values["bare"]])
        lab.controller_manager(allocate_node_cidrs="true")
