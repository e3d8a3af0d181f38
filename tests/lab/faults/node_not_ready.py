"""A kubelet falls silent while the node's network works on."""

from __future__ import annotations

from random import Random

from tests.lab.faults import Fault, Victims, hands
from tests.lab.faults.hands import Cluster, wait_until


class NodeNotReady(Fault):
    """The kubelet hangs; after its grace period the controller manager says that it does not know any more."""

    NAME = "node-not-ready"
    BREAKS = "a Node is not Ready, and its network is well"
    FINDINGS = ("FLN601",)

    def draw(self, lab: Cluster, random: Random) -> Victims:
        victim, other = random.sample(sorted(hands.nodes(lab)), 2)
        return Victims((victim,), {"victim": victim, "other": other})

    def inject(self, lab: Cluster, victims: Victims) -> None:
        victim = victims.values["victim"]
        hands.shell(lab, victim, "kill -STOP $(pidof kubelet)")
        wait_until(lambda: not hands.ready(hands.nodes(lab)[victim]), f"{victim} is not Ready", 120)
        hands.demand(hands.reaches(lab, victims.values["other"], victims.values["other"]), "the others are well")

    def heal(self, lab: Cluster, victims: Victims) -> None:
        hands.shell(lab, victims.values["victim"], "kill -CONT $(pidof kubelet) || true")
        wait_until(lambda: hands.ready(hands.nodes(lab)[victims.values["victim"]]), "it is Ready again", 90)
