"""Entries of a Node that is gone stay behind in a kernel."""

from __future__ import annotations

from tests.lab.faults.kernel import Kernel, Values


class StaleEntries(Kernel):
    """flannel was not running when the Node was deleted."""

    NAME = "stale-entries"
    BREAKS = "a node keeps route, ARP and FDB entry of a Node that no longer exists"
    FINDINGS = ("FLN405",)
    CUTS = ""
    VARIANTS = ("whole", "without-route")  # neighbour and FDB entry alone do no harm

    def breaks(self, values: Values) -> str:
        base, mac = _gone(values)
        route = f"ip route add {base}/24 via {base} dev flannel.1 onlink" if values["variant"] == "whole" else ""
        return f"""{route}
ip neigh add {base} lladdr {mac} dev flannel.1 nud permanent
bridge fdb add {mac} dst 172.30.8.9 dev flannel.1 self permanent"""

    def mends(self, values: Values) -> str:
        base, mac = _gone(values)
        return f"""ip route del {base}/24
ip neigh del {base} dev flannel.1
bridge fdb del {mac} dev flannel.1"""

    def effect(self, values: Values) -> str:
        return f"ip neigh show {_gone(values)[0]} dev flannel.1 | grep -q PERMANENT"


def _gone(values: Values) -> tuple[str, str]:
    """Base address and MAC of the Node that there was."""
    number = int(values["choice"])
    return f"10.244.{200 + number % 50}.0", f"0a:00:01:00:00:{number % 256:02x}"
