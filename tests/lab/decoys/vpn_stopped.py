"""A VPN's device that is down, with its address."""

from __future__ import annotations

from tests.lab.decoys import Decoy
from tests.lab.faults.kernel import Kernel, Values


class VpnStopped(Kernel, Decoy):
    """Its route went with it; nothing goes there."""

    NAME = "vpn-stopped"
    BREAKS = "a device that is down and has an address"
    FINDINGS = ()
    CUTS = ""

    def breaks(self, values: Values) -> str:
        return """ip tuntap add dev tun0 mode tun
ip addr add 10.8.0.6/24 dev tun0"""

    def mends(self, values: Values) -> str:
        return "ip tuntap del dev tun0 mode tun"
