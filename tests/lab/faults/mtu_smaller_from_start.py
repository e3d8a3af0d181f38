"""A node on a network of smaller frames: its card had MTU 1400 before flannel first ran, so its own tunnel is right."""

from __future__ import annotations

from random import Random

from tests.lab.faults import SETTLED, Victims, hands
from tests.lab.faults.hands import Cluster, wait_until
from tests.lab.faults.kernel import Kernel, Values

LARGE = 1372  # bytes of ping in a packet of 1400: it fits the peers' tunnels of 1450, and 1450 outside do not fit the card
SMALL = 1300


class MtuSmallerFromStart(Kernel):
    """flannel.1, cni0 and pods there have 1350, everywhere else 1450: TCP agrees on the smaller one, all else is lost."""

    NAME = "mtu-smaller-from-start"
    BREAKS = "large packets towards a node are lost, for its card, and so its tunnel, has a smaller MTU than its peers'"
    FINDINGS = ("FLN408",)
    PATIENCE = SETTLED
    CUTS = "in"
    SIZE = LARGE

    def draw(self, lab: Cluster, random: Random) -> Victims:
        drawn = super().draw(lab, random)
        bridge = hands.shell(lab, drawn.values["victim"], "cat /sys/class/net/cni0/address").strip()
        return Victims(drawn.nodes, {**drawn.values, "bridge": bridge})

    def breaks(self, values: Values) -> str:
        return f"ip link set {values['device']} mtu 1400"

    def mends(self, values: Values) -> str:
        return f"ip link set {values['device']} mtu 1500"

    def inject(self, lab: Cluster, victims: Victims) -> None:
        values = victims.values
        hands.shell(lab, values["victim"], self.breaks(values))
        begin_anew(lab, values["victim"], 1350)
        hands.demand(hands.reaches(lab, values["other"], values["victim"], SMALL), f"{values['victim']} gets small packets")
        hands.cut(lab, values["other"], values["victim"], LARGE)
        hands.demand(hands.reaches(lab, values["victim"], values["victim"], SMALL), f"{values['victim']} reaches itself")

    def heal(self, lab: Cluster, victims: Victims) -> None:
        values = victims.values
        hands.shell(lab, values["victim"], self.mends(values))
        begin_anew(lab, values["victim"], 1450)
        hands.shell(lab, values["victim"], f"ip link set cni0 address {values['bridge']}")


def begin_anew(lab: Cluster, node: str, mtu: int) -> None:
    """flannel, its device, the bridge and the probe pod of a node made anew, as after a first start."""
    hands.shell(lab, node, "ip link del flannel.1")
    hands.restart_flannel(lab, node)
    wait_until(lambda: hands.holds(lab, node, f"grep -q MTU={mtu} /run/flannel/subnet.env"), f"flannel on {node} says {mtu}", 60)
    old = hands.probes(lab)[node]["metadata"]
    hands.shell(lab, node, "ip link del cni0")
    lab.kubectl("delete", "pod", old["name"], "--grace-period=1")

    def fresh() -> bool:
        pod = hands.probes(lab).get(node)
        return pod is not None and pod["metadata"]["uid"] != old["uid"] and hands.ready(pod)

    wait_until(fresh, f"the probe pod of {node} is new", 60)
    hands.demand(hands.holds(lab, node, f"test $(cat /sys/class/net/cni0/mtu) = {mtu}"), f"cni0 on {node} has {mtu}")
