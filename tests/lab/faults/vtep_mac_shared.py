"""Two Nodes announce one VtepMAC: machines cloned from one image look like that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random

from tests.lab.faults import Victims, bare, hands
from tests.lab.faults.announcing import Announcing
from tests.lab.faults.hands import Cluster


class VtepMacShared(Announcing):
    """A Node announces the MAC of another: peers keep one FDB entry for both."""

    NAME = "vtep-mac-shared"
    BREAKS = "two Nodes announce one VtepMAC, and peers keep a single entry for both"
    FINDINGS = ("FLN205",)
    CUTS = False  # which of both is cut off depends on who announced last

    def announce(self, random: Random, victim: hands.Object, other: hands.Object) -> Mapping[str, str | None]:
        return {"backend-data": hands.announced(other)["backend-data"]}

    def named(self, victim: str, other: str) -> tuple[str, ...]:
        return (victim, other)

    def heal(self, lab: Cluster, victims: Victims) -> None:
        """The entry of the MAC still leads to the victim on every peer, and stands on the other node itself."""
        super().heal(lab, victims)
        mac = json.loads(json.loads(victims.values["new"])["backend-data"])["VtepMAC"]
        other = victims.values["other"]
        hands.shell(lab, other, f"bridge fdb del {mac} dev flannel.1 || true")
        bare.touch(lab, other)
