"""UDP 8472 is dropped on its way into a node, out of it, or both."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class OverlayPortBlocked(Kernel):
    """A security group or a host firewall that does not know vxlan."""

    NAME = "overlay-port-blocked"
    BREAKS = "a node's UDP 8472 is dropped, one way or both ways"
    FINDINGS = ("FLN414",)
    CUTS = "in"
    VARIANTS = ("incoming", "outgoing", "both")

    def breaks(self, values: Values) -> str:
        return "\n".join(f"iptables -I {rule}" for rule in _rules(values))

    def mends(self, values: Values) -> str:
        return "\n".join(f"iptables -D {rule}" for rule in _rules(values))


def _rules(values: Values) -> list[str]:
    rules = [f"{chain} -p udp --dport 8472 -j DROP" for chain in ("INPUT", "OUTPUT")]
    return {"incoming": rules[:1], "outgoing": rules[1:], "both": rules}[values["variant"]]
