"""This flannel release has a fault that the cluster brings out: it takes an address that is not the node's for its own."""

from __future__ import annotations

from random import Random

from tests.lab.faults import SETTLED, Fault, Victims, hands
from tests.lab.faults.hands import Cluster


class KnownBadVersion(Fault):
    """node-public-ip with an address behind NAT: since v0.27.4 the device sends from it, and every packet is lost."""

    NAME = "known-bad-version"
    BREAKS = "flannel announces an address that is on no card, and its device sends from that"
    FINDINGS = ("FLN312",)
    PATIENCE = SETTLED

    def draw(self, lab: Cluster, random: Random) -> Victims:
        victim, other = random.sample(sorted(hands.nodes(lab)), 2)
        return Victims((victim,), {"victim": victim, "other": other, "ip": f"203.0.113.{random.randrange(1, 255)}"})

    def inject(self, lab: Cluster, victims: Victims) -> None:
        victim = victims.values["victim"]
        hands.annotate(lab, victim, {"node-public-ip": victims.values["ip"]})
        hands.restart_flannel(lab, victim)
        hands.cut(lab, victim, victims.values["other"])

    def heal(self, lab: Cluster, victims: Victims) -> None:
        hands.annotate(lab, victims.values["victim"], {"node-public-ip": None})
        hands.restart_flannel(lab, victims.values["victim"])
