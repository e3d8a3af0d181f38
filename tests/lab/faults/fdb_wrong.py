"""The FDB entry of a peer's VtepMAC leads to an address that is not the peer's."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class FdbWrong(Kernel):
    """The address that the peer's machine had before it moved."""

    NAME = "fdb-wrong"
    BREAKS = "a node's FDB sends a peer's packets to an address that nobody has"
    FINDINGS = ("FLN404",)

    def breaks(self, values: Values) -> str:
        nobody = f"172.30.8.{1 + int(values['choice']) % 250}"
        return f"bridge fdb replace {values['other_mac']} dst {nobody} dev flannel.1 self permanent"

    def mends(self, values: Values) -> str:
        return f"bridge fdb replace {values['other_mac']} dst {values['other_ip']} dev flannel.1 self permanent"
