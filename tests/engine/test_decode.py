"""Objects are read as they are; an odd one costs itself and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flannelscope.model import Node, Pod, Topic
from flannelscope.sources import wire
from flannelscope.sources.decode import Decoder, Odd
from flannelscope.sources.project.common import ending, seconds
from flannelscope.sources.project.nodes import project_node
from flannelscope.sources.project.others import project_daemonset, project_event, project_service_ips
from flannelscope.sources.project.pods import project_pod
from tests.engine.api_objects import NODES, PODS, a_node, a_pod, flannel_daemonset, flannel_pod, read, source
from tests.fakes.api_server import FakeApi, Json

NODE: Decoder[Node] = Decoder(wire.Node, project_node)
POD: Decoder[Pod] = Decoder(wire.Pod, project_pod)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as made:
        yield made


def node(**changes: Any) -> Node:
    return NODE.one(json.dumps({**a_node("w1"), **changes}).encode(), "")


def pod(said: Json) -> Pod:
    return POD.one(json.dumps(said).encode(), "")


def without_spec() -> Json:
    odd = a_node("odd")
    del odd["spec"]
    return odd


@pytest.mark.parametrize(
    "odd",
    [
        without_spec(),
        {**a_node("odd"), "spec": {"podCIDR": 7}},
        {**a_node("odd"), "spec": {"podCIDRs": {"a": 1}}},
        {**a_node("odd"), "spec": {"podCIDRs": [None, 3]}},
        {**a_node("odd"), "spec": None},
        a_node("odd", labels={"a": 1}),
        a_node("odd", annotations=[]),
        {**a_node("odd"), "status": "fine"},
        {**a_node("odd"), "status": {"addresses": [{"type": "InternalIP", "address": 1}]}},
    ],
    ids=lambda odd: json.dumps(odd.get("spec", "no spec"))[:40],
)
def test_one_odd_node_is_a_gap_and_the_others_are_there(api: FakeApi, odd: Json) -> None:
    api.hold(NODES, "NodeList", [a_node("w1"), odd, a_node("w2", "10.244.2.0/24")])
    with source(api) as made:
        got = read(made, Topic.NODES)
    assert [item.name for item in got.fields["nodes"]] == ["w1", "w2"]
    assert [(gap.topic, gap.node) for gap in got.gaps] == [(Topic.NODES, "odd")]
    assert (got.parts[-1].reading.answered, got.parts[-1].reading.asked) == (2, 3)


@pytest.mark.parametrize("odd", [None, 7, "text", [], {}, {"metadata": {}}, {"metadata": {"name": "x"}}])
def test_what_is_no_pod_at_all_is_a_gap(api: FakeApi, odd: Any) -> None:
    api.hold(PODS, "PodList", [a_pod("p1"), odd])
    with source(api) as made:
        got = read(made, Topic.PODS)
    assert [item.name for item in got.fields["pods"]] == ["p1"]
    assert len(got.gaps) == 1


def test_an_odd_detail_of_a_host_network_pod_costs_only_that_pod(api: FakeApi) -> None:
    odd = flannel_pod()
    odd["spec"]["containers"] = [{"name": 5}]
    api.hold(PODS, "PodList", [odd, flannel_pod("fine")])
    with source(api) as made:
        got = read(made, Topic.PODS)
    assert [item.name for item in got.fields["pods"]] == ["fine"]
    assert "kube-flannel/kube-flannel-x cannot be read" in got.gaps[0].reason


def test_pod_cidrs_are_kept_as_written() -> None:
    assert node(spec={"podCIDR": "banana"}).pod_cidrs == ("banana",)
    assert node(spec={"podCIDRs": ["10.0.0.0/24", "10.0.1.0/24"]}).pod_cidrs == ("10.0.0.0/24", "10.0.1.0/24")
    assert node(spec={"podCIDR": "10.0.0.0/24"}).pod_cidrs == ("10.0.0.0/24",)
    assert node(spec={}).pod_cidrs == ()


def test_large_annotations_of_others_are_not_kept() -> None:
    said = {"huge.example.com/x": "y" * 200_000, "example.com/fl-backend-data": "z", "k3s.io/node-args": "[]"}
    assert dict(node(metadata={"name": "w1", "annotations": said}).annotations) == {
        "example.com/fl-backend-data": "z",
        "k3s.io/node-args": "[]",
    }


def test_a_time_that_cannot_be_read_is_not_known() -> None:
    assert node(metadata={"name": "w1", "creationTimestamp": "yesterday"}).created is None
    assert node(metadata={"name": "w1", "creationTimestamp": None}).created is None
    assert seconds("2020-11-21T12:00:00Z") == 1605960000.0
    assert seconds("2020-11-21T12:00:00.500000Z") == 1605960000.5


def test_being_deleted_is_known_even_if_since_when_is_not() -> None:
    assert ending("soon") == 0.0
    assert ending(None) is None
    assert node(metadata={"name": "w1", "deletionTimestamp": "soon"}).deleting is not None


def test_who_wrote_what_last_is_kept() -> None:
    def entry(manager: str, fields: Json) -> Json:
        return {"manager": manager, "operation": "Update", "time": "2020-11-21T12:00:00Z", "fieldsV1": fields}

    written = [
        entry("kube-controller-manager", {"f:spec": {"f:podCIDR": {}, "f:podCIDRs": {}}}),
        entry("flanneld", {"f:metadata": {"f:annotations": {"f:example.com/fl-kube-subnet-manager": {}}}}),
        entry("kubectl-annotate", {"f:metadata": {"f:annotations": {"f:flannel.alpha.coreos.com/backend-data": {}}}}),
        entry("kubectl-label", {"f:metadata": {"f:annotations": {"f:flannel.alpha.coreos.com/node-public-ip": {}}}}),
        entry("k3s", {"f:metadata": {"f:annotations": {"f:flannel.alpha.coreos.com/public-ip-overwrite": {}}}}),
        entry("kubelet", {"f:status": {}}),
    ]
    writers = node(metadata={"name": "w1", "managedFields": written}).writers
    assert [(w.manager, w.field, w.at) for w in writers] == [
        ("kube-controller-manager", "podCIDR", 1605960000.0),
        ("flanneld", "flannel", 1605960000.0),
        ("kubectl-annotate", "flannel", 1605960000.0),  # peers act on it; not on what flannel reads at its next start
    ]


def test_pods_keep_little_and_nothing_secret() -> None:
    got = pod(a_pod("p1"))
    assert (got.namespace, got.name, got.node, got.phase, got.ips) == ("default", "p1", "w1", "Running", ("10.244.1.2",))
    assert got.detail is None
    hosted = pod(a_pod("p2", hostNetwork=True))
    assert hosted.detail is not None
    assert dict(hosted.detail.containers[0].env) == {}  # PASSWORD is nobody's business


def test_flannels_pod_is_kept_with_its_containers() -> None:
    said = flannel_pod(restarts=3)
    said["status"]["containerStatuses"][0] |= {
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2020-11-21T12:00:00Z"}},
    }
    said["spec"]["containers"] = [
        {
            "name": "kube-flannel",
            "image": "f:1",
            "env": [{"name": "FLANNELD_IFACE", "value": "eth1"}],
            "resources": {"limits": {"memory": "50Mi"}},
        }
    ]
    said["spec"]["volumes"] = [{"name": "a", "configMap": {"name": "kube-flannel-cfg"}}, {"name": "b", "emptyDir": {}}]
    detail = pod(said).detail
    assert detail is not None
    assert dict(detail.containers[0].env) == {"FLANNELD_IFACE": "eth1"}
    assert detail.containers[0].memory_limit == "50Mi"
    assert detail.config_maps == ("kube-flannel-cfg",)
    state = detail.statuses[0]
    assert (state.state, state.reason, state.restarts) == ("waiting", "CrashLoopBackOff", 3)
    assert (state.last_exit_code, state.last_reason, state.last_finished) == (137, "OOMKilled", 1605960000.0)


def test_a_pod_without_address_says_since_when_it_is_scheduled() -> None:
    said = a_pod("p1")
    when = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2020-11-21T12:00:00Z"}
    said["status"] = {"phase": "Pending", "conditions": [when]}
    assert pod(said).scheduled == 1605960000.0


def test_owner_mirror_deleting() -> None:
    said = a_pod("p1")
    said["metadata"] |= {
        "annotations": {"kubernetes.io/config.mirror": "abc", "x": "y"},
        "ownerReferences": [{"kind": "Other", "name": "o"}, {"kind": "DaemonSet", "name": "d", "controller": True}],
        "deletionTimestamp": "2020-11-21T12:00:00Z",
    }
    got = pod(said)
    assert (got.owner_kind, got.owner_name, got.mirror, got.deleting) == ("DaemonSet", "d", True, True)


def test_which_nodes_a_daemonset_covers_is_kept() -> None:
    said = flannel_daemonset()
    term = {
        "matchExpressions": [{"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}],
        "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["w1"]}],
    }
    said["spec"]["template"]["spec"] |= {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}},
        "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}],
        "nodeSelector": {"a": "b"},
    }
    got = Decoder(wire.DaemonSet, project_daemonset).one(json.dumps(said).encode(), "")
    assert got.affinity is not None
    assert [(r.key, r.operator, r.values, r.field) for r in got.affinity[0]] == [
        ("kubernetes.io/os", "In", ("linux",), False),
        ("metadata.name", "In", ("w1",), True),
    ]
    assert got.tolerations[0].operator == "Exists"
    assert got.config_maps == ("kube-flannel-cfg",)
    assert got.host_network


def test_events_of_both_recorders() -> None:
    decoder = Decoder(wire.Event, project_event)
    old = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Node", "name": "w1"},
        "reason": "CIDRNotAvailable",
        "source": {"component": "cidrAllocator"},
        "count": 4,
        "firstTimestamp": "2020-11-21T12:00:00Z",
        "lastTimestamp": "2020-11-21T12:01:00Z",
        "eventTime": None,
    }
    new = {
        "metadata": {"name": "e"},
        "reason": "NetworkNotReady",
        "reportingComponent": "kubelet",
        "eventTime": "2020-11-21T12:00:00.000000Z",
        "series": {"count": 9, "lastObservedTime": "2020-11-21T12:02:00.000000Z"},
        "firstTimestamp": None,
        "lastTimestamp": None,
    }
    first, second = (decoder.one(json.dumps(said).encode(), "") for said in (old, new))
    assert (first.component, first.count, first.first, first.last) == ("cidrAllocator", 4, 1605960000.0, 1605960060.0)
    assert (second.component, second.count, second.first, second.last) == ("kubelet", 9, 1605960000.0, 1605960120.0)


def test_services_of_before_1_20_have_only_cluster_ip() -> None:
    decoder = Decoder(wire.Service, project_service_ips)
    assert decoder.one(b'{"metadata":{"name":"kubernetes"},"spec":{"clusterIP":"10.96.0.1"}}', "") == ("10.96.0.1",)
    assert decoder.one(b'{"metadata":{"name":"x"},"spec":{"clusterIP":"None","clusterIPs":["None"]}}', "") == ()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["metadata", "spec", "status", "name", "podCIDRs", "x"]), inner)
    ),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_no_json_breaks_the_reader(value: Any) -> None:
    got = NODE.try_one(json.dumps(value).encode())
    assert isinstance(got, (Node, Odd))


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    assert isinstance(POD.try_one(data), (Pod, Odd))
