"""What remedies print is carried out as printed, and the finding goes away: by a finding's last line, the proof that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path
from random import Random

import pytest

from tests.lab.faults import Fault, Victims, all_faults, hands
from tests.lab.faults.hands import Cluster, wait_until
from tests.lab.faults.state import await_healthy, settled
from tests.lab.remedies import Edit, carry_out
from tests.lab.reports import Object, findings
from tests.lab.test_twins_with_flannel import recreate
from tests.lab.truth import RANGES

pytestmark = pytest.mark.slow
TWIN = "n3"
PAUSE = 2.0  # seconds between two checks: each keeps a processor busy for one
Broken = Callable[[str], Victims]


@pytest.fixture
def broken(lab: Cluster) -> Iterator[Broken]:
    """Injects a fault by name on a settled lab; afterwards everything is well again, healed by the remedy or not."""
    staged: list[tuple[Fault, Victims]] = []

    def inject(name: str) -> Victims:
        wait_until(lambda: settled(lab), "the lab is settled", 240)
        fault = all_faults()[name]
        staged.append((fault, fault.draw(lab, Random(name))))
        fault.inject(lab, staged[0][1])
        return staged[0][1]

    yield inject
    for fault, victims in staged:
        fault.heal(lab, victims)
    await_healthy(lab)


def found(lab: Cluster, code: str, seconds: float = 180.0) -> Object:
    """The finding, once its conditions have had their time."""
    wait_until(lambda: bool(findings(lab.check(*RANGES), code)), f"{code} is found", seconds, PAUSE)
    one: Object = findings(lab.check(*RANGES), code)[0]
    return one


def gone(lab: Cluster, code: str) -> bool:
    return not findings(lab.check(*RANGES), code)


def test_a_clone_gets_a_device_of_its_own(lab: Cluster, broken: Broken, tmp_path: Path) -> None:
    """FLN205. Afterwards every pod reaches every other: the last line tells peers again where the MAC is."""
    broken("vtep-mac-shared")
    carry_out(lab, found(lab, "FLN205"), tmp_path)
    wait_until(lambda: gone(lab, "FLN205"), "nobody shares a MAC", pause=PAUSE)
    await_healthy(lab)


def test_a_left_over_node_is_removed(lab: Cluster, broken: Broken, tmp_path: Path) -> None:
    """FLN604. Commands are given once the controller manager too says that it is silent."""
    victims = broken("left-over-node")
    wait_until(lambda: bool(found(lab, "FLN604")["remedy"]["commands"]), "commands are given", 240, PAUSE)
    carry_out(lab, found(lab, "FLN604"), tmp_path, as_run_here(lab, tmp_path))

    assert victims.nodes[0] not in lab.pod_cidrs()
    assert gone(lab, "FLN604")


def test_a_node_is_given_a_podcidr_by_hand(lab: Cluster, broken: Broken, tmp_path: Path) -> None:
    """FLN105. The remedy leaves open which block: `cidr free` names one."""
    victims = broken("podcidr-missing")
    finding = found(lab, "FLN105")
    free = json.loads(lab.flannelscope("cidr", "free", "-n", "1", *RANGES, "-o", "json").stdout)["next"][0]
    carry_out(lab, finding, tmp_path, lambda line: line.replace('"CIDR"', f'"{free}"'))

    assert lab.pod_cidrs()[victims.nodes[0]] == free
    assert gone(lab, "FLN105")


def test_a_node_that_was_never_learnt_is_touched(lab: Cluster, broken: Broken) -> None:
    """FLN207, as `explain` says it: the same JSON with other blanks, and every peer sets its route."""
    victims = broken("never-learnt")
    name, cidr = victims.nodes[0], lab.pod_cidrs()[victims.nodes[0]]
    data = {"VNI": 1, "VtepMAC": victims.values["mac"]}
    lab.patch("node", name, {"metadata": {"annotations": {"flannel.alpha.coreos.com/backend-data": json.dumps(data)}}})
    for peer in hands.nodes(lab):
        there = partial(hands.holds, lab, peer, f"ip route show {cidr} | grep -q flannel.1")
        wait_until(there, f"{peer} has a route to {name}")


def test_a_twin_gets_a_podcidr_of_its_own(lab: Cluster, tmp_path: Path) -> None:
    """FLN101, on machines with flannel and pods: n3 holds what n1 holds, and moves to a free block by what is printed."""
    wait_until(lambda: settled(lab), "the lab is settled", 240)
    held, kept = lab.pod_cidrs(), {key: hands.nodes(lab)[TWIN]["metadata"][key] for key in ("name", "labels")}
    try:
        recreate(lab, TWIN, held["n1"])
        wait_until(lambda: settled(lab), "the twins are settled", 240)
        finding = found(lab, "FLN101")
        carry_out(lab, finding, tmp_path, as_run_here(lab, tmp_path))
        wait_until(lambda: hands.ready(lab.get("/api/v1/nodes/n3")), "n3 is Ready", 120)
        for pod in [pod for node, pod in hands.probes(lab).items() if not inside(lab, node, hands.address(pod))]:
            lab.kubectl("delete", "pod", pod["metadata"]["name"])  # the line before the last asks for that

        assert gone(lab, "FLN101")
        await_healthy(lab)
    finally:
        if TWIN not in lab.pod_cidrs():
            lab.create({"apiVersion": "v1", "kind": "Node", "metadata": kept})
            lab.inside(TWIN, "sh", "-c", "kill -KILL $(pidof kubelet)")
        recreate(lab, TWIN, held[TWIN])


def inside(lab: Cluster, node: str, address: str) -> bool:
    """Whether an address is in the podCIDR of a node."""
    return bool(address) and ip_address(address) in ip_network(lab.pod_cidrs()[node])


def as_run_here(lab: Cluster, folder: Path) -> Edit:
    """What a remedy leaves to the operator: how services are run in this lab, and editing a saved object."""

    def edit(line: str) -> str:
        if line.startswith(
            ("# restart the controller manager", "crictl stop $(crictl ps --quiet --name kube-controller-manager)")
        ):
            lab.controller_manager()
            return ""
        if line.startswith("systemctl stop kubelet"):
            return line.replace("systemctl stop kubelet", "kill -STOP $(pidof kubelet)")
        if line.startswith("systemctl start kubelet"):
            return line.replace("systemctl start kubelet", "kill -KILL $(pidof kubelet)")  # whoever started it starts it again
        if line.startswith("kubectl create -f "):
            change(folder / line.split()[3], new_block[0])
        if wanted := re.search(r"# set spec.podCIDR and spec.podCIDRs to (\S+?);", line):
            new_block[:] = [wanted[1]]
        return line

    new_block: list[str] = []
    return edit


def change(saved: Path, cidr: str) -> None:
    """What the comment in the remedy asks for."""
    node = json.loads(saved.read_text())
    node["spec"] |= {"podCIDR": cidr, "podCIDRs": [cidr]}
    for key in ("uid", "resourceVersion", "managedFields"):
        node["metadata"].pop(key, None)
    saved.write_text(json.dumps(node))
