"""Answers of servers of several ages are read alike: tests/data/api holds bodies by path, 1.34 recorded on a real cluster,
1.19 written by hand after what that release sends (selfLink, no clusterIPs, no ServiceCIDR, flannel 0.12 by architecture).
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from flannelscope.collect import collect
from flannelscope.events import GapFound, Grown
from flannelscope.model import IN_API, Snapshot, Topic
from tests.engine.api_objects import source
from tests.fakes.api_server import Answer, FakeApi

DATA = Path(__file__).parents[1] / "data" / "api"
VERSIONS = sorted(file.stem for file in DATA.glob("v*.json"))


def collected(bodies: dict[str, Any]) -> tuple[Snapshot, list[str]]:
    """The Snapshot that a server with these answers gives, and the reasons of all Gaps."""
    snapshot, gaps = Snapshot(), []
    with FakeApi() as api:
        for path, body in bodies.items():
            api.always(path, Answer(body=body))
        with source(api) as made:
            for event in collect(made, snapshot, threading.Event()):
                if isinstance(event, Grown):
                    snapshot = event.snapshot
                elif isinstance(event, GapFound):
                    gaps.append(event.gap.reason)
    return snapshot, gaps


def bodies_of(version: str) -> dict[str, Any]:
    """The answers of one version."""
    said: dict[str, Any] = json.loads((DATA / f"{version}.json").read_text())
    return said


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_missing_of_any_version(version: str) -> None:
    snapshot, gaps = collected(bodies_of(version))
    assert gaps == []
    assert {topic for topic in Topic if snapshot.has(topic)} == set(IN_API)
    assert f"v{snapshot.cluster.major}.{snapshot.cluster.minor}" == version
    assert snapshot.cluster.uid
    for node in snapshot.nodes:
        assert node.pod_cidrs
        assert node.ready == "True"
        assert node.internal_ips
        assert {writer.field for writer in node.writers} == {"podCIDR", "flannel"}
        assert node.annotations["flannel.alpha.coreos.com/kube-subnet-manager"] == "true"
    assert {lease.name for lease in snapshot.leases if lease.namespace == "kube-node-lease"} == {n.name for n in snapshot.nodes}
    assert snapshot.flannel_pods
    assert all(pod.detail and pod.detail.statuses for pod in snapshot.flannel_pods)
    assert [item.name for item in snapshot.config_maps] == ["kube-flannel-cfg"]
    assert len(snapshot.kubernetes_service_ips) == 1


def test_1_19_has_no_service_cidrs_and_its_controller_manager_is_seen() -> None:
    snapshot, _ = collected(bodies_of("v1.19"))
    assert snapshot.readings[Topic.SERVICES].absent
    manager = next(pod for pod in snapshot.control_plane_pods if "manager" in pod.name)
    assert manager.mirror
    assert manager.detail is not None
    assert "--cluster-cidr=10.244.0.0/16" in manager.detail.containers[0].command
    assert [(event.reason, event.type, event.count) for event in snapshot.events[:1]] == [("CIDRNotAvailable", "Normal", 12)]


def test_1_34_has_service_cidrs() -> None:
    snapshot, _ = collected(bodies_of("v1.34"))
    assert not snapshot.readings[Topic.SERVICES].absent
    assert snapshot.service_cidrs[0].name == "kubernetes"


@pytest.mark.parametrize("version", VERSIONS)
def test_fields_that_nobody_knows_yet_are_passed_over(version: str) -> None:
    bodies = bodies_of(version)
    for body in bodies.values():
        for item in body.get("items", []):
            item["futureField"] = {"a": [1, None, {"b": "c"}]}
            for part in ("metadata", "spec", "status"):
                if isinstance(item.get(part), dict):
                    item[part]["inventedLater"] = [{"x": 1.5}]
    snapshot, gaps = collected(bodies)
    assert gaps == []
    assert snapshot.nodes
