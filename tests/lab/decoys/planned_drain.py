"""Somebody drains a node: it is cordoned and its pods are leaving."""

from __future__ import annotations

from random import Random

from tests.lab.decoys import Decoy
from tests.lab.faults import Victims, hands
from tests.lab.faults.hands import Cluster, wait_until
from tests.lab.objects import pod_running


class PlannedDrain(Decoy):
    """One pod takes its time to end."""

    NAME = "planned-drain"
    BREAKS = "a node is cordoned and a pod on it is terminating"

    def draw(self, lab: Cluster, random: Random) -> Victims:
        victim = random.choice(sorted(hands.nodes(lab)))
        return Victims((), {"victim": victim, "pod": f"leaving-{random.randrange(1000):03d}"})

    def inject(self, lab: Cluster, victims: Victims) -> None:
        pod, victim = victims.values["pod"], victims.values["victim"]
        slow = ["/bin/sh", "-c", "trap : TERM; while :; do sleep 1; done"]
        lab.create(pod_running(pod, victim, slow, terminationGracePeriodSeconds=120))
        wait_until(lambda: hands.ready(lab.get(f"/api/v1/namespaces/default/pods/{pod}")), "the pod runs")
        lab.kubectl("cordon", victim)
        lab.kubectl("delete", "pod", pod, "--wait=false")

    def heal(self, lab: Cluster, victims: Victims) -> None:
        lab.kubectl("delete", "pod", victims.values["pod"], "--ignore-not-found", "--force", "--grace-period=0")
        lab.kubectl("uncordon", victims.values["victim"])
