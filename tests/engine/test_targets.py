"""Whoever follows several remedies must not make new twins: each proposes a block of its own that nobody uses."""

from __future__ import annotations

from itertools import combinations

from msgspec.structs import replace

from flannelscope.cidr import overlaps, parse
from flannelscope.facts import Facts
from flannelscope.model import Gap, Snapshot, Topic
from flannelscope.simulated import build
from flannelscope.targets import target
from tests.engine.builders import NOW, manager_pod, node, snapshot


def twins() -> Snapshot:
    flags = ("--allocate-node-cidrs=true", "--cluster-cidr=10.244.0.0/16", "--node-cidr-mask-size=24")
    held = [node(f"w{number}", f"10.244.{number % 2}.0/24") for number in range(6)]
    return snapshot(held, control_plane_pods=(manager_pod(*flags),))


def test_each_node_gets_a_block_of_its_own_that_touches_nothing() -> None:
    facts = Facts(twins())
    proposed = [target(facts, node.name)[0] for node in facts.snapshot.nodes]
    assert len(set(proposed)) == 6
    taken = [item.prefix for item in facts.pod_cidrs if item.prefix is not None]
    assert not any(overlaps(new, old) for new in proposed for old in taken)
    assert not any(overlaps(a, b) for a, b in combinations(proposed, 2))


def test_the_same_node_is_told_the_same_block() -> None:
    facts = Facts(twins())
    assert target(facts, "w1") == target(facts, "w1") != target(facts, "w2")


def test_nothing_is_proposed_where_the_range_is_only_a_guess() -> None:
    assert target(Facts(snapshot([node("w1", "10.244.1.0/24")])), "w1") == ()


def test_a_full_pool_proposes_nothing() -> None:
    flags = ("--allocate-node-cidrs=true", "--cluster-cidr=10.244.0.0/23", "--node-cidr-mask-size=24")
    held = snapshot([node("w1", "10.244.0.0/24"), node("w2", "10.244.1.0/24")], control_plane_pods=(manager_pod(*flags),))
    assert target(Facts(held), "w1") == ()


def test_the_remedies_of_the_demo_propose_ten_different_blocks() -> None:
    from flannelscope.judge import judge

    remedies = [f.remedy for f in judge(build("twins", now=NOW)).findings if f.code == "FLN101" and f.remedy is not None]
    words = {
        word.rstrip(";") for remedy in remedies for line in remedy.commands for word in line.split() if parse(word.rstrip(";"))
    }
    assert len(remedies) == len([word for word in words if parse(word)]) == 10


def test_nothing_is_proposed_while_a_node_could_not_be_read() -> None:
    held = twins()
    assert target(Facts(held), "w1") != ()
    assert target(Facts(replace(held, gaps=(Gap(Topic.NODES, "Node w9 cannot be read", node="w9"),))), "w1") == ()
