"""The route to a peer's podCIDR is gone: nothing sets it again until flannel hears of that peer."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class RouteDeleted(Kernel):
    """Somebody's `ip route del`, or a network manager that tidies up."""

    NAME = "route-deleted"
    BREAKS = "a node has no route to a peer's pods"
    FINDINGS = ("FLN401",)
    KINDS = ("vxlan", "direct-routing", "dual-stack")  # flannel with host-gw puts it back within ten seconds

    def breaks(self, values: Values) -> str:
        return f"ip route del {values['other_cidr']}"

    def mends(self, values: Values) -> str:
        return f"ip route replace {values['route']}"
