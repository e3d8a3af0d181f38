"""flannel runs, and its Node does not say so."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tests.lab.faults import hands
from tests.lab.faults.announcing import Announcing


class NotAnnounced(Announcing):
    """The gate annotation is gone: whoever starts from now on passes the Node over."""

    NAME = "not-announced"
    BREAKS = "a Node whose flannel runs does not carry kube-subnet-manager"
    FINDINGS = ("FLN201",)
    VARIANTS = ("gate", "all")  # annotations that are gone
    CUTS = False
    PATIENCE = 100.0  # flannel must have run for over two minutes

    def announce(self, random: Random, victim: hands.Object, other: hands.Object) -> Mapping[str, str | None]:
        every = ("kube-subnet-manager", "backend-type", "backend-data", "public-ip")
        return dict.fromkeys(every if self.pick(random) == "all" else every[:1])
