"""The kernel forwards nothing: pods reach their own node only."""

from __future__ import annotations

from tests.lab.faults import EVERY_BACKEND
from tests.lab.faults.kernel import Kernel, Values


class ForwardingOff(Kernel):
    """A hardening script, or a sysctl file that a package brought."""

    NAME = "forwarding-off"
    BREAKS = "ip_forward is off on a node"
    FINDINGS = ("FLN411",)
    KINDS = EVERY_BACKEND

    def breaks(self, values: Values) -> str:
        return "sysctl -qw net.ipv4.ip_forward=0"

    def mends(self, values: Values) -> str:
        """The switch resets rp_filter and the like of each card to the kernel's own for hosts; nothing of it stays."""
        return "sysctl -qw net.ipv4.ip_forward=1"
