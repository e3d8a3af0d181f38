"""Some firewall drops what is forwarded between pods."""

from __future__ import annotations

from tests.lab.faults import EVERY_BACKEND
from tests.lab.faults.kernel import Kernel, Values

RULES = {
    "iptables-nft": ("iptables-nft -I FORWARD -s 10.244.0.0/16 -j DROP", "iptables-nft -D FORWARD -s 10.244.0.0/16 -j DROP"),
    "iptables-legacy": ("iptables-legacy -I FORWARD -i cni0 -j REJECT", "iptables-legacy -D FORWARD -i cni0 -j REJECT"),
    "nft": (
        "nft 'add table ip hardening; add chain ip hardening forward { type filter hook forward priority 10; policy drop; }'",
        "nft delete table ip hardening",
    ),
}


class ForwardDropped(Kernel):
    """In one of the three worlds of rules that a kernel has side by side."""

    NAME = "forward-dropped"
    BREAKS = "a node's firewall drops forwarded packets of pods"
    FINDINGS = ("FLN412",)
    KINDS = EVERY_BACKEND
    VARIANTS = tuple(RULES)

    def breaks(self, values: Values) -> str:
        return RULES[values["variant"]][0]

    def mends(self, values: Values) -> str:
        return RULES[values["variant"]][1]
