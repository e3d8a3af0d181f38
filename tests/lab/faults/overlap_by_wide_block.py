"""A Node holds a /16 that contains everybody else's /24: what an allocator with another mask once gave."""

from __future__ import annotations

from functools import partial
from random import Random

from tests.lab.faults import Fault, Victims, bare, hands
from tests.lab.faults.hands import Cluster


class OverlapByWideBlock(Fault):
    """Peers route the /16 to it, and all that no /24 holds."""

    NAME = "overlap-by-16"
    BREAKS = "a Node holds the whole /16 that the other Nodes' podCIDRs lie in"
    FINDINGS = ("FLN102",)
    ALSO = ("FLN107", "FLN311")  # it holds all of the range; see heal
    PAIRS = False

    def draw(self, lab: Cluster, random: Random) -> Victims:
        values = bare.drawn(random)
        return Victims((values["bare"], *sorted(lab.pod_cidrs())), values)

    def inject(self, lab: Cluster, victims: Victims) -> None:
        bare.create(lab, victims.values, "10.244.0.0/16")

    def heal(self, lab: Cluster, victims: Victims) -> None:
        """A Node whose block begins where the wide one begins shares its gateway: peers drop that ARP entry with the wide one.

        Its own flannel cannot set a route by its own address: it tries for minutes, nothing else is done meanwhile, and what it
        had set before stays behind.
        """
        lab.delete_nodes([victims.values["bare"]])
        shared = [name for name, cidr in lab.pod_cidrs().items() if cidr.startswith("10.244.0.0/")]
        for peer in sorted(set(hands.nodes(lab)) - set(shared)):
            gone = partial(hands.holds, lab, peer, "! ip route | grep -q ^10.244.0.0/16")
            hands.wait_until(gone, f"{peer} forgot the /16", 60)
        for name in shared:
            lab.restart_flannel(name)
            mac = victims.values["mac"]
            hands.shell(lab, name, f"ip neigh del 10.244.0.0 dev flannel.1 || true; bridge fdb del {mac} dev flannel.1 || true")
            bare.touch(lab, name)
