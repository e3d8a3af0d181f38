"""A node's tunnel is up and empty: nobody's entries are in it."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class PeersForgotten(Kernel):
    """What a network restart leaves, while flannel believes that all is set."""

    NAME = "peers-forgotten"
    BREAKS = "a node has lost the entries of all its peers"
    FINDINGS = ("FLN423",)
    RESTART = True

    def breaks(self, values: Values) -> str:
        return """ip route show dev flannel.1 | while read net rest; do ip route del $net dev flannel.1; done
ip neigh flush dev flannel.1 nud permanent
bridge fdb show dev flannel.1 | while read mac rest; do bridge fdb del $mac dev flannel.1; done"""

    def mends(self, values: Values) -> str:
        return "true"

    def effect(self, values: Values) -> str:
        return "! ip route show dev flannel.1 | grep -q via"
