"""The folder of CNI configurations is empty: the runtime has no network, and the kubelet says that the node is not ready."""

from __future__ import annotations

from tests.lab.faults import Victims, hands
from tests.lab.faults.hands import Cluster, wait_until
from tests.lab.faults.kernel import Kernel, Values

CONF = "/etc/cni/net.d"
AWAY = "/etc/cni/net.d.away"


class NetworkPluginNotReady(Kernel):
    """Emptied by a reset or a clean-up, while flannel runs on: its init container writes the file at a pod's start only."""

    NAME = "network-plugin-not-ready"
    BREAKS = "a Node is not Ready, for no CNI configuration is left there"
    FINDINGS = ("FLN601",)
    CUTS = ""

    def breaks(self, values: Values) -> str:
        return f"mkdir {AWAY}; mv {CONF}/* {AWAY}"

    def mends(self, values: Values) -> str:
        """containerd reads the folder again when a file is written there, not when one is moved in."""
        return f"cd {AWAY} && for file in *; do cat $file > {CONF}/$file; done && cd / && rm -r {AWAY}"

    def effect(self, values: Values) -> str:
        return f'test -z "$(ls {CONF})"'

    def inject(self, lab: Cluster, victims: Victims) -> None:
        super().inject(lab, victims)
        victim = victims.values["victim"]
        wait_until(lambda: "NetworkPluginNotReady" in _why(lab, victim), f"{victim} says NetworkPluginNotReady", 60)

    def heal(self, lab: Cluster, victims: Victims) -> None:
        super().heal(lab, victims)
        victim = victims.values["victim"]
        wait_until(lambda: hands.ready(hands.nodes(lab)[victim]), f"{victim} is Ready again", 60)


def _why(lab: Cluster, node: str) -> str:
    """What the condition Ready says."""
    conditions = hands.nodes(lab)[node]["status"]["conditions"]
    return next((str(one["message"]) for one in conditions if one["type"] == "Ready" and one["status"] != "True"), "")
