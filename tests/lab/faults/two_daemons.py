"""Two flannels on one node: an upgrade left the old DaemonSet behind."""

from __future__ import annotations

import copy
import json
from random import Random

from tests.lab.faults import SETTLED, Fault, Victims, hands
from tests.lab.faults.hands import Cluster


class TwoDaemons(Fault):
    """A second DaemonSet with the same prefix and the same file, on one node only."""

    NAME = "two-daemons"
    BREAKS = "two DaemonSets of flannel run on one node and write the same things"
    FINDINGS = ("FLN314",)
    PATIENCE = SETTLED

    def draw(self, lab: Cluster, random: Random) -> Victims:
        victim = random.choice(sorted(hands.nodes(lab)))
        return Victims((victim,), {"victim": victim, "name": f"kube-flannel-ds-{random.choice(['amd64', 'old', 'v0'])}"})

    def inject(self, lab: Cluster, victims: Victims) -> None:
        second = second_daemonset(lab, victims.values["name"], victims.values["victim"])
        lab.kubectl("create", "-f", "-", stdin=json.dumps(second))
        lab.kubectl("-n", hands.FLANNEL[0], "rollout", "status", f"daemonset/{victims.values['name']}", "--timeout=60s")

    def heal(self, lab: Cluster, victims: Victims) -> None:
        gone = ("--ignore-not-found", "--cascade=foreground", "--wait=true")
        lab.kubectl("-n", hands.FLANNEL[0], "delete", "daemonset", victims.values["name"], *gone)


def second_daemonset(lab: Cluster, name: str, node: str) -> hands.Object:
    """A copy of flannel's DaemonSet under another name and label, for one node."""
    template = copy.deepcopy(hands.flannel_template(lab))
    labels = {"app": name, "tier": "node"}
    template["metadata"] = {"labels": labels}
    template["spec"]["nodeSelector"] = {"kubernetes.io/hostname": node}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": hands.FLANNEL[0], "labels": labels},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }
