"""A Node announces another VNI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random

from tests.lab.faults import hands
from tests.lab.faults.announcing import Announcing


class VniDiffers(Announcing):
    """As after a restart with another ConfigMap; peers that run do not look at it."""

    NAME = "vni-differs"
    BREAKS = "a Node announces another VNI than the rest"
    FINDINGS = ("FLN206",)
    CUTS = False

    def announce(self, random: Random, victim: hands.Object, other: hands.Object) -> Mapping[str, str | None]:
        data = json.loads(hands.announced(victim)["backend-data"])
        return {"backend-data": json.dumps(data | {"VNI": random.randrange(2, 4096)}, separators=(",", ":"))}
