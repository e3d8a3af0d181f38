"""A podCIDR outside the cluster CIDR: the controller manager that starts next ends at once."""

from __future__ import annotations

from random import Random

from tests.lab.faults import Fault, Victims, bare
from tests.lab.faults.hands import Cluster


class PodCidrOutside(Fault):
    """A Node joined with a podCIDR that a hand wrote."""

    NAME = "podcidr-outside"
    BREAKS = "a Node holds a podCIDR outside the range that the allocator hands out from"
    FINDINGS = ("FLN103",)

    def draw(self, lab: Cluster, random: Random) -> Victims:
        values = {**bare.drawn(random), "cidr": f"192.168.{random.randrange(256)}.0/24"}
        return Victims((values["bare"],), values)

    def inject(self, lab: Cluster, victims: Victims) -> None:
        bare.create(lab, victims.values, victims.values["cidr"])

    def heal(self, lab: Cluster, victims: Victims) -> None:
        lab.delete_nodes([victims.values["bare"]])
