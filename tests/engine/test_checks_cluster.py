"""FLN601 to FLN605: what happens around the network, and what could not be looked at."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flannelscope.checks.fln603_cannot_look import PURPOSE
from flannelscope.model import CLUSTER, Container, DaemonSet, Gap, Node, Pod, PodDetail, Severity, Snapshot, Taint, Topic

from .builders import (
    DAY,
    NOW,
    announced,
    daemonset,
    findings,
    flannel_container,
    fleet,
    healthy,
    lease,
    node,
    nodes_of,
    pod,
    snapshot,
)

W1, W2, W3 = fleet(3)
NO_CNI = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized"


def other(name: str, image: str, namespace: str = "kube-system", **annotations: str) -> DaemonSet:
    """A DaemonSet that is not flannel's."""
    return daemonset(3, name=name, namespace=namespace, containers=(Container(name=name, image=image),), annotations=annotations)


# FLN601 node-not-ready


@pytest.mark.parametrize(
    ("ready", "says"),
    [("False", "KubeletNotReady"), ("Unknown", "is silent since 2026-09-21T14:03:20Z"), ("", "has never reported its state")],
)
def test_601_as_the_api_says(ready: str, says: str) -> None:
    odd = replace(W2, ready=ready, ready_reason="KubeletNotReady", ready_since=NOW - 600 if ready else None)
    [found] = findings(healthy([W1, odd]), "FLN601")
    assert (found.severity, found.nodes) == (Severity.INFO, ("w002",))
    assert says in found.summary


@pytest.mark.parametrize(("seconds", "severity"), [(600, Severity.CRITICAL), (200, Severity.INFO)])
def test_601_without_a_pod_network_for_five_minutes(seconds: float, severity: Severity) -> None:
    odd = replace(W2, ready="False", ready_reason="KubeletNotReady", ready_message=NO_CNI, ready_since=NOW - seconds)
    [found] = findings(healthy([W1, odd]), "FLN601")
    assert found.severity == severity
    assert found.remedy is not None
    assert "kubectl -n kube-flannel describe pod kube-flannel-ds-w002" in found.remedy.commands


def test_601_a_silent_kubelets_old_message_is_no_present_reason() -> None:
    odd = replace(W2, ready="Unknown", ready_message=NO_CNI, ready_since=NOW - 600)
    assert [f.severity for f in findings(healthy([W1, odd]), "FLN601")] == [Severity.INFO]


def test_601_ready_nodes() -> None:
    assert findings(healthy(), "FLN601") == []


# FLN602 another-hand-at-work


def kured(lock: str) -> DaemonSet:
    return other("kured", "ghcr.io/kubereboot/kured:1.17.0", **{"weave.works/kured-node-lock": lock})


def test_602_kured_holds_its_lock() -> None:
    taken = healthy(daemonsets=[daemonset(3), kured('{"nodeID":"w002","metadata":{},"created":"2026-09-21T14:00:00Z","TTL":0}')])
    [found] = findings(taken, "FLN602")
    assert (found.severity, found.nodes) == (Severity.INFO, ("w002",))


def test_602_kureds_lock_on_a_node_that_is_gone_or_unreadable() -> None:
    for lock in ('{"nodeID":"w999"}', "locked by hand"):
        [found] = findings(healthy(daemonsets=[kured(lock)]), "FLN602")
        assert found.subjects == (CLUSTER,)


@pytest.mark.parametrize("lock", ["", "{}"])
def test_602_a_released_lock(lock: str) -> None:
    assert findings(healthy(daemonsets=[kured(lock)]), "FLN602") == []


@pytest.mark.parametrize(
    ("changes", "hand"),
    [
        ({"taints": (Taint("medik8s.io/drain", "", "NoSchedule"),)}, "Node-maintenance"),
        ({"taints": (Taint("ToBeDeletedByClusterAutoscaler", "1", "NoSchedule"),)}, "cluster autoscaler"),
        ({"annotations": {"flannelscope.io/lock": "ops@bastion"}}, "its own lock"),
    ],
)
def test_602_marks_on_nodes(changes: dict[str, object], hand: str) -> None:
    [found] = findings(healthy([W1, replace(W2, **changes)]), "FLN602")
    assert found.nodes == ("w002",)
    assert hand in found.summary


def draining(*pods: Pod, unschedulable: bool = True) -> Snapshot:
    return healthy([W1, replace(W2, unschedulable=unschedulable)], pods=pods)


def test_602_a_drain_is_a_cordon_with_pods_leaving() -> None:
    [found] = findings(draining(pod("web-1", W2, "10.244.2.7", deleting=True)), "FLN602")
    assert found.nodes == ("w002",)
    assert "A drain" in found.summary


def test_602_neither_alone_is_a_drain() -> None:
    assert findings(draining(), "FLN602") == []
    assert findings(draining(pod("web-1", W2, "10.244.2.7")), "FLN602") == []
    assert findings(draining(pod("web-1", W2, deleting=True), unschedulable=False), "FLN602") == []
    assert findings(draining(pod("log-1", W2, deleting=True, owner_kind="DaemonSet")), "FLN602") == []


# FLN603 cannot-look


