"""Light nodes are nodes: their data plane, their heartbeat and their sshd are real, and the console finds nothing wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.lab.lab import Lab, brought_up, wait_until
from tests.lab.programs import program
from tests.lab.reports import codes
from tests.lab.settings import Settings
from tests.lab.side_by_side import named
from tests.lab.synced import lacking

pytestmark = pytest.mark.xdist_group("light-nodes")
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{}"


@pytest.fixture(scope="module")
def mixed(possible: None) -> Iterator[Lab]:
    """Two full nodes and six light ones."""
    with brought_up(Settings(named("light"), nodes=2, light=6)) as lab:
        yield lab


def renewed(lab: Lab, node: str) -> str:
    time: str = lab.get(LEASE.format(node))["spec"]["renewTime"]
    return time


def test_every_pod_reaches_every_other_and_nothing_is_wrong(mixed: Lab) -> None:
    addresses = mixed.probe_pods()
    assert addresses.keys() == {"cp", *mixed.nodes, *mixed.light}
    for node in (*mixed.nodes, *mixed.light):
        for address in addresses.values():
            assert mixed.reached(node, address), f"{node} does not reach {address}"
    report = mixed.check()
    assert codes(report, "warning") == set(), json.dumps(report["findings"], indent=1)
    assert report["exit"] == 0


def test_flannel_sets_again_what_is_lost_when_it_starts_again(mixed: Lab) -> None:
    node, peer = mixed.light[0], mixed.pod_cidrs()[mixed.light[1]]
    others = [cidr for name, cidr in mixed.pod_cidrs().items() if name != node]
    mixed.inside(node, "ip", "route", "del", peer)
    assert lacking(mixed, node, others) == f"1 routes, that to {peer} among them"
    process = mixed.inside(node, "pidof", "flanneld")
    mixed.inside(node, "kill", process.strip())
    wait_until(lambda: mixed.inside(node, "pidof", "flanneld", check=False) not in ("", process), "flannel runs again")
    wait_until(lambda: not lacking(mixed, node, others), "the route is back")
    assert "Running backend" in mixed.flannel_log(node)


def test_flannel_has_the_rights_of_its_service_account_and_no_more(mixed: Lab) -> None:
    assert as_flannel(mixed, "whoami", "-o", "jsonpath={.status.userInfo.username}") == (
        f"system:serviceaccount:{mixed.settings.kind.namespace}:flannel"
    )
    assert as_flannel(mixed, "can-i", "patch", "nodes", "--subresource=status") == "yes"
    assert as_flannel(mixed, "can-i", "delete", "nodes") == "no"


def as_flannel(lab: Lab, *what: str) -> str:
    """What `kubectl auth` says to the holder of light nodes' kubeconfig."""
    argv = [str(program("kubectl")), "--kubeconfig", str(lab.places.pki / "flannel.conf"), "auth", *what]
    return lab.bastion(*argv).stdout.strip()


def test_who_works_on_the_bastion_comes_in_by_ssh(mixed: Lab) -> None:
    ssh = ["ssh", f"ops@{mixed.light[2]}", "hostname; sudo -n id -un"]
    assert mixed.bastion(*ssh, environment=mixed.operator_environment()).stdout.split() == [mixed.light[2], "root"]


def test_leases_are_renewed_but_not_that_of_a_node_that_is_asleep(mixed: Lab) -> None:
    asleep, awake = mixed.light[3], mixed.light[4]  # in this order they are renewed, a second after each other
    (mixed.places.node(asleep) / "asleep").touch()
    try:
        last, first = renewed(mixed, asleep), renewed(mixed, awake)
        wait_until(lambda: renewed(mixed, awake) != first, "a Lease is renewed", 45)
        assert renewed(mixed, asleep) == last
    finally:
        (mixed.places.node(asleep) / "asleep").unlink()
    wait_until(lambda: renewed(mixed, asleep) != last, "its Lease is renewed again", 45)
