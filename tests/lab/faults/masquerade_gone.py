"""The masquerade rules are gone, and flannel, which would set them again within seconds, hangs."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class MasqueradeGone(Kernel):
    """A firewall reload on a node whose flanneld does not come to its resync."""

    NAME = "masquerade-gone"
    BREAKS = "a node's masquerade rules are gone and stay so"
    FINDINGS = ("FLN415",)
    CUTS = ""

    def breaks(self, values: Values) -> str:
        return """kill -STOP $(pidof flanneld)
iptables -t nat -D POSTROUTING -m comment --comment 'flanneld masq' -j FLANNEL-POSTRTG
iptables -t nat -F FLANNEL-POSTRTG"""

    def mends(self, values: Values) -> str:
        return "kill -CONT $(pidof flanneld)"

    def effect(self, values: Values) -> str:
        return "! iptables -t nat -S | grep -q MASQUERADE"
