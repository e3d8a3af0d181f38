"""The kernels of a real cluster's nodes beside its API: who answers, as whom, by which way, and what is said of who does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flannelscope.text import fold
from tests.lab.lab import Lab
from tests.lab.reports import codes
from tests.lab.sudo import sudo_allows

Object = dict[str, Any]


def kernels(report: Object) -> Object:
    """The coverage of the kernels."""
    line: Object = next(line for line in report["coverage"] if line["topic"] == "kernels")
    return line


def gaps(report: Object) -> dict[str, str]:
    """What is missing, by node."""
    found: dict[str, str] = {}
    for gap in kernels(report)["missing"]:
        found[gap["node"]] = f"{found.get(gap['node'], '')}{gap['reason']}\n"
    return found


def whole(lab: Lab) -> int:
    """How many nodes there are, the control plane's too."""
    return len(lab.nodes) + 1


@contextmanager
def silent(lab: Lab, node: str) -> Iterator[None]:
    """For a while nothing that comes for this node's sshd arrives."""
    rule = ("INPUT", "-p", "tcp", "--dport", "22", "-j", "DROP")
    lab.inside(node, "iptables", "-I", *rule)
    try:
        yield
    finally:
        lab.inside(node, "iptables", "-D", *rule)


def test_a_healthy_cluster_is_healthy_in_its_kernels_too(lab: Lab) -> None:
    lab.flannel_ready()
    report = lab.check("--ssh")

    assert codes(report, "warning") == set(), json.dumps(report["findings"], indent=1)
    assert report["exit"] == 0
    assert (kernels(report)["asked"], kernels(report)["answered"], gaps(report)) == (whole(lab), whole(lab), {})
    assert "no --ssh" not in report["verdict"]


def test_without_ssh_nobody_is_logged_in_to_and_nobody_is_alarmed(lab: Lab) -> None:
    report = lab.check("--require-coverage", "50")

    assert "kernels" not in {line["topic"] for line in report["coverage"]}
    assert "Not looked at: kernels of the nodes (no --ssh)." in report["verdict"]
    assert report["exit"] == 0


def test_as_a_user_with_sudo(lab: Lab) -> None:
    report = lab.check("--ssh", "--ssh-user", "ops")

    assert codes(report, "warning") == set(), json.dumps(report["findings"], indent=1)
    assert (kernels(report)["answered"], gaps(report)) == (whole(lab), {})


def test_with_just_the_lines_that_it_asks_for(lab: Lab) -> None:
    """`ssh sudoers` prints what sudo has to allow; with that and nothing else all of it can be read."""
    lines = lab.flannelscope("ssh", "sudoers", "ops").stdout
    with sudo_allows(lab, "n1", lines):
        assert gaps(lab.check("--ssh", "--ssh-user", "ops")) == {}


def test_without_sudo_only_what_needs_root_is_missing_on_that_node(lab: Lab) -> None:
    with sudo_allows(lab, "n1", ""):
        report = lab.check("--ssh", "--ssh-user", "ops")

    assert codes(report, "warning") == set(), json.dumps(report["findings"], indent=1)
    assert kernels(report)["answered"] == whole(lab)
    assert gaps(report).keys() == {"n1"}
    assert "iptables" in gaps(report)["n1"] and "sudo" in gaps(report)["n1"]
    assert "routes" not in gaps(report)["n1"]


def test_through_the_bastion_from_outside(lab: Lab) -> None:
    said = lab.flannelscope("check", "--ssh", "-o", "json", where="outside")
    assert said.returncode == 0, said.stdout + said.stderr
    report = json.loads(said.stdout)

    assert (kernels(report)["answered"], gaps(report)) == (whole(lab), {})
    assert f"as ops; {whole(lab)} through bastion" in said.stderr


def test_what_will_be_done_stands_on_standard_error_before(lab: Lab) -> None:
    said = lab.flannelscope("check", "--ssh").stderr

    assert f"{whole(lab)} nodes will be logged in to over SSH: {fold(['cp', *lab.nodes])}" in said
    assert f"as root; {whole(lab)} directly" in said
    assert "flannelscope ssh script prints it" in said


def test_a_node_that_is_silent_is_one_gap_and_the_others_are_whole(lab: Lab) -> None:
    with silent(lab, "n2"):
        report = lab.check("--ssh")

    assert codes(report, "warning") == set(), json.dumps(report["findings"], indent=1)
    assert (kernels(report)["asked"], kernels(report)["answered"]) == (whole(lab), whole(lab) - 1)
    assert gaps(report).keys() == {"n2"}
    assert any("n2" in unknown["nodes"] for unknown in report["unknown"])


def test_a_host_key_that_changed_is_a_gap_with_its_fingerprint_and_what_to_do(lab: Lab, tmp_path: Path) -> None:
    known = (lab.places.operator / ".ssh/known_hosts").read_text().splitlines()
    keys = {line.split()[0].split(",")[0]: line.split() for line in known}
    keys["n1"][2] = keys["n2"][2]
    other = tmp_path / "known_hosts"
    other.write_text("".join(" ".join(words) + "\n" for words in keys.values()))
    report = lab.check("--ssh", "--known-hosts", str(other))

    assert kernels(report)["answered"] == whole(lab) - 1
    assert gaps(report).keys() == {"n1"}
    assert "SHA256:" in gaps(report)["n1"] and "ssh-keygen" in gaps(report)["n1"]


def test_the_table_of_nodes_gains_what_they_say(lab: Lab) -> None:
    rows = json.loads(lab.flannelscope("nodes", "--ssh", "-o", "json").stdout)["nodes"]

    assert {row["kernel"]["flannel_mtu"] for row in rows} == {1450}
    assert all(row["kernel"]["release"] and row["kernel"]["flannel_arguments"] for row in rows)
    assert len({row["kernel"]["flannel_arguments"] for row in rows}) == 1
