"""An annotation asks for another address, and flannel has not read it."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tests.lab.faults import hands
from tests.lab.faults.announcing import Announcing


class OverwriteNotInEffect(Announcing):
    """Written after flannel started: nothing happens until it starts anew, and then perhaps too much."""

    NAME = "overwrite-not-in-effect"
    BREAKS = "public-ip-overwrite or node-public-ip was written after flannel's start"
    FINDINGS = ("FLN209",)
    VARIANTS = ("public-ip-overwrite", "node-public-ip")
    CUTS = False

    def announce(self, random: Random, victim: hands.Object, other: hands.Object) -> Mapping[str, str | None]:
        return {self.pick(random): f"198.18.7.{random.randrange(1, 255)}"}
