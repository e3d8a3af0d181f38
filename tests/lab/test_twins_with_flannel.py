"""Two machines with flannel that hold one podCIDR: both work as far as they know, and the third sees one of them.

The tests stand in the order of a night: what is seen, what follows, and in the end what the remedy does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from tests.lab.faults import hands
from tests.lab.faults.state import await_healthy
from tests.lab.lab import Lab, brought_up, wait_until
from tests.lab.remedies import PAUSE, as_run_here, carry_out, found, gone
from tests.lab.reports import Object, findings, subjects
from tests.lab.reports import named as told_of
from tests.lab.settings import Settings
from tests.lab.side_by_side import named

pytestmark = [pytest.mark.xdist_group("twins"), pytest.mark.slow(4)]
RANGES = ("--cluster-cidr", "10.244.0.0/16", "--node-cidr-mask-size", "24")


@pytest.fixture(scope="module")
def twins(possible: None) -> Iterator[Lab]:
    """Node n3, re-created with the podCIDR that n1 holds; flannel and pods restarted there, as after a machine's rebuild.

    The lab is of its own: on another, whoever comes next would wait until n3 is old enough to be judged.
    """
    with brought_up(Settings(named("twins"), nodes=3)) as lab:
        recreate(lab, "n3", lab.pod_cidrs()["n1"])
        yield lab


def test_flannel_sees_two_members_with_one_lease(twins: Lab) -> None:
    report = twins.check(*RANGES)

    (finding,) = findings(report, "FLN101")
    assert subjects(finding) == {"n1", "n3"}
    assert finding["severity"] == "critical"
    assert report["exit"] == 1


def test_pods_with_one_address_are_a_consequence(twins: Lab) -> None:
    """Both probe pods took the first address of the block. That is told inside the duplicate podCIDR, not beside it.

    It is told once the new Node has been there for two minutes, and after a second read.
    """
    addresses = {pod["spec"]["nodeName"]: pod["status"]["podIP"] for pod in probes(twins)}
    assert addresses["n1"] == addresses["n3"] != addresses["n2"]
    real = set(twins.pod_cidrs())
    wait_until(lambda: told_of(twins.check(*RANGES), "FLN112") & real == {"n1", "n3"}, "FLN112 names both", 240, PAUSE)
    report = twins.check(*RANGES)
    assert findings(report, "FLN112") == []
    (consequence,) = [effect for effect in findings(report, "FLN101")[0]["consequences"] if effect["code"] == "FLN112"]
    assert addresses["n1"] in consequence["summary"]


def test_the_remedy_gives_one_of_them_a_podcidr_of_its_own(twins: Lab, tmp_path: Path) -> None:
    """FLN101: n3 moves to a free block by what is printed."""
    carry_out(twins, found(twins, "FLN101"), tmp_path, as_run_here(twins, tmp_path))
    wait_until(lambda: ready(twins, "n3"), "n3 is Ready", 120)
    for pod in [pod for node, pod in hands.probes(twins).items() if not inside(twins, node, hands.address(pod))]:
        twins.kubectl("delete", "pod", pod["metadata"]["name"])  # the line before the last asks for that

    assert gone(twins, "FLN101")
    await_healthy(twins)


def inside(lab: Lab, node: str, address: str) -> bool:
    """Whether an address is in the podCIDR of a node."""
    return bool(address) and ip_address(address) in ip_network(lab.pod_cidrs()[node])


def recreate(lab: Lab, name: str, pod_cidr: str) -> None:
    """Delete the Node and let it come back with this podCIDR; then new flannel and probe pods on it."""
    node = lab.get(f"/api/v1/nodes/{name}")
    lab.delete_nodes([name])
    kept = {key: node["metadata"][key] for key in ("name", "labels")}
    lab.create({"apiVersion": "v1", "kind": "Node", "metadata": kept, "spec": {"podCIDR": pod_cidr, "podCIDRs": [pod_cidr]}})
    lab.inside(name, "rm", "-rf", "/var/lib/cni/networks", "/run/flannel/subnet.env")
    lab.inside(name, "sh", "-c", "ip link delete cni0; ip link delete flannel.1; true")
    wait_until(lambda: ready(lab, name), f"{name} is Ready", 120)
    lab.flannel_ready()
    wait_until(lambda: announced(lab, name), f"{name} is announced", 60)
    lab.kubectl("rollout", "status", "ds/probe", "--timeout=120s")
    wait_until(lambda: all(pod["status"].get("podIP") for pod in probes(lab)), "every probe has an address")


def ready(lab: Lab, name: str) -> bool:
    conditions = lab.get(f"/api/v1/nodes/{name}")["status"].get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def announced(lab: Lab, name: str) -> bool:
    annotations = lab.get(f"/api/v1/nodes/{name}")["metadata"].get("annotations", {})
    return "VtepMAC" in json.loads(annotations.get("flannel.alpha.coreos.com/backend-data", "{}"))


def probes(lab: Lab) -> list[Object]:
    items: list[Object] = lab.get("/api/v1/namespaces/default/pods?labelSelector=app%3Dprobe")["items"]
    return items
