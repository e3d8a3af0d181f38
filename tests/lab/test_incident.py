"""The incident, on the real allocator: 10.244.0.0/16 in /24, then 10.244.0.0/12 in /16, then 10.244.0.0/12 in /24.

The Nodes are bare: no machine, no flannel, no heartbeat. What that causes is true, and it is compared apart: here the
1xx findings must name exactly the Nodes whose addresses are at fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.lab.lab import Lab, wait_until
from tests.lab.objects import bare_node
from tests.lab.reports import Object, codes, findings, named, subjects, told

pytestmark = [pytest.mark.xdist_group("incident"), pytest.mark.settled]
REAL = ("cp", "n1", "n2", "n3")
OLD = [f"old-{i}" for i in range(6)]
WIDE = [f"wide-{i:02d}" for i in range(18)]
NEW = [f"new-{i}" for i in range(4)]
WRONG = {"FLN101", "FLN102", "FLN103", "FLN105", "FLN106", "FLN107"}


@pytest.fixture(scope="module")
def incident(lab: Lab) -> Iterator[dict[str, Object]]:
    """What `check` said at each stage; afterwards the cluster is as it was."""
    try:
        yield {stage: act(lab) for stage, act in STAGES.items()}
    finally:
        lab.delete_nodes([name for name in lab.pod_cidrs() if name not in REAL])
        lab.controller_manager(cluster_cidr="10.244.0.0/16", node_cidr_mask_size="24")


def small_blocks(lab: Lab) -> Object:
    lab.create_and_await([bare_node(name) for name in OLD])
    return lab.check("--cluster-cidr", "10.244.0.0/16", "--node-cidr-mask-size", "24")


def wide_blocks(lab: Lab) -> Object:
    """16 blocks, one of them full of the old /24s: fifteen Nodes get a /16, three wait."""
    lab.controller_manager(cluster_cidr="10.244.0.0/12", node_cidr_mask_size="16")
    lab.create(*(bare_node(name) for name in WIDE))
    wait_until(lambda: sum(1 for name in WIDE if lab.pod_cidrs()[name]) == 15, "fifteen Nodes have a /16")
    wait_until(lambda: refused(lab) >= waiting(lab), "the allocator has an event for each Node that waits")
    wait_until(lambda: settled(lab, REAL), "the real Nodes are two minutes old", 150)
    return lab.check("--cluster-cidr", "10.244.0.0/12", "--node-cidr-mask-size", "16") | {"waiting": waiting(lab)}


def small_blocks_again(lab: Lab) -> Object:
    """The wide Nodes keep what they have; who waited, and who comes, gets a /24."""
    lab.controller_manager(cluster_cidr="10.244.0.0/12", node_cidr_mask_size="24")
    lab.create_and_await([bare_node(name) for name in NEW])
    wait_until(lambda: not waiting(lab), "nobody waits any more")
    return lab.check("--cluster-cidr", "10.244.0.0/12", "--node-cidr-mask-size", "24")


def faults(lab: Lab) -> Object:
    """Twins, an overlap and a stray, as hands and older allocators made them."""
    held = lab.pod_cidrs()
    lab.create(
        bare_node("twin-a", held[NEW[0]]), bare_node("twin-b", held[OLD[0]]),
        bare_node("overlapping", "10.244.0.0/16"), bare_node("stray", "192.168.77.0/24"),
    )  # fmt: skip
    report = lab.check("--cluster-cidr", "10.244.0.0/12", "--node-cidr-mask-size", "24")
    return report | {"held": lab.pod_cidrs()}


STAGES = {"small": small_blocks, "wide": wide_blocks, "again": small_blocks_again, "faults": faults}


def waiting(lab: Lab) -> set[str]:
    return {name for name, cidr in lab.pod_cidrs().items() if not cidr}


def settled(lab: Lab, names: tuple[str, ...]) -> bool:
    """Whether these Nodes are older than two minutes: most checks leave younger ones alone."""
    two_minutes_ago = datetime.now(UTC) - timedelta(minutes=2)
    created = [lab.get(f"/api/v1/nodes/{name}")["metadata"]["creationTimestamp"] for name in names]
    return all(datetime.fromisoformat(time) < two_minutes_ago for time in created)


def refused(lab: Lab) -> set[str]:
    """Nodes for which the allocator wrote CIDRNotAvailable."""
    events = lab.get("/api/v1/namespaces/default/events")["items"]
    return {event["involvedObject"]["name"] for event in events if event["reason"] == "CIDRNotAvailable"}


def test_small_blocks_are_fine(incident: dict[str, Object]) -> None:
    assert codes(incident["small"]) & WRONG == set()


def test_a_pool_of_sixteen_is_exhausted(incident: dict[str, Object]) -> None:
    """One finding names the three that wait, and nobody else; that they have no podCIDR is inside it."""
    report = incident["wide"]
    assert len(report["waiting"]) == 3

    (finding,) = findings(report, "FLN106")
    assert subjects(finding) >= report["waiting"]
    assert {name for name in subjects(finding) if name in report["cluster"] or name.startswith(("n", "old", "wide"))} == report[
        "waiting"
    ]
    assert finding["severity"] == "critical"
    assert "CIDRNotAvailable" in told(finding)
    assert findings(report, "FLN105") == []


def test_old_nodes_in_one_wide_block_are_told(incident: dict[str, Object]) -> None:
    """The /24s take one bit of sixteen together: deleting one of them frees it for all."""
    (finding,) = findings(incident["wide"], "FLN104")
    assert subjects(finding) >= set(REAL)
    assert finding["severity"] == "warning"


def test_written_with_host_bits(incident: dict[str, Object]) -> None:
    (finding,) = findings(incident["wide"], "FLN113")
    assert "10.240.0.0/12" in told(finding)


def test_small_again_is_no_twin_and_no_overlap(incident: dict[str, Object]) -> None:
    """This version's allocator keeps clear of the wide blocks and of all /24s that exist."""
    report = incident["again"]
    for code in ("FLN101", "FLN102", "FLN103", "FLN105", "FLN106"):
        assert findings(report, code) == [], code


