"""A bridge of libvirt's that nothing is connected to."""

from __future__ import annotations

from tests.lab.decoys import Decoy
from tests.lab.faults.kernel import Kernel, Values


class BridgeLeftOver(Kernel, Decoy):
    """Its network touches nobody's podCIDR."""

    NAME = "bridge-left-over"
    BREAKS = "a bridge without ports, with an address of its own"
    FINDINGS = ()
    CUTS = ""

    def breaks(self, values: Values) -> str:
        return """ip link add virbr0 type bridge
ip addr add 192.168.122.1/24 brd + dev virbr0
ip link set virbr0 up"""

    def mends(self, values: Values) -> str:
        return "ip link del virbr0"
