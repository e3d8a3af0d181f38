"""A Node is announced before it has a podCIDR: every peer refuses it once and never looks again."""

from __future__ import annotations

from random import Random

from tests.lab.faults import SETTLED, Fault, Victims, bare, hands
from tests.lab.faults.hands import Cluster, demand, wait_until


class NeverLearnt(Fault):
    """Created with flannel's annotations, as by a restore of a saved object; the allocator gives the podCIDR a moment later."""

    NAME = "never-learnt"
    BREAKS = "a Node got its podCIDR after its annotations, and no peer has a route to it"
    FINDINGS = ("FLN207",)
    PATIENCE = SETTLED

    def draw(self, lab: Cluster, random: Random) -> Victims:
        values = bare.drawn(random)
        return Victims((values["bare"],), values)

    def inject(self, lab: Cluster, victims: Victims) -> None:
        bare.create(lab, victims.values, "")
        wait_until(lambda: bool(lab.pod_cidrs()[victims.values["bare"]]), "the allocator gave it a podCIDR")
        cidr = lab.pod_cidrs()[victims.values["bare"]]
        learnt = [name for name in hands.nodes(lab) if hands.holds(lab, name, f"ip route show {cidr} | grep -q .")]
        demand(not learnt, f"{', '.join(learnt)} learnt of it")

    def heal(self, lab: Cluster, victims: Victims) -> None:
        """Peers try for some minutes to remove what they never had, and do nothing else meanwhile: they start anew."""
        lab.delete_nodes([victims.values["bare"]])
        for name in sorted(hands.nodes(lab)):
            hands.restart_flannel(lab, name)
