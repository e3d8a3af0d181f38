"""FLN109 where podCIDRs lie inside each other: one finding a cause, and a cost that grows with the Nodes, not their square."""

from __future__ import annotations

import time

from flannelscope.checks import all_checks
from flannelscope.judge import judge
from flannelscope.model import Node, Snapshot
from flannelscope.proofs import SHOWN

from .builders import announced, findings, fleet, healthy, manager_pod, net_conf, node, nodes_of


def wide(name: str, pod_cidr: str, ip: str) -> Node:
    return announced(node(name, pod_cidr, ip=ip))


def mixed(number: int) -> Snapshot:
    """Nodes in 10.0.0.0/8 with podCIDRs of every length from /8 to /24 in the same range, each inside another."""
    nodes = [
        wide(f"w{i}", f"10.{128 + (i >> 8)}.{i & 255}.0/{8 + i % 17}", f"10.{20 + (i >> 16)}.{i >> 8 & 255}.{i & 255}")
        for i in range(number)
    ]
    manager = manager_pod("--cluster-cidr=10.0.0.0/8")
    return healthy(nodes, config_maps=[net_conf("10.0.0.0/8")], control_plane_pods=[manager])


def test_nested_podcidrs_are_one_finding() -> None:
    nodes = [*fleet(2), wide("over", "10.20.0.0/16", "192.0.2.1"), wide("in", "10.20.0.0/24", "192.0.2.2")]
    [found] = findings(healthy(nodes), "FLN109")
    assert found.nodes == ("over", "in", "w001", "w002")
    assert "The podCIDR 10.20.0.0/16 of over and 1 other in it (in) contain the addresses of w001 w002" in found.summary


def test_one_that_is_nested_but_contains_no_address_is_not_named() -> None:
    nodes = [*fleet(1), wide("over", "10.20.0.0/16", "192.0.2.1"), wide("in", "10.20.9.0/24", "192.0.2.2")]
    assert nodes_of(findings(healthy(nodes), "FLN109")) == [("over", "w001")]


def test_apart_they_are_findings_of_their_own() -> None:
    nodes = [
        *fleet(1),
        wide("a", "10.20.0.0/24", "10.30.0.1"),
        wide("b", "10.30.0.0/24", "192.0.2.2"),
    ]
    assert nodes_of(findings(healthy(nodes), "FLN109")) == [("a", "w001"), ("b", "a")]


def test_five_thousand_nodes_of_mixed_lengths_say_little() -> None:
    taken = mixed(5000)
    [found] = findings(taken, "FLN109")
    assert len(found.subjects) == 5000
    assert len(found.evidence) <= 2 * SHOWN
    assert found.remedy is not None and len(found.remedy.commands) < 100
    assert len(found.summary) < 500


def cost(number: int) -> float:
    """CPU seconds for all checks on so many Nodes."""
    taken = mixed(number)
    started = time.process_time()
    judge(taken)
    return time.process_time() - started


def test_the_cost_grows_with_the_nodes() -> None:
    all_checks()  # imported before the clock runs
    small, large = min(cost(300) for _ in range(3)), cost(3000)
    assert large < small * 10 * 4  # a square would be a hundred times as much