def test_603_missing_rights_are_one_finding() -> None:
    gaps = [
        Gap(Topic.DAEMONSETS, "daemonsets.apps is forbidden", verb="list", resource="daemonsets.apps"),
        Gap(Topic.EVENTS, "events is forbidden", verb="list", resource="events"),
        Gap(Topic.EVENTS, "events is forbidden", verb="watch", resource="events"),
    ]
    [found] = findings(snapshot([W1], gaps=gaps), "FLN603")
    assert (found.severity, found.subjects) == (Severity.INFO, (CLUSTER,))
    assert "list daemonsets.apps, list events, watch events" in found.summary
    assert PURPOSE[Topic.DAEMONSETS] in found.summary
    assert PURPOSE[Topic.PODS] not in found.summary
    assert len(found.evidence) == 3
    assert found.remedy is not None
    assert found.remedy.commands[0] == "flannelscope rbac read"


def test_603_a_time_out_is_no_missing_right() -> None:
    assert findings(snapshot([W1], gaps=[Gap(Topic.PODS, "the server did not answer in 15 s")]), "FLN603") == []


def test_603_every_topic_has_a_purpose() -> None:
    assert set(PURPOSE) == set(Topic)


def test_603_is_said_even_where_nodes_may_not_be_read() -> None:
    gaps = [Gap(Topic.NODES, "nodes is forbidden", verb="list", resource="nodes")]
    assert len(findings(snapshot(topics=[], gaps=gaps), "FLN603")) == 1


# FLN604 left-over-node


def silent(what: Node, hours: float) -> Snapshot:
    """A cluster in which this Node's kubelet has been silent for so long."""
    gone = replace(what, ready="Unknown", ready_since=NOW - hours * 3600 + 40)
    return healthy([W1, gone], leases=[lease(W1), lease(gone, ago=hours * 3600)])


def test_604_a_member_that_is_silent_for_over_a_day() -> None:
    [found] = findings(silent(W2, 25), "FLN604")
    assert (found.severity, found.nodes) == (Severity.INFO, ("w002",))
    assert "still holds 10.244.2.0/24" in found.summary
    assert found.remedy is not None
    assert "FLN101" in found.remedy.caution


def test_604_a_day_has_24_hours() -> None:
    assert findings(silent(W2, 23), "FLN604") == []


def test_604_one_that_is_no_member_holds_no_route() -> None:
    assert findings(silent(node("w9", "10.244.9.0/24"), 48), "FLN604") == []


def test_604_a_node_object_for_which_no_kubelet_ever_spoke() -> None:
    made = announced(node("f5", "10.244.9.0/24", ip="10.20.9.9", ready="", ready_since=None, created=NOW - 3 * DAY))
    assert nodes_of(findings(healthy([W1, made], leases=[lease(W1)]), "FLN604")) == [("f5",)]


def test_604_without_leases_only_the_ready_condition_counts() -> None:
    topics = [t for t in Topic if t is not Topic.LEASES]
    gone = replace(W2, ready="Unknown", ready_since=NOW - 2 * DAY)
    assert nodes_of(findings(healthy([W1, gone], leases=[], topics=topics), "FLN604")) == [("w002",)]
    assert findings(healthy([W1, replace(W2, ready="")], leases=[], topics=topics), "FLN604") == []


# FLN605 policy-not-enforced


def test_605_policies_and_nobody_to_enforce_them() -> None:
    [found] = findings(healthy(network_policies=3), "FLN605")
    assert (found.severity, found.subjects) == (Severity.INFO, (CLUSTER,))
    assert "There are 3 NetworkPolicies" in found.summary


@pytest.mark.parametrize(
    "engine",
    [
        other("calico-node", "docker.io/calico/node:v3.28.0"),
        other("cilium", "quay.io/cilium/cilium:v1.16.1"),
        other("kube-router", "docker.io/cloudnativelabs/kube-router:v2.2"),
        other("kube-network-policies", "registry.k8s.io/networking/kube-network-policies:v0.7.0"),
        daemonset(
            3,
            containers=(
                flannel_container(),
                Container(name="kube-network-policies", image="registry.k8s.io/networking/kube-network-policies:v0.7.0"),
            ),
        ),
    ],
)
def test_605_an_engine_is_there(engine: DaemonSet) -> None:
    assert findings(healthy(network_policies=3, daemonsets=[daemonset(3), engine]), "FLN605") == []


def test_605_an_engine_without_a_daemonset() -> None:
    detail = PodDetail(containers=(Container(name="kube-router", image="cloudnativelabs/kube-router:v2.2"),))
    static = pod("kube-router-w001", W1, namespace="kube-system", host_network=True, detail=detail)
    assert findings(healthy(network_policies=1, pods=[static]), "FLN605") == []


def test_605_canal_and_k3s_bring_their_own() -> None:
    canal = daemonset(3, name="canal", namespace="kube-system", containers=(flannel_container(), Container(name="calico-node")))
    assert findings(healthy(network_policies=3, daemonsets=[canal], flannel_pods=[]), "FLN605") == []
    k3s = [replace(n, annotations={**n.annotations, "k3s.io/node-args": "[]"}) for n in fleet(2)]
    assert findings(snapshot(k3s, network_policies=3), "FLN605") == []


@pytest.mark.parametrize("number", [0, None])
def test_605_no_policies(number: int | None) -> None:
    assert findings(healthy(network_policies=number), "FLN605") == []


def test_605_a_cluster_without_flannel_is_not_its_matter() -> None:
    assert findings(snapshot([node("w1", "10.0.0.0/24")], network_policies=3), "FLN605") == []
