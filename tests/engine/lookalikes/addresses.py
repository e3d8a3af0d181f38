"""Look-alikes 10 and 13: pools and addresses that look used up, given twice or missing."""

from __future__ import annotations

from msgspec.structs import replace

from flannelscope.model import (
    ServiceCidr,
    Writer,
)
from tests.engine.builders import (
    DAY,
    NOW,
    announced,
    event,
    fleet,
    healthy,
    manager_pod,
    node,
    pod,
    waiting_pod,
)
from tests.engine.lookalikes.frame import Pair, lookalike, with_node


@lookalike("FLN106")
def item_10_a_full_but_fixed_pool() -> Pair:
    """All sixteen blocks are taken, nobody joined for months and nobody waits; corrupted: one more Node waits."""
    nodes = [replace(n, created=NOW - 200 * DAY) for n in fleet(16, first=0)]
    manager = manager_pod("--cluster-cidr=10.244.0.0/20")
    taken = healthy(nodes, control_plane_pods=[manager])
    late = node("w999", ip="10.20.9.9", created=NOW - 600)
    corrupted = healthy([*nodes, late], control_plane_pods=[manager])
    return taken, corrupted


@lookalike("FLN102")
def item_10_podcidrs_by_hand_of_mixed_masks() -> Pair:
    """The manager hands out nothing; whoever does uses several masks. Corrupted: one of them lies in another."""
    nodes = [
        announced(node(f"w{i}", block, ip=f"10.20.0.{i}", writers=(Writer("kubectl-patch", "podCIDR", "Update", NOW - DAY),)))
        for i, block in enumerate(("10.244.0.0/23", "10.244.2.0/24", "10.244.3.0/26", "10.244.3.64/26"), start=1)
    ]
    taken = healthy(nodes, control_plane_pods=[manager_pod("--allocate-node-cidrs=false")])
    return taken, with_node(taken, replace(nodes[2], pod_cidrs=("10.244.2.128/26",)))


@lookalike("FLN108")
def item_10_service_range_inside_the_cluster_cidr() -> Pair:
    """The manager knows the service range and leaves its blocks out; corrupted: a Node holds one of them."""
    manager = manager_pod("--service-cluster-ip-range=10.244.240.0/20")
    ranges = (ServiceCidr("kubernetes", ("10.244.240.0/20",)),)
    taken = healthy(fleet(4), control_plane_pods=[manager], service_cidrs=ranges, kubernetes_service_ips=("10.244.240.1",))
    return taken, with_node(taken, replace(taken.nodes[3], pod_cidrs=("10.244.241.0/24",)))


@lookalike("FLN106")
def item_10_an_old_want_of_blocks_since_solved() -> Pair:
    """CIDRNotAvailable was said of a Node that has its podCIDR by now; corrupted: it still has none."""
    nodes = fleet(4)
    said = event("CIDRNotAvailable", nodes[3], "Node w004 status is now: CIDRNotAvailable", ago=1500, component="cidrAllocator")
    taken = healthy(nodes, events=[said])
    waiting = replace(nodes[3], pod_cidrs=(), annotations={})
    return taken, with_node(taken, waiting)


@lookalike("FLN112")
def item_13_addresses_of_finished_pods_in_use_again() -> Pair:
    """Succeeded, failed, terminating and hostNetwork pods show addresses that others use. Corrupted: one is Running."""
    nodes = fleet(3)
    done = pod("export-1", nodes[0], "10.244.1.9", phase="Succeeded", owner_kind="Job")
    others = [
        pod("export-2", nodes[0], "10.244.1.9", phase="Failed"),
        pod("cart-0", nodes[0], "10.244.1.9", deleting=True),
        pod("cart-1", nodes[0], "10.244.1.9"),
        pod("exporter-1", nodes[1], "10.20.0.2", host_network=True),
        pod("exporter-2", nodes[1], "10.20.0.2", host_network=True),
    ]
    taken = healthy(nodes, pods=[done, *others])
    return taken, replace(taken, pods=(replace(done, phase="Running"), *others))


@lookalike("FLN114")
def item_13_pods_that_wait_for_a_secret() -> Pair:
    """No address yet, because a Secret is missing: nothing to do with the network. Corrupted: the sandbox fails."""
    nodes = fleet(3)
    stuck = waiting_pod("api-0", nodes[1])
    mount = event("FailedMount", stuck, 'MountVolume.SetUp failed for volume "tls": secret "api-tls" not found')
    sandbox = event("FailedCreatePodSandBox", stuck, "failed to setup network for sandbox: open /run/flannel/subnet.env")
    taken = healthy(nodes, pods=[stuck], events=[mount])
    return taken, replace(taken, events=(mount, sandbox))
