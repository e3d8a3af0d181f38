"""What a Node announces cannot be read by its peers."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tests.lab.faults import hands
from tests.lab.faults.announcing import Announcing


class AnnouncementUnusable(Announcing):
    """A truncated annotation, an empty address, a MAC that is none."""

    NAME = "announcement-unusable"
    BREAKS = "a Node's annotations cannot be decoded, and every peer skips it"
    FINDINGS = ("FLN208",)
    CUTS = False  # peers keep what they had until they start anew

    def announce(self, random: Random, victim: hands.Object, other: hands.Object) -> Mapping[str, str | None]:
        data = hands.announced(victim)["backend-data"]
        choices: list[dict[str, str | None]] = [
            {"backend-data": data[: len(data) // 2]},
            {"backend-data": "null"},
            {"backend-data": '{"VNI":1,"VtepMAC":""}'},
            {"public-ip": "172.30.0"},
            {"public-ip": ""},
        ]
        return random.choice(choices)