def test_twins_are_named(incident: dict[str, Object]) -> None:
    report = incident["faults"]
    groups = sorted(sorted(subjects(finding)) for finding in findings(report, "FLN101"))
    assert groups == sorted([sorted([NEW[0], "twin-a"]), sorted([OLD[0], "twin-b"])])


def test_the_overlap_is_named_with_all_it_contains(incident: dict[str, Object]) -> None:
    report = incident["faults"]
    inside = {name for name, cidr in report["held"].items() if cidr.startswith("10.244.") and name != "overlapping"}

    (finding,) = findings(report, "FLN102")
    assert subjects(finding) == {"overlapping", *inside}


def test_the_stray_is_named_and_what_it_will_do(incident: dict[str, Object]) -> None:
    (finding,) = findings(incident["faults"], "FLN103")
    assert subjects(finding) == {"stray"}
    assert finding["severity"] == "critical"
    assert "192.168.77.0/24" in told(finding)


def test_faults_of_addresses_and_nothing_else_of_them(incident: dict[str, Object]) -> None:
    """No Node is blamed for missing what it has, and none for being a bare one under a code of addresses."""
    report = incident["faults"]
    assert named(report, "FLN105") == set()
    assert named(report, "FLN106") == set()


def test_the_controller_manager_does_not_start_with_the_stray(incident: dict[str, Object], lab: Lab) -> None:
    """What FLN103 foretells: the real one ends with the very sentence that the model says."""
    from flannelscope.allocator import restart
    from flannelscope.cidr import parse
    from flannelscope.model import Node

    nodes = [Node(name=name, pod_cidrs=(cidr,)) for name, cidr in lab.pod_cidrs().items() if cidr]
    cluster = parse("10.240.0.0/12")
    assert cluster is not None
    foretold = restart((cluster,), (24,), (), nodes)
    assert not foretold.would_start

    lab.controller_manager(cluster_cidr="10.244.0.0/12", node_cidr_mask_size="24")
    wait_until(lambda: foretold.reason in lab.manager_log(), f"its log says: {foretold.reason}")
