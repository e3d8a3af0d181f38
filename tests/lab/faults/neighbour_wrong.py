"""The ARP entry of a peer's base address names another MAC."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class NeighbourWrong(Kernel):
    """The entry of a device that the peer had before it was made anew."""

    NAME = "neighbour-wrong"
    BREAKS = "a node's ARP entry for a peer is not the peer's VtepMAC"
    FINDINGS = ("FLN403",)

    def breaks(self, values: Values) -> str:
        return f"ip neigh replace {values['other_base']} lladdr {_stale(values)} dev flannel.1 nud permanent"

    def mends(self, values: Values) -> str:
        return f"ip neigh replace {values['other_base']} lladdr {values['other_mac']} dev flannel.1 nud permanent"


def _stale(values: Values) -> str:
    return "0a:00:00:" + ":".join(f"{byte:02x}" for byte in int(values["choice"]).to_bytes(3, "big"))
