"""A NetworkPolicy where nothing enforces any."""

from __future__ import annotations

from random import Random

from tests.lab.faults import Fault, Victims, hands
from tests.lab.faults.hands import Cluster, demand


class PolicyNotEnforced(Fault):
    """It forbids all traffic to the probes, and they go on answering."""

    NAME = "policy-not-enforced"
    BREAKS = "a NetworkPolicy forbids what flannel lets through"
    FINDINGS = ("FLN605",)

    def draw(self, lab: Cluster, random: Random) -> Victims:
        source, target = random.sample(sorted(hands.nodes(lab)), 2)
        return Victims((), {"name": f"deny-{random.randrange(1000):03d}", "source": source, "target": target})

    def inject(self, lab: Cluster, victims: Victims) -> None:
        lab.create(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": victims.values["name"], "namespace": "default"},
                "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
            }
        )
        demand(hands.reaches(lab, victims.values["source"], victims.values["target"]), "the policy is enforced")

    def heal(self, lab: Cluster, victims: Victims) -> None:
        lab.kubectl("delete", "networkpolicy", victims.values["name"], "--ignore-not-found")
