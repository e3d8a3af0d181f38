"""Two Nodes announce one address."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tests.lab.faults import hands
from tests.lab.faults.announcing import Announcing


class PublicIpShared(Announcing):
    """A Node announces the address of another machine: the packets for both arrive at one."""

    NAME = "public-ip-shared"
    BREAKS = "a Node announces the address of another machine"
    FINDINGS = ("FLN204",)
    CUTS = False  # the other machine itself sends the packets to its own address, the rest to the wrong machine

    def announce(self, random: Random, victim: hands.Object, other: hands.Object) -> Mapping[str, str | None]:
        return {"public-ip": hands.announced(other)["public-ip"]}

    def named(self, victim: str, other: str) -> tuple[str, ...]:
        return (victim, other)
