"""An unanchored --iface-regex takes a container's veth: the crash after a network restart."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tests.lab import networks
from tests.lab.faults import Victims, hands
from tests.lab.faults.daemonset_change import CONTAINER, DaemonSetChange, restarts
from tests.lab.faults.hands import Cluster, wait_until


class IfaceRegexVeth(DaemonSetChange):
    """`eth1|bond1` is in `veth17f90f70` too. It does no harm while bond1 stands before it, in the kernel's order; a network
    restart makes bond1 anew, behind the veths of all running pods, and at its next start flannel finds the veth first."""

    NAME = "iface-regex-veth"
    BREAKS = "flannel on a node ends at every start: its rule takes a pod's veth, which has no address"
    FINDINGS = ("FLN301", "FLN308")
    ALSO = (
        "FLN401",
        "FLN403",
        "FLN404",
        "FLN406",
        "FLN423",
    )  # with the card went flannel.1 and all it had, and nobody makes it anew
    RULE = "--iface-regex=eth1|bond1"

    def draw(self, lab: Cluster, random: Random) -> Victims:
        """Only nodes whose card is bond1: eth1 stands before every veth. The veth is that of the node's probe pod."""
        bonds = [machine.name for machine in networks.full_nodes(lab.settings) if machine.card == "bond1"]
        victim = random.choice(bonds)
        values = dict(super().draw(lab, random).values)
        veth = hands.shell(lab, victim, "ip -o link show master cni0").split(": ")[1].partition("@")[0]
        mac = hands.shell(lab, victim, "cat /sys/class/net/bond1/address").strip()
        drawn = f"veth1{random.getrandbits(28):07x}"
        return Victims((victim,), {**values, "victim": victim, "veth": veth, "matching": drawn, "mac": mac})

    def operations(self, container: hands.Object, values: Mapping[str, str]) -> list[hands.Object]:
        kept = [arg for arg in container["args"] if not arg.startswith("--iface")]
        return [{"op": "replace", "path": f"{CONTAINER}/args", "value": [*kept, self.RULE]}]

    def shows(self, pod: hands.Object) -> bool:
        return restarts(pod) >= 2

    def inject(self, lab: Cluster, victims: Victims) -> None:
        victim, matching = victims.values["victim"], victims.values["matching"]
        hands.shell(lab, victim, f"ip link set {victims.values['veth']} name {matching}")
        self._restart_network(lab, victims)
        super().inject(lab, victims)
        words = f"failed to find IPv4 address for interface {matching}"
        wait_until(lambda: words in _log(lab, victim) + _log(lab, victim, "--previous"), f"flannel on {victim} says: {words}", 60)

    def _restart_network(self, lab: Cluster, victims: Victims) -> None:
        """bond1 deleted and made anew, with the MAC that it had; flannel.1 goes with it."""
        machine = next(m for m in networks.full_nodes(lab.settings) if m.name == victims.values["victim"])
        hands.shell(lab, machine.name, "ip link del bond1")
        networks.connect_private(lab.places, lab.settings, machine, victims.values["mac"])

    def heal(self, lab: Cluster, victims: Victims) -> None:
        veth, matching = victims.values["veth"], victims.values["matching"]
        hands.shell(lab, victims.values["victim"], f"ip link set {matching} name {veth} || true")
        super().heal(lab, victims)


def _log(lab: Cluster, node: str, *options: str) -> str:
    """What flannel said since its last start, or before it; "" while the runtime is about to remove just that."""
    name = hands.flannel_pods(lab)[node]["metadata"]["name"]
    try:
        return lab.kubectl("-n", hands.FLANNEL[0], "logs", name, *options)
    except hands.LabFailed:
        return ""
