"""The manifest grants what is asked for, no more: both come from one table."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from flannelscope.collect import collect
from flannelscope.errors import UsageError
from flannelscope.model import Snapshot
from flannelscope.rbac import manifest
from flannelscope.sources.rights import OPEN_PATHS, RIGHTS, Target, covered, target, verb_of
from tests.engine.api_objects import NODES, PODS, a_node, a_pod, flannel_daemonset, source
from tests.fakes.api_server import FakeApi

DOCUMENTS: list[dict[str, Any]] = list(yaml.safe_load_all(manifest("read")))
ROLES = [item for item in DOCUMENTS if item["kind"] in ("Role", "ClusterRole")]


@pytest.mark.parametrize("pods", ["all", "suspect"])
def test_every_request_is_covered_by_the_table(pods: str) -> None:
    with FakeApi() as api:
        api.has("/version", {"gitVersion": "v1.34.4"})
        api.hold(NODES, "NodeList", [a_node("w1"), a_node("w2")])
        api.hold("/apis/apps/v1/daemonsets", "DaemonSetList", [flannel_daemonset()])
        api.hold(PODS, "PodList", [a_pod("p1")])
        with source(api, pods=pods) as made:
            list(collect(made, Snapshot(), threading.Event()))
            list(made.reread(["w1"], Snapshot(), threading.Event()))
        asked = {(request.path, bool(request.query.get("watch"))) for request in api.requests}
    assert len(asked) > 15
    uncovered = [
        path for path, watch in asked if target(path).resource and not covered(target(path), verb_of(target(path), watch))
    ]
    assert uncovered == []
    assert {path for path, _ in asked if not target(path).resource} <= set(OPEN_PATHS)


def test_the_manifest_grants_reads_only() -> None:
    verbs = {verb for role in ROLES for rule in role["rules"] for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}


def test_config_maps_and_the_managers_lease_are_granted_by_name_only() -> None:
    for role in ROLES:
        for rule in role["rules"]:
            if "configmaps" in rule.get("resources", []):
                assert role["kind"] == "Role"
                assert rule["resourceNames"]
                assert rule["verbs"] == ["get"]
    assert "secrets" not in manifest("read").lower().replace("no secrets", "")


def test_every_right_of_the_table_is_in_the_manifest() -> None:
    granted = {
        (role["metadata"].get("namespace", ""), rule["apiGroups"][0], rule["resources"][0], tuple(rule.get("resourceNames", ())))
        for role in ROLES
        for rule in role["rules"]
        if "resources" in rule
    }
    assert granted == {(right.namespace, right.kind.group, right.kind.resource, right.names) for right in RIGHTS}


def test_every_role_is_bound_to_the_service_account() -> None:
    account = next(item for item in DOCUMENTS if item["kind"] == "ServiceAccount")
    bound = {
        (item["roleRef"]["kind"], item["roleRef"]["name"], item["metadata"].get("namespace"))
        for item in DOCUMENTS
        if item["kind"].endswith("Binding")
    }
    assert bound == {(role["kind"], role["metadata"]["name"], role["metadata"].get("namespace")) for role in ROLES}
    for item in DOCUMENTS:
        for subject in item.get("subjects", []):
            assert (subject["name"], subject["namespace"]) == (account["metadata"]["name"], account["metadata"]["namespace"])


def test_there_are_no_other_manifests() -> None:
    with pytest.raises(UsageError):
        manifest("everything")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/nodes", Target(version="v1", resource="nodes")),
        ("/api/v1/namespaces/kube-system", Target(version="v1", resource="namespaces", name="kube-system")),
        ("/api/v1/namespaces/x/pods/p/log", Target(version="v1", namespace="x", resource="pods", name="p", subresource="log")),
        ("/apis/apps/v1/daemonsets", Target(group="apps", version="v1", resource="daemonsets")),
        ("/apis/networking.k8s.io/v1", Target()),
        ("/version", Target()),
    ],
)
def test_paths_are_taken_apart(path: str, expected: Target) -> None:
    got = target(path)
    assert [getattr(got, name) for name in Target.__struct_fields__] == [
        getattr(expected, name) for name in Target.__struct_fields__
    ]


def test_the_table_has_no_path_of_its_own() -> None:
    """Paths are made by Kind.path: a topic that writes one by hand could ask for what the manifest does not grant."""
    folder = Path(__file__).parents[2] / "flannelscope" / "sources" / "topics"
    assert [file.name for file in folder.glob("*.py") if '"/api' in file.read_text()] == []
