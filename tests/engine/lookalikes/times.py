"""Look-alikes 11, 12, 15 and 16: what was not yet, what is no more, what is just being done."""

from __future__ import annotations

from msgspec.structs import replace

from flannelscope.model import (
    Snapshot,
    Taint,
)
from tests.engine.builders import (
    DAY,
    NOW,
    announced,
    crashing,
    daemonset,
    event,
    flannel_pod,
    fleet,
    healthy,
    lease,
    net_conf,
    node,
    pod,
    running,
    waiting_pod,
)
from tests.engine.lookalikes.frame import Pair, heartbeats, lookalike, with_node


@lookalike("FLN105")
def item_11_a_node_of_sixty_seconds() -> Pair:
    """No podCIDR yet, flannel restarted twice, "cni not initialized"; corrupted: the same an hour later."""
    return _new_node(60), _new_node(3600)


def _new_node(age: float) -> Snapshot:
    joined = NOW - age
    new = node(
        "w009",
        ip="10.20.0.9",
        created=joined,
        ready="False",
        ready_reason="KubeletNotReady",
        ready_message="container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
        "message:Network plugin returns error: cni plugin not initialized",
        ready_since=joined,
        network_unavailable="",
        network_unavailable_reason="",
        taints=(Taint("node.kubernetes.io/not-ready", "", "NoSchedule"),),
    )
    nodes = [*fleet(4), new]
    pods = [flannel_pod(n) for n in nodes[:4]] + [flannel_pod(new, crashing(restarts=2, ended=NOW - 5))]
    agent = waiting_pod("log-agent-x2x4q", new, owner_kind="DaemonSet", since=joined + 1)
    not_ready = event("NetworkNotReady", agent, "network is not ready", ago=5, component="kubelet")
    return healthy(nodes, flannel_pods=pods, pods=[agent], events=[not_ready])


@lookalike("FLN114")
def item_12_a_node_off_for_a_day() -> Pair:
    """Its pods seem to run, to end, or to wait for an address. Corrupted: it is alive, and its kubelet complains."""
    nodes = fleet(4)
    off = replace(nodes[3], ready="Unknown", ready_reason="NodeStatusUnknown", ready_since=NOW - DAY)
    stuck = waiting_pod("cart-3", off, since=NOW - DAY)
    pods = [pod("cart-0", nodes[0], "10.244.1.9"), pod("cart-1", off, "10.244.4.9"), stuck]
    pods.append(pod("cart-2", off, "10.244.4.7", deleting=True))
    last_words = event("FailedCreatePodSandBox", stuck, "failed to setup network for sandbox", ago=DAY)
    flannel_pods = [flannel_pod(n) for n in nodes]
    taken = healthy(
        [*nodes[:3], off],
        leases=[*heartbeats(nodes[:3]), lease(off, ago=DAY)],
        pods=pods,
        flannel_pods=flannel_pods,
        events=[last_words],
    )
    said_again = replace(last_words, last=NOW - 30)
    return taken, healthy(nodes, pods=pods, flannel_pods=flannel_pods, events=[said_again])


@lookalike("FLN204")
def item_12_a_cloud_address_in_use_again() -> Pair:
    """The cloud gave a dead Node's address to a new machine, and the old Node is still there. Corrupted: both live."""
    nodes = fleet(4)
    dead = announced(replace(nodes[3], internal_ips=nodes[2].internal_ips, ready="Unknown", ready_since=NOW - DAY))
    taken = healthy([*nodes[:3], dead], leases=[*heartbeats(nodes[:3]), lease(dead, ago=DAY)])
    return taken, healthy([*nodes[:3], replace(dead, ready="True")])


@lookalike("FLN110")
def item_15_the_configmap_applied_again_unchanged() -> Pair:
    """It was written minutes ago, the daemons run for weeks: content counts, not time. Corrupted: another Network."""
    taken = healthy(config_maps=[replace(net_conf(), written=NOW - 300)])
    return taken, replace(taken, config_maps=(replace(net_conf("10.32.0.0/16"), written=NOW - 300),))


@lookalike("FLN314")
def item_15_an_ordinary_rolling_update() -> Pair:
    """Two releases while the DaemonSet rolls out, and an OOM 200 days ago. Corrupted: two daemons on one node."""
    nodes = fleet(4)
    old_image = "ghcr.io/flannel-io/flannel:v0.28.9"
    old = running(image=old_image, restarts=1, last_reason="OOMKilled", last_exit_code=137, last_finished=NOW - 200 * DAY)
    pods = [
        flannel_pod(nodes[0]),
        flannel_pod(nodes[1], running(since=NOW - 90)),
        *(flannel_pod(n, old, image=old_image) for n in nodes[2:]),
    ]
    rolling = daemonset(4, updated=2, available=4, generation=2, observed_generation=2)
    taken = healthy(nodes, flannel_pods=pods, daemonsets=[rolling])
    second = flannel_pod(nodes[0], namespace="kube-system")
    return taken, replace(
        taken,
        flannel_pods=(*taken.flannel_pods, second),
        daemonsets=(*taken.daemonsets, daemonset(4, namespace="kube-system", desired=1, current=1, updated=1, available=1)),
    )


@lookalike("FLN305")
def item_16_a_node_under_maintenance() -> Pair:
    """Cordoned, drained, with kured's lock held; corrupted: flannel was drained away too and does not come back."""
    nodes = fleet(4)
    cordon = (Taint("node.kubernetes.io/unschedulable", "", "NoSchedule"),)
    kept = replace(nodes[3], unschedulable=True, taints=cordon)
    lock = {"weave.works/kured-node-lock": '{"nodeID":"w004"}'}
    kured = daemonset(4, namespace="kube-system", name="kured", annotations=lock, containers=(), config_maps=(), labels={})
    pods = [flannel_pod(n) for n in nodes]
    taken = healthy([*nodes[:3], kept], flannel_pods=pods, daemonsets=[daemonset(4), kured])
    three = daemonset(4, current=3, updated=3, available=3)
    return taken, with_node(replace(taken, flannel_pods=tuple(pods[:3]), daemonsets=(three,)), nodes[3])
