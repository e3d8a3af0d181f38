"""The range of podCIDRs was widened with a mask that made each block 256 times as large: soon there were none left."""

from __future__ import annotations

from tests.lab.faults.hands import Cluster, wait_until
from tests.lab.faults.pool_exhausted import refused, waiting
from tests.lab.incidents import Incident
from tests.lab.objects import bare_node

OLD = tuple(f"old-{number}" for number in range(1, 4))
WIDE = tuple(f"wide-{number:02d}" for number in range(1, 17))


class PodCidrExhaustion(Incident):
    """10.244.0.0/16 in /24; then 10.244.0.0/12 in /16: sixteen blocks, one of them full of the old Nodes; then people join."""

    NAME = "podcidr-exhaustion"
    CALL = "We added machines tonight. The last ones joined, and no pod starts on them; flannel there ends at once."
    FINDINGS = ("FLN106", "FLN104", "FLN110")

    def stage(self, lab: Cluster) -> None:
        lab.create_and_await([bare_node(name) for name in OLD])
        lab.controller_manager(cluster_cidr="10.244.0.0/12", node_cidr_mask_size="16")
        lab.create(*(bare_node(name) for name in WIDE))
        wait_until(lambda: sum(bool(lab.pod_cidrs()[name]) for name in WIDE) == 15, "fifteen Nodes have a /16")
        wait_until(lambda: refused(lab) >= waiting(lab), "the allocator refused those who wait")
