"""flannel.1 is larger than its card allows: a machine was migrated to a network with a smaller MTU."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class MtuAboveParent(Kernel):
    """The card's MTU was lowered after flannel had started; flannel.1 keeps what it had."""

    NAME = "mtu-above-parent"
    BREAKS = "a node's flannel.1 has a larger MTU than its card less 50"
    FINDINGS = ("FLN408",)
    CUTS = ""

    def breaks(self, values: Values) -> str:
        return f"ip link set {values['device']} mtu {1300 + 10 * (int(values['choice']) % 15)}"

    def mends(self, values: Values) -> str:
        return f"ip link set {values['device']} mtu 1500"

    def effect(self, values: Values) -> str:
        return f"test $(cat /sys/class/net/flannel.1/mtu) -gt $(( $(cat /sys/class/net/{values['device']}/mtu) - 50 ))"
