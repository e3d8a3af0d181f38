"""kured holds its reboot lock for a node: whatever is odd there may be on its way to being right."""

from __future__ import annotations

import json
from random import Random

from tests.lab.faults import Fault, Victims, hands
from tests.lab.faults.hands import Cluster


class AnotherHand(Fault):
    """The lock, as kured writes it on its own DaemonSet; no pod of it is wanted in the lab."""

    NAME = "another-hand"
    BREAKS = "kured holds its lock for a node"
    FINDINGS = ("FLN602",)

    def draw(self, lab: Cluster, random: Random) -> Victims:
        victim = random.choice(sorted(hands.nodes(lab)))
        lock = {"nodeID": victim, "metadata": None, "created": "2026-01-01T03:00:00Z", "TTL": 0}
        return Victims((victim,), {"lock": json.dumps(lock)})

    def inject(self, lab: Cluster, victims: Victims) -> None:
        labels = {"name": "kured"}
        container = {
            "name": "kured",
            "image": "lab.local/busybox:1",
            "imagePullPolicy": "Never",
            "command": ["/bin/sleep", "9999"],
        }
        lab.create(
            {
                "apiVersion": "apps/v1",
                "kind": "DaemonSet",
                "metadata": {
                    "name": "kured",
                    "namespace": "kube-system",
                    "annotations": {"weave.works/kured-node-lock": victims.values["lock"]},
                },
                "spec": {
                    "selector": {"matchLabels": labels},
                    "template": {
                        "metadata": {"labels": labels},
                        "spec": {"nodeSelector": {"lab.local/nowhere": "true"}, "containers": [container]},
                    },
                },
            }
        )

    def heal(self, lab: Cluster, victims: Victims) -> None:
        lab.kubectl("-n", "kube-system", "delete", "daemonset", "kured", "--ignore-not-found")
