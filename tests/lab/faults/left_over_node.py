"""The Node of a machine that has been gone for days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from tests.lab.faults import Fault, Victims, bare
from tests.lab.faults.hands import Cluster


class LeftOverNode(Fault):
    """Its kubelet renewed its Lease the last time some days ago; its block is held, and every flannel routes to it."""

    NAME = "left-over-node"
    BREAKS = "a member's kubelet has been silent for days and its Node is still there"
    FINDINGS = ("FLN604",)
    ALSO = ("FLN601",)

    def draw(self, lab: Cluster, random: Random) -> Victims:
        cidr = f"10.244.{random.randrange(180, 200)}.0/24"
        values = {**bare.drawn(random), "cidr": cidr, "days": str(random.randrange(2, 30))}
        return Victims((values["bare"],), values)

    def inject(self, lab: Cluster, victims: Victims) -> None:
        bare.create(lab, victims.values, victims.values["cidr"])
        renewed = datetime.now(UTC) - timedelta(days=int(victims.values["days"]))
        lab.create(
            {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": victims.values["bare"], "namespace": "kube-node-lease"},
                "spec": {
                    "holderIdentity": victims.values["bare"],
                    "leaseDurationSeconds": 40,
                    "renewTime": renewed.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
                },
            }
        )

    def heal(self, lab: Cluster, victims: Victims) -> None:
        lab.delete_nodes([victims.values["bare"]])
        lab.kubectl("-n", "kube-node-lease", "delete", "lease", victims.values["bare"], "--ignore-not-found")
