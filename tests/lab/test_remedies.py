"""What remedies print is carried out as printed, and the finding goes away: by a finding's last line, the proof that it names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest

from tests.lab.faults import Fault, Victims, all_faults, hands
from tests.lab.faults.hands import Cluster, wait_until
from tests.lab.faults.state import await_healthy
from tests.lab.remedies import PAUSE, as_run_here, carry_out, found, gone
from tests.lab.truth import RANGES

pytestmark = pytest.mark.slow(2)
Broken = Callable[[str], Victims]


@pytest.fixture
def broken(lab: Cluster) -> Iterator[Broken]:
    """Injects a fault by name; afterwards everything is well again, healed by the remedy or not.

    The lab need not be settled: what is to be found is awaited, and whatever else is found meanwhile is no matter here.
    """
    staged: list[tuple[Fault, Victims]] = []

    def inject(name: str) -> Victims:
        fault = all_faults()[name]
        staged.append((fault, fault.draw(lab, Random(name))))
        fault.inject(lab, staged[0][1])
        return staged[0][1]

    yield inject
    for fault, victims in staged:
        fault.heal(lab, victims)
    await_healthy(lab)


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
