"""A Node announces an address that cannot be its own."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tests.lab.faults import hands
from tests.lab.faults.announcing import Announcing


class PublicIpWrong(Announcing):
    """Loopback, a link-local address, or one inside a podCIDR: peers send the packets nowhere."""

    NAME = "public-ip-wrong"
    BREAKS = "a Node announces an address that never leaves a host"
    FINDINGS = ("FLN203",)
    VARIANTS = ("loopback", "link-local", "podcidr")

    def announce(self, random: Random, victim: hands.Object, other: hands.Object) -> Mapping[str, str | None]:
        inside = hands.pod_cidr(victim).replace(".0/24", ".1")
        local = f"169.254.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
        return {"public-ip": {"loopback": "127.0.0.1", "link-local": local, "podcidr": inside}[self.pick(random)]}
