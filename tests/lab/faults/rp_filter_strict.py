"""Strict reverse-path filtering meets an asymmetric path: what comes by the tunnel should have come by the card."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class ReversePathStrict(Kernel):
    """The node sends to a peer's pods directly while the peer answers by the tunnel."""

    NAME = "rp-filter-strict"
    BREAKS = "packets of a peer arrive on another device than the route to it, and are dropped"
    FINDINGS = (
        "FLN402",
        "FLN413",
    )
    CUTS = "in"

    def breaks(self, values: Values) -> str:
        return f"""sysctl -qw net.ipv4.conf.all.rp_filter=1
ip route replace {values["other_cidr"]} via {values["other_ip"]} dev {values["device"]}"""

    def mends(self, values: Values) -> str:
        return f"""sysctl -qw net.ipv4.conf.all.rp_filter=0
ip route replace {values["other_cidr"]} via {values["other_base"]} dev flannel.1 onlink"""
