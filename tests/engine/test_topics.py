"""What is asked for each topic, of old and new servers, and what a refusal costs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope.collect import collect
from flannelscope.errors import CannotRead, Refused
from flannelscope.events import GapFound, Grown
from flannelscope.model import IN_API, Snapshot, Topic
from flannelscope.sources.topics.pods import suspects
from tests.engine.api_objects import (
    DAEMON_SETS,
    EVENTS,
    NODES,
    PODS,
    Read,
    a_node,
    a_pod,
    flannel_daemonset,
    flannel_pod,
    read,
    source,
)
from tests.engine.builders import node
from tests.fakes.api_server import Answer, FakeApi, Json

FLANNEL_PODS = "/api/v1/namespaces/kube-flannel/pods"
SYSTEM_PODS = "/api/v1/namespaces/kube-system/pods"
FLANNEL_CONFIG = "/api/v1/namespaces/kube-flannel/configmaps/kube-flannel-cfg"
MANAGER_LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager"
NODE_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
SERVICE_CIDRS = "/apis/networking.k8s.io/{}/servicecidrs"
POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"


def lease(namespace: str, name: str) -> Json:
    spec = {"holderIdentity": name, "renewTime": "2020-11-21T12:00:00.000000Z", "leaseDurationSeconds": 40}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """A small cluster with flannel."""
    with FakeApi() as made:
        made.has("/version", {"major": "1", "minor": "27+", "gitVersion": "v1.27.3-eks"})
        made.has("/api/v1/namespaces/kube-system", {"metadata": {"name": "kube-system", "uid": "the-uid"}})
        made.hold(NODES, "NodeList", [a_node("w1"), a_node("w2", "10.244.2.0/24")])
        made.hold(DAEMON_SETS, "DaemonSetList", [flannel_daemonset()])
        made.hold(SYSTEM_PODS, "PodList", [])
        made.has(MANAGER_LEASE, lease("kube-system", "kube-controller-manager"))
        made.has(
            FLANNEL_CONFIG,
            {"metadata": {"name": "kube-flannel-cfg", "namespace": "kube-flannel"}, "data": {"net-conf.json": "{}"}},
        )
        made.hold(FLANNEL_PODS, "PodList", [flannel_pod()])
        made.hold(NODE_LEASES, "LeaseList", [lease("kube-node-lease", "w1"), lease("kube-node-lease", "w2")])
        made.has(
            "/api/v1/namespaces/default/services/kubernetes",
            {"metadata": {"name": "kubernetes"}, "spec": {"clusterIP": "10.96.0.1"}},
        )
        made.hold(EVENTS, "EventList", [])
        made.hold(POLICIES, "NetworkPolicyList", [])
        made.hold(PODS, "PodList", [a_pod("p1"), flannel_pod()])
        yield made


def grow(api: FakeApi, **settings: Any) -> tuple[Snapshot, list[Any]]:
    """The Snapshot at the end of a whole collection, and all events."""
    snapshot, events = Snapshot(), []
    with source(api, **settings) as made:
        for event in collect(made, snapshot, threading.Event()):
            events.append(event)
            if isinstance(event, Grown):
                snapshot = event.snapshot
            elif isinstance(event, GapFound):
                snapshot = replace(snapshot, gaps=(*snapshot.gaps, event.gap))
    return snapshot, events


def test_everything_is_read_and_nothing_is_missing(api: FakeApi) -> None:
    snapshot, _ = grow(api)
    assert snapshot.gaps == ()
    assert {topic for topic in Topic if snapshot.has(topic)} == set(IN_API)
    assert snapshot.cluster.uid == "the-uid"
    assert (snapshot.cluster.version, snapshot.cluster.major, snapshot.cluster.minor) == ("v1.27.3-eks", 1, 27)
    assert [n.name for n in snapshot.nodes] == ["w1", "w2"]
    assert [p.name for p in snapshot.flannel_pods] == ["kube-flannel-x"]
    assert {(item.namespace, item.name) for item in snapshot.leases} == {
        ("kube-system", "kube-controller-manager"),
        ("kube-node-lease", "w1"),
        ("kube-node-lease", "w2"),
    }
    assert [c.name for c in snapshot.config_maps] == ["kube-flannel-cfg"]
    assert snapshot.kubernetes_service_ips == ("10.96.0.1",)
    assert snapshot.network_policies == 0
    assert len(snapshot.pods) == 2


def test_nodes_come_before_pods_and_pods_last(api: FakeApi) -> None:
    with source(api) as made:
        topics = list(made.topics())
    assert topics[:2] == [Topic.VERSION, Topic.NODES]
    assert topics[-1] == Topic.PODS
    assert set(topics) == set(IN_API)


def test_every_request_is_a_get_and_no_secret_is_asked_for(api: FakeApi) -> None:
    grow(api)
    assert {request.method for request in api.requests} == {"GET"}
    assert not [request for request in api.requests if "secret" in request.path]


def test_the_servers_clock_is_the_snapshots(api: FakeApi) -> None:
    api.always("/version", Answer(body=b'{"gitVersion":"v1.19.0"}', headers={"Date": "Sat, 21 Nov 2020 12:00:00 GMT"}))
    with source(api) as made:
        made.transport.clock.hear("Sat, 21 Nov 2020 12:00:00 GMT")
        assert made.transport.clock.now() == pytest.approx(1605960000, abs=5)


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_service_cidrs_are_found_in_whatever_version_there_is(api: FakeApi, version: str) -> None:
    api.hold(
        SERVICE_CIDRS.format(version),
        "ServiceCIDRList",
        [{"metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.96.0.0/12"]}}],
    )
    with source(api) as made:
        got = read(made, Topic.SERVICES)
    assert [c.cidrs for c in got.fields["service_cidrs"]] == [("10.96.0.0/12",)]
    assert not got.parts[-1].reading.absent


def test_a_server_without_service_cidrs_is_no_gap(api: FakeApi) -> None:
    with source(api) as made:
        got = read(made, Topic.SERVICES)
    assert (got.gaps, got.parts[-1].reading.absent, got.parts[-1].reading.complete) == ([], True, True)


def test_a_refusal_of_a_kind_that_does_not_exist_is_no_gap(api: FakeApi) -> None:
    for version in ("v1", "v1beta1", "v1alpha1"):
        api.always(SERVICE_CIDRS.format(version), Answer(403))
    api.has("/apis/networking.k8s.io/v1", {"resources": [{"name": "networkpolicies"}]})
    with source(api) as made:
        got = read(made, Topic.SERVICES)
    assert (got.gaps, got.parts[-1].reading.absent) == ([], True)


def test_a_refusal_of_a_kind_that_exists_is_one(api: FakeApi) -> None:
    api.always(SERVICE_CIDRS.format("v1"), Answer(403))
    api.has("/apis/networking.k8s.io/v1", {"resources": [{"name": "servicecidrs"}]})
    with source(api) as made:
        got = read(made, Topic.SERVICES)
    assert [(gap.verb, gap.resource) for gap in got.gaps] == [("list", "servicecidrs")]


@pytest.mark.parametrize(
    ("path", "topic", "verb", "resource"),
    [
        (NODES, Topic.NODES, "list", "nodes"),
        (DAEMON_SETS, Topic.DAEMONSETS, "list", "daemonsets"),
        (SYSTEM_PODS, Topic.CONTROL_PLANE, "list", "pods in namespace kube-system"),
        (MANAGER_LEASE, Topic.CONTROL_PLANE, "get", "leases/kube-controller-manager in namespace kube-system"),
        (FLANNEL_CONFIG, Topic.CONFIGURATION, "get", "configmaps/kube-flannel-cfg in namespace kube-flannel"),
        (FLANNEL_PODS, Topic.FLANNEL_PODS, "list", "pods in namespace kube-flannel"),
        (NODE_LEASES, Topic.LEASES, "list", "leases in namespace kube-node-lease"),
        ("/api/v1/namespaces/default/services/kubernetes", Topic.SERVICES, "get", "services/kubernetes in namespace default"),
        (EVENTS, Topic.EVENTS, "list", "events"),
        (POLICIES, Topic.POLICIES, "list", "networkpolicies"),
        (PODS, Topic.PODS, "list", "pods"),
        ("/api/v1/namespaces/kube-system", Topic.VERSION, "get", "namespaces/kube-system"),
    ],
)
def test_a_missing_right_is_named_and_everything_else_is_read(
    api: FakeApi, path: str, topic: Topic, verb: str, resource: str
) -> None:
    api.always(path, Answer(403))
    snapshot, _ = grow(api)
    assert [(gap.topic, gap.verb, gap.resource) for gap in snapshot.gaps] == [(topic, verb, resource)]
    assert {t for t in Topic if snapshot.has(t)} >= set(IN_API) - {topic}


def test_a_mere_guess_that_is_refused_is_no_gap(api: FakeApi) -> None:
    api.always("/api/v1/namespaces/kube-system/configmaps/canal-config", Answer(403))
    assert grow(api)[0].gaps == ()


def test_where_everything_is_refused_nothing_can_be_read(api: FakeApi) -> None:
    for path in (NODES, DAEMON_SETS, SYSTEM_PODS, NODE_LEASES, EVENTS, POLICIES, PODS):
        api.always(path, Answer(403))
    for path in (FLANNEL_CONFIG, "/api/v1/namespaces/default/services/kubernetes", "/api/v1/namespaces/kube-system"):
        api.always(path, Answer(403))
    for version in ("v1", "v1beta1", "v1alpha1"):
        api.always(SERVICE_CIDRS.format(version), Answer(403))
    for name in ("kubeadm-config", "kube-proxy", "kube-flannel-cfg", "canal-config"):
        api.always(f"/api/v1/namespaces/kube-system/configmaps/{name}", Answer(403))
    with pytest.raises(Refused, match="No right to list nodes"):
        grow(api)


def test_flannels_pods_are_found_by_its_daemonsets(api: FakeApi) -> None:
    grow(api)
    assert [request.query["labelSelector"] for request in api.asked(FLANNEL_PODS)] == ["app=flannel"]


def test_without_daemonsets_flannels_pods_are_found_by_their_labels(api: FakeApi) -> None:
    api.always(DAEMON_SETS, Answer(403))
    snapshot, _ = grow(api)
    assert [p.name for p in snapshot.flannel_pods] == ["kube-flannel-x"]  # p1, which the labels do not select, is none
    assert {r.query.get("labelSelector") for r in api.asked(PODS)} == {"app=flannel", "k8s-app in (flannel,canal)", None}


def test_events_are_asked_for_by_reason(api: FakeApi) -> None:
    grow(api)
    assert [request.query["fieldSelector"] for request in api.asked(EVENTS)] == [
        "reason=CIDRNotAvailable",
        "reason=CIDRAssignmentFailed",
        "reason=FailedCreatePodSandBox",
        "reason=NetworkNotReady",
    ]


def test_one_policy_is_enough_to_know_of_them(api: FakeApi) -> None:
    api.hold(POLICIES, "NetworkPolicyList", [{"metadata": {"name": f"n{i}"}} for i in range(30)])
    with source(api) as made:
        got = read(made, Topic.POLICIES)
    assert got.fields["network_policies"] == 30
    assert [request.query["limit"] for request in api.asked(POLICIES)] == ["1"]


def test_pods_none_does_not_ask_for_pods(api: FakeApi) -> None:
    snapshot, _ = grow(api, pods="none")
    assert not snapshot.has(Topic.PODS)
    assert api.asked(PODS) == []


def test_pods_suspect_asks_for_the_pods_of_suspect_nodes_only(api: FakeApi) -> None:
    api.hold(NODES, "NodeList", [a_node("w1"), a_node("w2"), a_node("w3", "10.244.3.0/24"), a_node("w4", "banana")])
    snapshot, _ = grow(api, pods="suspect")
    asked = [request.query["fieldSelector"] for request in api.asked(PODS)]
    assert sorted(set(asked)) == ["spec.nodeName=w1", "spec.nodeName=w2", "spec.nodeName=w4"]
    assert snapshot.readings[Topic.PODS].scope == "suspect"


def test_who_is_suspect() -> None:
    nodes = [node("a", "10.0.0.0/24"), node("b", "10.0.0.0/16"), node("c", "10.1.0.0/24"), node("d"), node("e", "x")]
    assert set(suspects(nodes)) == {"a", "b", "d", "e"}


def test_a_server_that_goes_away_leaves_what_was_read(api: FakeApi) -> None:
    for path in (PODS, EVENTS):
        api.always(path, Answer(body=b"{}" * 100, cut=1))
    snapshot, _ = grow(api, timeout=0.2)
    assert {gap.topic for gap in snapshot.gaps} == {Topic.PODS, Topic.EVENTS}
    assert snapshot.has(Topic.NODES)


def test_a_rejected_login_ends_everything(api: FakeApi) -> None:
    api.always(NODES, Answer(401))
    with pytest.raises(CannotRead, match="does not accept these credentials"):
        grow(api)


def test_suspicious_pods_are_looked_at_twice(api: FakeApi) -> None:
    with source(api) as made:
        known = Snapshot(pods=(), nodes=read(made, Topic.NODES).fields["nodes"])
        api.has(f"{NODES}/w1", a_node("w1"))
        got = Read(made.reread(["w1", "gone"], known, threading.Event()))
    seconds = got.fields["second_reads"]
    assert [pod.name for pod in seconds["w1"].pods] == ["p1", "kube-flannel-x"]
    assert seconds["w1"].node.pod_cidrs == ("10.244.1.0/24",)
    assert seconds["gone"].node is None
    assert {r.query["fieldSelector"] for r in api.asked(PODS)} == {"spec.nodeName=w1", "spec.nodeName=gone"}
