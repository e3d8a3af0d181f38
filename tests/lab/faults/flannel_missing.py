"""No flannel runs on a node, though a DaemonSet covers it."""

from __future__ import annotations

import json
from random import Random

from tests.lab.faults import Fault, Victims, hands
from tests.lab.faults.hands import Cluster, wait_until


class FlannelMissing(Fault):
    """Its pod was deleted while nobody creates a new one: a quota allows no more pods in the namespace."""

    NAME = "flannel-missing"
    BREAKS = "a node has no flannel pod, and none is created"
    FINDINGS = ("FLN305",)
    PATIENCE = 330.0  # it counts after five minutes

    def draw(self, lab: Cluster, random: Random) -> Victims:
        victim = random.choice(sorted(hands.nodes(lab)))
        return Victims((victim,), {"victim": victim})

    def inject(self, lab: Cluster, victims: Victims) -> None:
        quota = {
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "pods", "namespace": hands.FLANNEL[0]},
            "spec": {"hard": {"pods": "0"}},
        }  # fmt: skip
        lab.kubectl("create", "-f", "-", stdin=json.dumps(quota))
        path = f"/api/v1/namespaces/{hands.FLANNEL[0]}/resourcequotas/pods"
        wait_until(lambda: "hard" in lab.get(path).get("status", {}), "the quota is in effect")
        victim = victims.values["victim"]
        lab.kubectl("-n", hands.FLANNEL[0], "delete", "pod", hands.flannel_pods(lab)[victim]["metadata"]["name"])

    def heal(self, lab: Cluster, victims: Victims) -> None:
        """The controller backs off for minutes after refusals; a write to the DaemonSet makes it look at once."""
        lab.kubectl("-n", hands.FLANNEL[0], "delete", "resourcequota", "pods", "--ignore-not-found")
        lab.kubectl("-n", hands.FLANNEL[0], "annotate", "--overwrite", "daemonset", hands.FLANNEL[1], "lab.local/looked=again")
        lab.kubectl("-n", hands.FLANNEL[0], "annotate", "daemonset", hands.FLANNEL[1], "lab.local/looked-")
        wait_until(lambda: victims.values["victim"] in hands.flannel_pods(lab), "a flannel pod is created again", 300)
        lab.flannel_ready()
