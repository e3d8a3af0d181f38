"""A pool without a block left: why it filled up, who holds it, and what makes room, in the allocator's own numbers."""

from __future__ import annotations

from flannelscope.allocator import restart
from flannelscope.cidr import parse, show
from flannelscope.model import Finding, Node
from tests.engine.builders import event, findings, healthy, manager_pod, node

WIDE = [node(f"wide-{number}", f"10.{240 + number}.0.0/16") for number in range(16) if number != 4]
OLD = [node(f"old-{number}", f"10.244.{number}.0/24") for number in range(3)]
WAIT = [node(f"late-{number}") for number in range(5)]


def exhausted(nodes: list[Node], *flags: str) -> Finding:
    """The finding about a pool that these Nodes fill."""
    arguments = flags or ("--cluster-cidr=10.240.0.0/12", "--node-cidr-mask-size=16")
    events = [event("CIDRNotAvailable", late, "Node status is now: CIDRNotAvailable", type="Normal") for late in WAIT]
    (found,) = findings(healthy(nodes, control_plane_pods=[manager_pod(*arguments)], events=events), "FLN106")
    return found


def advised(found: Finding) -> tuple[str, ...]:
    """The commands of its remedy."""
    assert found.remedy is not None
    return found.remedy.commands


def test_a_short_node_mask_is_named_as_the_cause_and_the_longer_one_as_the_first_way_out() -> None:
    """10.244.0.0/16 still has 253 blocks of /24: they are enough, and nobody must be rebuilt."""
    found = exhausted([*WIDE, *OLD, *WAIT])
    assert "The node mask is /16 while 3 Nodes hold a /24: each new Node takes 256 times as many" in found.summary
    assert found.remedy is not None
    assert found.remedy.summary.startswith("1. Lengthen the node mask to /24: 253 blocks are free then at once. ")
    assert advised(found)[1] == "flannelscope cidr what-if --node-cidr-mask-size 24"


def test_where_the_longer_mask_frees_nothing_it_says_whose_rebuild_does() -> None:
    full = [node(f"old-{number}", f"10.244.{number}.0/24") for number in range(256)]
    found = exhausted([*WIDE, *full, *WAIT])
    assert found.remedy is not None
    said = "that alone frees no block, but each of the 15 Nodes with a /16 (wide-[0-3] wide-[5-15]) frees 255 when it is rebuilt"
    assert said in found.remedy.summary
    assert "--cluster-cidr to 10.224.0.0/11" in found.remedy.summary


def test_the_wider_range_is_the_smallest_that_has_enough_and_meets_nothing_known() -> None:
    nodes = [node(f"w{number}", f"10.244.{number}.0/24") for number in range(4)]
    found = exhausted([*nodes, *WAIT], "--cluster-cidr=10.244.0.0/22", "--node-cidr-mask-size=24")
    assert advised(found)[1] == "flannelscope cidr what-if --cluster-cidr 10.244.0.0/20 --node-cidr-mask-size 24"
    nodes[0] = node("w0", "10.244.0.0/24", ip="10.244.9.7")
    found = exhausted([*nodes, *WAIT], "--cluster-cidr=10.244.0.0/22", "--node-cidr-mask-size=24")
    assert all("--cluster-cidr 10.244.0.0/20" not in line for line in advised(found)), "a Node's address lies in it"


def test_what_is_proposed_is_what_the_allocator_would_then_have() -> None:
    nodes = [*WIDE, *OLD, *WAIT]
    cluster = parse("10.240.0.0/12")
    assert cluster is not None
    start = restart([cluster], [24], (), nodes)
    remedy = exhausted(nodes).remedy
    assert remedy is not None
    assert f"{start.free} blocks are free then" in remedy.summary
    assert show(start.next(1)[0][0]) == "10.244.3.0/24"


def test_the_decisive_evidence_comes_first_and_events_are_three_and_a_count() -> None:
    what = [item.what for item in exhausted([*WIDE, *OLD, *WAIT]).evidence]
    assert what[-6:] == [
        "blocks",
        "who holds 10.240.0.0/12",
        *(f"event CIDRNotAvailable of late-{number}" for number in range(3)),
        "further events",
    ]
    held = next(item.value for item in exhausted([*WIDE, *OLD, *WAIT]).evidence if item.what.startswith("who holds"))
    assert held == "15 Nodes with a /16: 15 blocks; 3 Nodes with a /24: 1 block"


def test_without_a_known_range_nothing_is_counted() -> None:
    said = event("CIDRNotAvailable", WAIT[0])
    (found,) = findings(healthy([*OLD, WAIT[0]], control_plane_pods=[], events=[said]), "FLN106")
    assert advised(found)[1] == "flannelscope cidr what-if --cluster-cidr CIDR --node-cidr-mask-size N"
    assert not any(item.what.startswith("who holds") for item in found.evidence)
