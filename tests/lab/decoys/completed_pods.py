"""Pods that have done their work keep the address that they had in their status."""

from __future__ import annotations

from functools import partial
from random import Random

from tests.lab.decoys import Decoy
from tests.lab.faults import Victims, hands
from tests.lab.faults.hands import Cluster, wait_until
from tests.lab.objects import pod_running


class CompletedPods(Decoy):
    """One after the other on one node: each has ended before the next one starts."""

    NAME = "completed-pods"
    BREAKS = "pods have succeeded, and their addresses are given out again"

    def draw(self, lab: Cluster, random: Random) -> Victims:
        victim = random.choice(sorted(hands.nodes(lab)))
        names = [f"done-{random.randrange(10**6):06d}" for _ in range(3)]
        return Victims((), {"victim": victim, "names": " ".join(names)})

    def inject(self, lab: Cluster, victims: Victims) -> None:
        for name in victims.values["names"].split():
            lab.create(pod_running(name, victims.values["victim"], ["/bin/sh", "-c", "exit 0"]))
            wait_until(partial(_succeeded, lab, name), f"{name} has succeeded")

    def heal(self, lab: Cluster, victims: Victims) -> None:
        lab.kubectl("delete", "pod", "--ignore-not-found", "--force", "--grace-period=0", *victims.values["names"].split())


def _succeeded(lab: Cluster, name: str) -> bool:
    return bool(lab.get(f"/api/v1/namespaces/default/pods/{name}")["status"]["phase"] == "Succeeded")
