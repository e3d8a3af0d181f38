"""`flannelscope rbac read` prints the rights that are needed: with them nothing is missing, without one it is said which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.lab.lab import DEFAULT_FLAGS, Lab
from tests.lab.reports import codes, findings, gaps, told

RANGES = ("--cluster-cidr", DEFAULT_FLAGS["cluster-cidr"], "--node-cidr-mask-size", DEFAULT_FLAGS["node-cidr-mask-size"])


@pytest.fixture
def reader(lab: Lab) -> Iterator[Path]:
    """A kubeconfig of the ServiceAccount in the printed manifest, which has the printed rights and no other."""
    manifest = printed(lab)
    lab.kubectl("apply", "-f", "-", stdin=manifest)
    try:
        account = next(item["metadata"] for item in yaml.safe_load_all(manifest) if item["kind"] == "ServiceAccount")
        token = lab.kubectl("-n", account["namespace"], "create", "token", account["name"]).strip()
        yield lab.kubeconfig_with(token)
    finally:
        lab.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=manifest)


def test_the_printed_rights_suffice(lab: Lab, reader: Path) -> None:
    report = lab.check(*RANGES, kubeconfig=reader)

    assert gaps(report) == []
    assert findings(report, "FLN603") == []
    assert report["exit"] == 0


def test_no_right_is_printed_that_writes_or_reads_secrets(lab: Lab) -> None:
    rules = [rule for item in yaml.safe_load_all(printed(lab)) for rule in item.get("rules", [])]

    assert {verb for rule in rules for verb in rule["verbs"]} <= {"get", "list", "watch"}
    assert "secrets" not in {resource for rule in rules for resource in rule.get("resources", [])}
    assert "configmaps" not in {name for rule in rules if "resourceNames" not in rule for name in rule.get("resources", [])}
    assert not any({"*", "nodes/proxy"} & set(rule.get("resources", [])) for rule in rules)


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
    assert report["cluster"]["nodes"] == len(lab.nodes) + 1


def test_without_the_nodes_there_is_nothing_to_judge(lab: Lab, reader: Path) -> None:
    without(lab, "nodes")
    result = lab.flannelscope("check", kubeconfig=reader)

    assert result.returncode == 3
    assert "nodes" in result.stderr
    assert "Traceback" not in result.stderr


def printed(lab: Lab) -> str:
    """The manifest."""
    result = lab.flannelscope("rbac", "read")
    assert result.returncode == 0, result.stderr
    return result.stdout


def without(lab: Lab, resource: str) -> None:
    """Take one resource out of every rule of the printed ClusterRole."""
    roles = [item for item in yaml.safe_load_all(printed(lab)) if item["kind"] == "ClusterRole"]
    for role in roles:
        role["rules"] = [rule for rule in role["rules"] if rule.get("resources") != [resource]]
    lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(roles))
