"""`flannelscope rbac read` prints the rights that are needed: with them nothing is missing, without one it is said which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.lab.cluster import DEFAULT_FLAGS, Lab
from tests.lab.reports import codes, findings, gaps, told

RANGES = ("--cluster-cidr", DEFAULT_FLAGS["cluster-cidr"], "--node-cidr-mask-size", DEFAULT_FLAGS["node-cidr-mask-size"])
READER = "pod-network-reader"


@pytest.fixture
def reader(lab: Lab) -> Iterator[Path]:
    """The kubeconfig of a user who has the printed rights and no other."""
    manifest = lab.flannelscope("rbac", "read").stdout
    lab.kubectl("apply", "-f", "-", stdin=manifest)
    kinds = list(yaml.safe_load_all(manifest))
    try:
        for role in kinds:
            if role["kind"] == "ClusterRole":
                lab.kubectl("create", "clusterrolebinding", f"{READER}-{role['metadata']['name']}", f"--user={READER}",
                            f"--clusterrole={role['metadata']['name']}")  # fmt: skip
            if role["kind"] == "Role":
                lab.kubectl("-n", role["metadata"]["namespace"], "create", "rolebinding", f"{READER}-{role['metadata']['name']}",
                            f"--user={READER}", f"--role={role['metadata']['name']}")  # fmt: skip
        yield lab.kubeconfig_of(READER)
    finally:
        for role in kinds:
            if role["kind"] in ("ClusterRole", "Role"):
                where = ("-n", role["metadata"]["namespace"]) if role["kind"] == "Role" else ()
                lab.kubectl(
                    *where,
                    "delete",
                    "--ignore-not-found",
                    f"{role['kind'].lower()}binding",
                    f"{READER}-{role['metadata']['name']}",
                )
        lab.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=manifest)


def test_the_printed_rights_suffice(lab: Lab, reader: Path) -> None:
    report = lab.check(*RANGES, kubeconfig=reader)

    assert gaps(report) == []
    assert findings(report, "FLN603") == []
    assert report["exit"] == 0


def test_no_right_is_printed_that_writes_or_reads_secrets(lab: Lab) -> None:
    rules = [rule for item in yaml.safe_load_all(lab.flannelscope("rbac", "read").stdout) for rule in item.get("rules", [])]

    assert {verb for rule in rules for verb in rule["verbs"]} <= {"get", "list", "watch"}
    assert "secrets" not in {resource for rule in rules for resource in rule["resources"]}
    assert not any("*" in rule["resources"] or "nodes/proxy" in rule["resources"] for rule in rules)


@pytest.mark.parametrize(("group", "resource"), [("", "pods"), ("apps", "daemonsets"), ("", "events")])
def test_a_missing_right_is_named(lab: Lab, reader: Path, group: str, resource: str) -> None:
    """The rest is read all the same."""
    without(lab, resource)
    report = lab.check(*RANGES, kubeconfig=reader)

    (finding,) = findings(report, "FLN603")
    assert resource in told(finding)
    assert "list" in told(finding)
    assert any(resource in reason for _, reason in gaps(report))
    assert codes(report, "warning") == set()
    assert report["cluster"]["nodes"] == 3


def test_without_the_nodes_there_is_nothing_to_judge(lab: Lab, reader: Path) -> None:
    without(lab, "nodes")
    result = lab.flannelscope("check", kubeconfig=reader)

    assert result.returncode == 3
    assert "nodes" in result.stderr
    assert "Traceback" not in result.stderr


def without(lab: Lab, resource: str) -> None:
    """Take one resource out of every rule of the printed ClusterRole."""
    manifest = list(yaml.safe_load_all(lab.flannelscope("rbac", "read").stdout))
    for item in manifest:
        for rule in item.get("rules", []):
            rule["resources"] = [name for name in rule["resources"] if name != resource]
        if "rules" in item:
            item["rules"] = [rule for rule in item["rules"] if rule["resources"]]
    lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(manifest))
