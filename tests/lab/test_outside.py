"""From an operator's own computer: through the bastion as a jump host, as a user with sudo, with or without the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import outside
from tests.lab.lab import Lab, LabFailed
from tests.lab.networks import BASTION, DOOR, full_nodes
from tests.lab.sudo import sudo_allows

LISTED = "ops ALL=(root) NOPASSWD: /usr/sbin/ip -j route show, /usr/sbin/bridge -j fdb show dev flannel.1\n"


@pytest.fixture
def without_api(lab: Lab) -> Iterator[None]:
    outside.close_api(lab.places)
    try:
        yield
    finally:
        outside.open_api(lab.places)


def test_nodes_are_reached_through_the_bastion_only(lab: Lab) -> None:
    for node in ("cp", *lab.nodes):
        said = lab.outside("ssh", node, "id -un; hostname; sudo -n id -u")
        assert said.stdout.split() == ["ops", node, "0"], said.stderr

    directly = lab.outside("ssh", "-J", "none", "-o", "ConnectTimeout=3", "n1", "true")
    assert directly.returncode == 255
    assert "Network is unreachable" in directly.stderr


def test_the_bastion_hands_on_no_packets(lab: Lab) -> None:
    """Whoever set a route through it would not come further."""
    address = full_nodes(lab.settings)[0].private
    lab.outside("ip", "route", "add", address, "via", DOOR)
    try:
        assert lab.outside("ping", "-c", "1", "-W", "1", BASTION).returncode == 2, "there is no route to this"
        assert lab.outside("ping", "-c", "1", "-W", "1", address).returncode == 1
        assert lab.outside("ping", "-c", "1", "-W", "1", DOOR).returncode == 0
    finally:
        lab.outside("ip", "route", "del", address)


def test_on_the_bastion_one_is_nobody_special(lab: Lab) -> None:
    said = lab.outside("ssh", "bastion", "id -un; hostname; sudo -n true 2>&1")
    assert said.stdout.splitlines()[:2] == ["ops", "bastion"], said.stderr
    assert said.returncode == 1
    assert "Permission denied" in lab.outside("ssh", "root@bastion", "true").stderr


def test_a_node_that_allows_no_sudo(lab: Lab) -> None:
    with sudo_allows(lab, "n1", ""):
        refused = lab.outside("ssh", "n1", "sudo -n true")
        assert (refused.returncode, lab.outside("ssh", "cp", "sudo -n true").returncode) == (1, 0)
        assert lab.outside("ssh", "n1", "true").returncode == 0
    assert lab.outside("ssh", "n1", "sudo -n true").returncode == 0


def test_a_node_that_allows_listed_commands(lab: Lab) -> None:
    with sudo_allows(lab, "n1", LISTED):
        routes = lab.outside("ssh", "n1", "sudo -n ip -j route show")
        assert "flannel.1" in {route["dev"] for route in json.loads(routes.stdout)}
        for other in ("ip route show", "bridge fdb show", "ip -j route flush cache", "sh"):
            assert lab.outside("ssh", "n1", f"sudo -n {other}").returncode == 1, other


def test_rules_that_sudo_does_not_understand_change_nothing(lab: Lab) -> None:
    with pytest.raises(LabFailed, match="syntax error"), sudo_allows(lab, "n1", "ops may do what it likes\n"):
        raise AssertionError("such rules hold")
    assert lab.outside("ssh", "n1", "sudo -n true").returncode == 0


def test_the_cluster_is_checked_from_outside(lab: Lab) -> None:
    said = lab.flannelscope("check", "-o", "json", where="outside")
    assert said.returncode == 0, said.stdout + said.stderr
    assert json.loads(said.stdout)["findings"] is not None


def test_an_api_that_refuses_is_said_plainly(lab: Lab, without_api: None) -> None:
    said = lab.flannelscope("check", where="outside")
    assert said.returncode == 3
    assert f"{DOOR}:6443" in said.stdout + said.stderr
    assert "refused" in said.stdout + said.stderr
    assert "Traceback" not in said.stderr
    assert lab.outside("ssh", "n1", "true").returncode == 0


def test_an_api_to_which_no_way_leads_is_said_plainly(lab: Lab) -> None:
    """The administrator's own kubeconfig, with the address that only the bastion reaches."""
    said = lab.flannelscope("check", where="outside", kubeconfig=lab.admin)
    assert said.returncode == 3
    assert "no route" in said.stderr


def test_without_a_kubeconfig_that_is_said_plainly(lab: Lab, tmp_path: Path) -> None:
    said = lab.flannelscope("check", where="outside", kubeconfig=tmp_path / "none")
    assert said.returncode == 2
    assert str(tmp_path / "none") in said.stderr
