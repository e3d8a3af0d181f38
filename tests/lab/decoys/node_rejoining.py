"""A Node was deleted and comes back with the podCIDR that it had: for some seconds nothing of it is complete."""

from __future__ import annotations

import json
from random import Random

from tests.lab.decoys import Decoy
from tests.lab.faults import Victims, hands
from tests.lab.faults.hands import Cluster, wait_until


class NodeRejoining(Decoy):
    """As after a reinstallation: the object is new, flannel and pods are made anew."""

    NAME = "node-rejoining"
    BREAKS = "a Node is some seconds old and its flannel has just started"
    PAIRS = False

    def draw(self, lab: Cluster, random: Random) -> Victims:
        real = hands.nodes(lab)
        victim = random.choice(sorted(real))
        kept = {key: real[victim]["metadata"][key] for key in ("name", "labels")}
        spec = {"podCIDR": hands.pod_cidr(real[victim]), "podCIDRs": real[victim]["spec"]["podCIDRs"]}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": kept, "spec": spec}
        return Victims((), {"victim": victim, "node": json.dumps(node)})

    def inject(self, lab: Cluster, victims: Victims) -> None:
        lab.delete_nodes([victims.values["victim"]])
        lab.create(json.loads(victims.values["node"]))

    def heal(self, lab: Cluster, victims: Victims) -> None:
        victim = victims.values["victim"]
        if victim not in hands.nodes(lab):
            lab.create(json.loads(victims.values["node"]))
        wait_until(lambda: hands.ready(hands.nodes(lab)[victim]), f"{victim} is Ready", 120)
        wait_until(lambda: victim in hands.flannel_pods(lab), "flannel's pod is there", 60)
        lab.flannel_ready()
