"""The range of podCIDRs was widened with a mask that made each block 256 times as large: soon there were none left."""

from __future__ import annotations

from tests.lab.faults import hands
from tests.lab.faults.hands import Cluster, wait_until
from tests.lab.faults.pool_exhausted import refused, waiting
from tests.lab.incidents import Incident
from tests.lab.objects import bare_node

OLD = tuple(f"old-{number}" for number in range(1, 4))
WIDE = tuple(f"wide-{number:02d}" for number in range(1, 16))
# What a machine that was just installed does not have: flannel's file for the CNI plugin, and the devices of a pod network.
AS_NEW = "rm -f /run/flannel/subnet.env; for device in cni0 flannel.1; do ip link del $device 2>/dev/null || true; done"


class PodCidrExhaustion(Incident):
    """10.244.0.0/16 in /24; then 10.244.0.0/12 in /16: sixteen blocks, one of them full of the old Nodes, fifteen given to
    Nodes whose machines are not switched on. The lab's last machine joins after them, as new, and gets none."""

    NAME = "podcidr-exhaustion"
    CALL = (
        "We widened the pod range tonight and registered new machines. The wide ones are not switched on yet, the old "
        "ones are off for good. One that runs joined last: it is Ready, but no pod starts on it, and flannel there ends at once."
    )
    FINDINGS = ("FLN106", "FLN104", "FLN110")

    def stage(self, lab: Cluster) -> None:
        last = sorted(hands.nodes(lab))[-1]
        labels = hands.nodes(lab)[last]["metadata"]["labels"]
        lab.create_and_await([bare_node(name) for name in OLD])
        _leave(lab, last)  # before the change: later its /24 would free the whole /16 in which the old Nodes are
        lab.controller_manager(cluster_cidr="10.244.0.0/12", node_cidr_mask_size="16")
        lab.create_and_await([bare_node(name) for name in WIDE])
        lab.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": last, "labels": labels}})
        wait_until(lambda: hands.ready(hands.nodes(lab)[last]), f"{last} is Ready", 120)
        wait_until(lambda: waiting(lab) == {last}, f"{last} alone has no podCIDR", 60)
        wait_until(lambda: refused(lab) >= {last}, f"the allocator refused {last}", 60)
        wait_until(lambda: _flannel_ended(lab, last), f"flannel on {last} ended twice", 180)


def _leave(lab: Cluster, name: str) -> None:
    """Delete a Node, and all that flannel left on its machine."""
    lab.delete_nodes([name])
    wait_until(lambda: name not in hands.flannel_pods(lab), f"flannel's pod on {name} is gone", 120)
    hands.shell(lab, name, AS_NEW)


def _flannel_ended(lab: Cluster, node: str) -> bool:
    pod = hands.flannel_pods(lab).get(node, {"status": {}})
    return any(container["restartCount"] >= 2 for container in pod["status"].get("containerStatuses", []))
