"""Two machines had one podCIDR. Somebody deleted the Node that looked dead, and the other one fell silent."""

from __future__ import annotations

from random import Random

from tests.lab.faults import all_faults
from tests.lab.faults.hands import Cluster
from tests.lab.incidents import Incident


class TwinsCleanedUp(Incident):
    """The clean-up was right, and every running flannel dropped the entries that both shared."""

    NAME = "twins-cleaned-up"
    CALL = "We removed a dead Node an hour ago. Since then nobody reaches the pods of a machine that we never touched."
    FINDINGS = ("FLN418",)

    def stage(self, lab: Cluster) -> None:
        fault = all_faults()["survivor-cut-off"]
        fault.inject(lab, fault.draw(lab, Random(self.NAME)))
