"""One of two Nodes with one podCIDR was deleted, and with it every peer dropped the entries of the one that lives."""

from __future__ import annotations

from random import Random

from tests.lab.faults import Victims, bare, hands
from tests.lab.faults.duplicate_podcidr import DuplicatePodCidr
from tests.lab.faults.hands import Cluster


class SurvivorCutOff(DuplicatePodCidr):
    """The clean-up after twins, without the touch that heals it."""

    NAME = "survivor-cut-off"
    BREAKS = "peers dropped the entries of a living Node when its dead twin was deleted"
    FINDINGS = ("FLN418",)

    def draw(self, lab: Cluster, random: Random) -> Victims:
        drawn = super().draw(lab, random)
        return Victims((drawn.values["victim"],), drawn.values)

    def inject(self, lab: Cluster, victims: Victims) -> None:
        super().inject(lab, victims)
        self.forget(lab, victims)
        hands.cut(lab, victims.values["observer"], victims.values["victim"])

    def heal(self, lab: Cluster, victims: Victims) -> None:
        self.forget(lab, victims)
        bare.touch(lab, victims.values["victim"])
