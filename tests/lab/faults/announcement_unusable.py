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
    VARIANTS = ("cut-off", "null", "no-mac", "half-address", "no-address")
    CUTS = False  # peers keep what they had until they start anew

    def announce(self, random: Random, victim: hands.Object, other: hands.Object) -> Mapping[str, str | None]:
        data = hands.announced(victim)["backend-data"]
        choices: dict[str, dict[str, str | None]] = {
            "cut-off": {"backend-data": data[: len(data) // 2]},
            "null": {"backend-data": "null"},
            "no-mac": {"backend-data": '{"VNI":1,"VtepMAC":""}'},
            "half-address": {"public-ip": "172.30.0"},
            "no-address": {"public-ip": ""},
        }
        return choices[self.pick(random)]
