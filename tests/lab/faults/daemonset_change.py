"""The base of faults that come with a change of flannel's DaemonSet."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from random import Random

from tests.lab.faults import Fault, Victims, hands
from tests.lab.faults.hands import Cluster

CONTAINER = "/spec/template/spec/containers/0"


class DaemonSetChange(Fault):
    """Changes the template for one node only: the DaemonSet replaces a pod when it is deleted, and one is."""

    PAIRS = False

    def draw(self, lab: Cluster, random: Random) -> Victims:
        victim = random.choice(sorted(hands.nodes(lab)))
        whole = lab.get(f"/apis/apps/v1/namespaces/{hands.FLANNEL[0]}/daemonsets/{hands.FLANNEL[1]}")["spec"]
        container = whole["template"]["spec"]["containers"][0]
        before = {"strategy": whole["updateStrategy"], "container": container}
        values = {"victim": victim, "before": json.dumps(before), "choice": str(random.randrange(10**6))}
        return Victims((victim,), values | ({"variant": self.pick(random)} if self.VARIANTS else {}))

    @abstractmethod
    def operations(self, container: hands.Object, values: Mapping[str, str]) -> list[hands.Object]:
        """The JSON patch; `values` has the variant, and a number to draw more from."""

    @abstractmethod
    def shows(self, pod: hands.Object) -> bool:
        """Whether the new pod shows the effect."""

    def inject(self, lab: Cluster, victims: Victims) -> None:
        victim, before = victims.values["victim"], json.loads(victims.values["before"])
        by_hand = {"op": "replace", "path": "/spec/updateStrategy", "value": {"type": "OnDelete"}}
        changed = self.operations(before["container"], victims.values)
        hands.patch_flannel(lab, [by_hand, *changed])
        old = hands.flannel_pods(lab)[victim]["metadata"]
        lab.kubectl("-n", hands.FLANNEL[0], "delete", "pod", old["name"], "--wait=false")
        hands.wait_until(lambda: self._replaced(lab, victim, old["uid"]), f"{victim} shows it", 120)

    def _replaced(self, lab: Cluster, victim: str, old: str) -> bool:
        pod = hands.flannel_pods(lab).get(victim)
        return pod is not None and pod["metadata"]["uid"] != old and self.shows(pod)

    def heal(self, lab: Cluster, victims: Victims) -> None:
        before = json.loads(victims.values["before"])
        hands.patch_flannel(
            lab,
            [
                {"op": "replace", "path": CONTAINER, "value": before["container"]},
                {"op": "replace", "path": "/spec/updateStrategy", "value": before["strategy"]},
            ],
        )
        lab.flannel_ready()


def restarts(pod: hands.Object) -> int:
    """How often flannel's container was started again."""
    return sum(status["restartCount"] for status in pod["status"].get("containerStatuses", []))
