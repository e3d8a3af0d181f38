"""The bridge keeps the address of a podCIDR that the Node had before."""

from __future__ import annotations

from tests.lab.faults import EVERY_BACKEND
from tests.lab.faults.kernel import Kernel, Values


class BridgeAddressOld(Kernel):
    """After a Node came back with another podCIDR and nobody removed cni0."""

    NAME = "bridge-address-old"
    BREAKS = "a node's cni0 has the address of a former podCIDR"
    FINDINGS = ("FLN409",)
    KINDS = EVERY_BACKEND
    CUTS = "in"

    def breaks(self, values: Values) -> str:
        return f"""ip addr del {values["gateway"]}/24 dev cni0
ip addr add 10.244.{200 + int(values["choice"]) % 50}.1/24 brd + dev cni0"""

    def mends(self, values: Values) -> str:
        return f"""ip -4 addr flush dev cni0
ip addr add {values["gateway"]}/24 brd + dev cni0"""
