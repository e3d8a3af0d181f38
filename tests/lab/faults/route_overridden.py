"""A more specific route draws a peer's packets away from the tunnel."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class RouteOverridden(Kernel):
    """A VPN client, or a static route from another time: half of the peer's block leaves by the public card."""

    NAME = "route-overridden"
    BREAKS = "a more specific route leads a peer's pods elsewhere"
    FINDINGS = ("FLN402",)

    def breaks(self, values: Values) -> str:
        return f"ip route add {_half(values)} dev eth0"

    def mends(self, values: Values) -> str:
        return f"ip route del {_half(values)} dev eth0"


def _half(values: Values) -> str:
    """The lower half, quarter, or eighth of the peer's block: its first pod is in it."""
    return f"{values['other_base']}/{25 + int(values['choice']) % 3}"
