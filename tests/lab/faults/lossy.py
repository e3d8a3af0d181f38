"""A fifth of the overlay packets that reach a node are lost."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class Lossy(Kernel):
    """A cable, a card, or a queue that overflows."""

    NAME = "lossy"
    BREAKS = "20 % of the packets to a node's pods are lost"
    FINDINGS = ("FLN509",)
    CUTS = ""

    def breaks(self, values: Values) -> str:
        return """nft -f - <<END
table ip loss {
  chain input {
    type filter hook input priority -300; policy accept;
    udp dport 8472 numgen random mod 100 < 20 counter drop
  }
}
END"""

    def mends(self, values: Values) -> str:
        return "nft delete table ip loss"

    def effect(self, values: Values) -> str:
        return "nft list table ip loss | grep -q numgen"
