"""A path lets small packets through and drops large ones without a word."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class LargePacketsLost(Kernel):
    """A router with a smaller MTU whose ICMP a firewall drops."""

    NAME = "large-packets-lost"
    BREAKS = "large overlay packets to a node are lost"
    FINDINGS = ("FLN508",)
    CUTS = "in"
    SIZE = 1372

    def breaks(self, values: Values) -> str:
        return f"""nft -f - <<END
table ip path {{
  chain input {{
    type filter hook input priority -300; policy accept;
    udp dport 8472 meta length > {1000 + int(values["choice"]) % 300} drop
  }}
}}
END"""

    def mends(self, values: Values) -> str:
        return "nft delete table ip path"
