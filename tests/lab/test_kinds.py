"""Every kind of cluster that this machine can do: it stands, its pods reach each other, and nothing is wrong with it.

Four of them have light nodes too, whose data plane is that of full nodes, whatever the backend.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.lab.lab import Lab, brought_up
from tests.lab.reports import Object, codes, gaps
from tests.lab.settings import KINDS, Settings
from tests.lab.side_by_side import named
from tests.lab.skips import require

TWO_SUBNETS = 4  # nodes change between subnets in pairs
LIGHT = {"host-gw": 6, "direct-routing": 6, "two-subnets": 6, "dual-stack": 6}
SAME_SUBNET, OTHER_SUBNET = "l002", "l003"  # seen from l001, where there are two
FLANNEL = "flannel.alpha.coreos.com/"


@pytest.fixture(params=[name for name in KINDS if name != "vxlan"])
def other(request: pytest.FixtureRequest, possible: None) -> Iterator[Lab]:
    """A small cluster of one kind; vxlan is what all the other tests have."""
    kind = KINDS[request.param]
    require(*kind.needs)
    nodes = TWO_SUBNETS if kind.subnets > 1 else 2
    with brought_up(Settings(named("kinds"), nodes, LIGHT.get(kind.name, 0), kind=kind)) as lab:
        yield lab


def test_it_stands_and_nothing_is_wrong(other: Lab) -> None:
    settings = other.settings
    addresses = pod_addresses(other)
    assert addresses.keys() >= {*other.nodes, *other.light}
    assert {len(each) for each in addresses.values()} == {2 if settings.kind.dual_stack else 1}
    for node in addresses:
        for address in (address for each in addresses.values() for address in each):
            assert other.reached(node, address), f"{node} does not reach {address}"

    report = other.check()
    assert codes(report, "warning") == set(), json.dumps(report["findings"], indent=1)
    assert report["exit"] == 0
    assert {topic for topic, _ in gaps(report)} == ({"control-plane"} if settings.kind.managed else set())
    as_it_is_meant(other, report)
    if other.light:
        light_nodes_go_the_way_of_the_backend(other)
    assert settings == Settings.from_json(settings.to_json())


def as_it_is_meant(lab: Lab, report: Object) -> None:
    """What makes a cluster one of its kind, seen from its nodes and in its report."""
    kind = lab.settings.kind
    direct = kind.backend["Type"] == "host-gw" or kind.backend.get("DirectRouting", False)
    routes = lab.inside("n1", "ip", "route")
    pods = lab.pod_cidrs()
    if direct:
        assert f"{pods['n2']} via 172.30.0.102 dev eth1" in routes
    else:
        assert f"{pods['n2']} via" in routes
        assert "dev flannel.1" in routes
    if kind.subnets > 1:
        assert f"{pods['n3']} via {pods['n3'].split('/')[0]} dev flannel.1" in routes
        assert lab.inside("n1", "ip", "-4", "-o", "route", "get", "172.31.0.103").split()[2] == "172.30.0.1"
    if kind.managed:
        assert "cp" not in pods
        assert lab.get("/api/v1/namespaces/kube-system/pods")["items"] == []
        assert {unknown["code"] for unknown in report["unknown"]} >= {"FLN103"}
    flannel = lab.get(f"/apis/apps/v1/namespaces/{kind.namespace}/daemonsets/{kind.daemonset}")
    assert flannel["status"]["numberReady"] == len(pods) - len(lab.light)


def pod_addresses(lab: Lab) -> dict[str, list[str]]:
    """All addresses of each node's probe pod: one of each family."""
    return {pod["spec"]["nodeName"]: [entry["ip"] for entry in pod["status"]["podIPs"]] for pod in lab.probes()}


def light_nodes_go_the_way_of_the_backend(lab: Lab) -> None:
    """The kernel of a light node routes as its flannel means it, and its Node says of it what a full node's says."""
    kind = lab.settings.kind
    direct = kind.backend["Type"] == "host-gw" or kind.backend.get("DirectRouting", False)
    assert way(lab, SAME_SUBNET)["dev"] == ("eth1" if direct else "flannel.1")
    if kind.subnets > 1:
        assert way(lab, OTHER_SUBNET)["dev"] == "flannel.1"
    if kind.dual_stack:
        assert way(lab, SAME_SUBNET, family=1)["dev"] == "flannel-v6.1"

    nodes = {node["metadata"]["name"]: node["metadata"]["annotations"] for node in lab.get("/api/v1/nodes")["items"]}
    said = {name: {key for key in each if key.startswith(FLANNEL)} for name, each in nodes.items()}
    assert {frozenset(keys) for keys in said.values()} == {frozenset(said["n1"])}
    assert {each[f"{FLANNEL}backend-type"] for each in nodes.values()} == {kind.backend["Type"]}


def way(lab: Lab, peer: str, family: int = 0) -> Object:
    """The kernel's route from the first light node to the pod of another; of the first family or the second."""
    address = pod_addresses(lab)[peer][family]
    routes: list[Object] = json.loads(lab.inside("l001", "ip", "-j", "route", "get", address))
    return routes[0]
