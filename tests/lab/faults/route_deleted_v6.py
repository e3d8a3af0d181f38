"""The IPv6 route to one peer's pods is gone, and that of IPv4 is there."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class RouteDeletedV6(Kernel):
    """Half of what a dual-stack cluster has: whoever looks at IPv4 alone sees nothing."""

    NAME = "route-deleted-v6"
    BREAKS = "a node has no IPv6 route to a peer's pods"
    FINDINGS = ("FLN401",)
    KINDS = ("dual-stack",)
    FAMILY = 6

    def breaks(self, values: Values) -> str:
        return f"ip -6 route del {values['other_cidr6']}"

    def mends(self, values: Values) -> str:
        return f"ip -6 route replace {values['route6']}"
