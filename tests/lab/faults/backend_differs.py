"""One Node announces another backend: its side and the others ignore each other."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tests.lab.faults import hands
from tests.lab.faults.announcing import Announcing


class BackendDiffers(Announcing):
    """A Node announces host-gw among vxlan, as after a restart with another ConfigMap. Peers that run keep what they had."""

    NAME = "backend-host-gw"
    BREAKS = "a Node announces backend host-gw where all others announce vxlan"
    FINDINGS = ("FLN202",)
    CUTS = False

    def announce(self, random: Random, victim: hands.Object, other: hands.Object) -> Mapping[str, str | None]:
        return {"backend-type": "host-gw", "backend-data": "null"}
