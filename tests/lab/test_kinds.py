"""Every kind of cluster that this machine can do: it stands, its pods reach each other, and nothing is wrong with it."""

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



@pytest.fixture(params=[name for name in KINDS if name != "vxlan"])
def other(request: pytest.FixtureRequest, possible: None) -> Iterator[Lab]:
    """A small cluster of one kind; vxlan is what all the other tests have."""
    kind = KINDS[request.param]
    require(*kind.needs)
    nodes = TWO_SUBNETS if kind.subnets > 1 else 2
    with brought_up(Settings(named("kinds"), nodes, kind=kind)) as lab:
        yield lab


def test_it_stands_and_nothing_is_wrong(other: Lab) -> None:
    settings = other.settings
    addresses = other.probe_pods()
    assert addresses.keys() >= set(other.nodes)
    for node in addresses:
        for address in addresses.values():
            assert other.reached(node, address), f"{node} does not reach {address}"

    report = other.check()
    assert codes(report, "warning") == set(), json.dumps(report["findings"], indent=1)
    assert report["exit"] == 0
    assert {topic for topic, _ in gaps(report)} == ({"control-plane"} if settings.kind.managed else set())
    as_it_is_meant(other, report)
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
    if kind.dual_stack:
        second = [pod["status"]["podIPs"][1]["ip"] for pod in lab.probes()]
        assert all(lab.reached("n1", address) for address in second)
    if kind.managed:
        assert "cp" not in pods
        assert lab.get("/api/v1/namespaces/kube-system/pods")["items"] == []
        assert {unknown["code"] for unknown in report["unknown"]} >= {"FLN103"}
    flannel = lab.get(f"/apis/apps/v1/namespaces/{kind.namespace}/daemonsets/{kind.daemonset}")
    assert flannel["status"]["numberReady"] == len(pods)
