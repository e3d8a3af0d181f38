"""An update of flannel stopped half-way, with a rule for cards that one machine does not have."""

from __future__ import annotations

from random import Random

from tests.lab.faults import all_faults
from tests.lab.faults.hands import Cluster
from tests.lab.incidents import Incident


class HalfAnUpdate(Incident):
    """flannel ends on the one node where it was replaced; all others run on with what they had."""

    NAME = "half-an-update"
    CALL = "Since the maintenance window pods that start on one machine get no address; the others are fine."
    FINDINGS = ("FLN301",)

    def stage(self, lab: Cluster) -> None:
        fault = all_faults()["crash-loop"]
        fault.inject(lab, fault.draw(lab, Random(self.NAME)))
