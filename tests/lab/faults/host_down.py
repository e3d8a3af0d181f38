"""A machine is cut off from both of its networks, as when it has lost power."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class HostDown(Kernel):
    """Its cards are down; its kubelet and its flannel speak to nobody."""

    NAME = "host-down"
    BREAKS = "a machine answers nobody"
    FINDINGS = ("FLN510",)
    KINDS = ("vxlan", "host-gw")  # elsewhere flannel sets what went with the card at its next start only
    CUTS = "in"

    def breaks(self, values: Values) -> str:
        return f"ip link set eth0 down; ip link set {values['device']} down"

    def mends(self, values: Values) -> str:
        return f"""ip link set eth0 up; ip link set {values["device"]} up
ip route replace default via 198.18.0.1 dev eth0"""
