"""Plans of a range, free blocks in their order, and what another range would mean."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flannelscope.blocks import addresses_of, best_first, block, cursor_of, free_runs, plan
from flannelscope.cidr import overlaps, parse, show
from flannelscope.facts import Facts
from flannelscope.model import Declared, Gap, Node, Prefix, Snapshot, Topic
from flannelscope.report.cidr import answer_document, answer_text
from flannelscope.what_if import Answer, free, what_if
from tests.engine.builders import DAY, NOW, healthy, manager_pod, node, pod, snapshot


def prefix(text: str) -> Prefix:
    """The Prefix of a text that is one."""
    found = parse(text)
    assert found is not None
    return found


def test_a_plan_says_what_a_range_written_with_host_bits_really_is() -> None:
    (made,) = plan(["10.244.0.0/12"], [16])
    assert (show(made.cluster), made.host_bits, made.blocks, made.valid) == ("10.240.0.0/12", True, 16, True)
    assert made.first is not None
    assert made.last is not None
    assert (show(made.first), show(made.last)) == ("10.240.0.0/16", "10.255.0.0/16")
    assert made.notes == ("10.244.0.0/12 is written with host bits; it really is 10.240.0.0/12",)


@pytest.mark.parametrize(
    ("cluster", "mask", "blocks", "addresses", "pods"),
    [
        ("10.244.0.0/16", 24, 256, 253, 110),
        ("10.0.0.0/8", 24, 65536, 253, 110),
        ("10.244.0.0/16", 26, 1024, 61, 61),
        ("10.244.0.0/16", 16, 1, 65533, 110),
        ("fd00::/48", 64, 65536, 2**64 - 2, 110),
        ("10.244.0.0/24", 30, 64, 1, 1),
    ],
)
def test_capacity_as_kubernetes_and_host_local_count_it(cluster: str, mask: int, blocks: int, addresses: int, pods: int) -> None:
    (made,) = plan([cluster], [mask])
    assert (made.blocks, made.addresses_per_node, made.pods_per_node, made.valid) == (blocks, addresses, pods, True)


@pytest.mark.parametrize(
    ("clusters", "masks", "problem"),
    [
        (["10.244.0.0/16"], [8], "mask size of cluster CIDR must be less than or equal"),
        (["fd00::/40"], [64], "the node CIDR size is too big"),
        (["10.244.0.0/16", "10.245.0.0/16"], [24, 24], "they are not configured as dual stack"),
    ],
)
def test_a_plan_that_kubernetes_refuses_is_not_valid(clusters: list[str], masks: list[int], problem: str) -> None:
    made = plan(clusters, masks)
    assert not any(item.valid for item in made)
    assert problem in made[0].problems[0]


def test_what_is_wrong_with_one_family_is_no_problem_of_the_other() -> None:
    six, four = plan(["fd00::/32", "10.0.0.0/8"], [64, 24])
    assert "the node CIDR size is too big" in six.problems[0]
    assert (six.valid, four.valid, four.problems) == (False, True, ())


def test_services_inside_the_range_cost_blocks() -> None:
    (made,) = plan(["10.96.0.0/11"], [24], [prefix("10.96.0.0/12")], nodes=5000)
    assert (made.blocks, made.usable_blocks, made.valid) == (8192, 4096, True)
    assert made.problems == ("too small: 4096 usable blocks for 5000 nodes",)
    (whole,) = plan(["10.96.0.0/16"], [24], [prefix("10.96.0.0/12")])
    assert whole.usable_blocks == 0
    assert "no block is left for nodes" in whole.problems[0]


def test_a_prefix_without_room_for_a_gateway_serves_no_pod() -> None:
    assert [addresses_of(4, mask) for mask in (29, 30, 31, 32)] == [5, 1, 0, 0]
    (made,) = plan(["10.244.0.0/24"], [31])
    assert "has no address to give" in made.problems[0]


def test_families_are_planned_each_for_itself() -> None:
    four, six = plan(["10.244.0.0/16", "fd00::/56"], [24])
    assert (four.node_mask, six.node_mask, six.blocks) == (24, 64, 256)


taken_blocks = st.sets(st.integers(0, 63), max_size=64)


@given(taken=taken_blocks, cursor=st.integers(0, 63))
def test_best_first_is_what_the_allocator_reaches_last(taken: set[int], cursor: int) -> None:
    cluster = prefix("10.0.0.0/18")
    runs = free_runs(cluster, 24, [block(cluster, 24, index) for index in taken])
    blocks = [index for index in range(64) if index not in taken]
    restarted = {index: joins for joins, index in enumerate(blocks)}
    going_on = {
        index: joins for joins, index in enumerate([i for i in blocks if i >= cursor] + [i for i in blocks if i < cursor])
    }
    found = list(best_first(runs, cursor))
    safety = [min(restarted[index], going_on[index]) for index in found]
    assert sorted(found) == blocks
    assert safety == sorted(safety, reverse=True)


def aligned(base: int, length: int) -> Prefix:
    """The prefix of this length that holds the address."""
    return Prefix(4, base >> (32 - length) << (32 - length), length)


prefixes = st.builds(aligned, st.integers(0x0A000000, 0x0A003FFF), st.integers(18, 32))


@given(taken=st.lists(prefixes, max_size=12), within=st.lists(prefixes, max_size=3))
def test_free_runs_agree_with_looking_at_every_block(taken: list[Prefix], within: list[Prefix]) -> None:
    cluster = prefix("10.0.0.0/18")
    found = [index for first, last in free_runs(cluster, 24, taken, within) for index in range(first, last + 1)]
    wanted = [
        index
        for index in range(64)
        if not any(overlaps(block(cluster, 24, index), item) for item in taken)
        and (not within or any(overlaps(block(cluster, 24, index), item) and item.length <= 24 for item in within))
    ]
    assert sorted(found) == wanted
    assert len(found) == len(set(found))


def test_the_cursor_stands_behind_the_youngest_node_with_a_whole_block() -> None:
    nodes = [
        node("old", "10.244.9.0/24", created=NOW - 9 * DAY),
        node("young", "10.244.4.0/24", created=NOW - DAY),
        node("odd", "10.244.20.0/26", created=NOW),
        node("outside", "10.9.0.0/24", created=NOW),
    ]
    assert cursor_of(nodes, 0, prefix("10.244.0.0/16"), 24) == 5
    assert cursor_of([node("end", "10.244.255.0/24")], 0, prefix("10.244.0.0/16"), 24) == 0


def declared(nodes: list[Node], cluster: str = "10.244.0.0/20", mask: int = 24, **changes: Any) -> Snapshot:
    """A cluster whose range is given by option."""
    return snapshot(nodes, declared=Declared(cluster_cidrs=(cluster,), node_masks=(mask,)), kubernetes_service_ips=(), **changes)


def answer(taken: Snapshot, number: int = 100) -> Answer:
    """What is free."""
    found = free(Facts(taken), number)
    assert found is not None
    return found


def test_free_blocks_touch_no_node_no_pod_no_host() -> None:
    nodes = [node("a", "10.244.0.0/24", created=NOW - DAY), node("host", ip="10.244.3.4"), node("odd", "10.244.4.128/25", "")]
    found = answer(declared(nodes, pods=[pod("left", nodes[0], "10.244.9.9")]))
    shown = {show(item) for item in found.pools[0].free}
    assert shown.isdisjoint({"10.244.0.0/24", "10.244.3.0/24", "10.244.4.0/24", "10.244.9.0/24"})
    assert len(shown) == 12


def test_next_is_what_a_restarted_allocator_hands_out() -> None:
    found = answer(declared([node("a", "10.244.1.0/24"), node("b", "10.244.0.0/24")]), 2)
    assert (found.would_start, found.left) == (True, 14)
    assert [show(item) for item in found.pools[0].next] == ["10.244.2.0/24", "10.244.3.0/24"]
    assert [show(item) for item in found.pools[0].free] == ["10.244.15.0/24", "10.244.14.0/24"]


def test_nothing_comes_next_where_the_manager_would_not_start() -> None:
    found = answer(declared([node("stray", "192.168.0.0/24")]))
    assert not found.would_start
    assert "192.168.0.0/24 is out the range of cluster cidr 10.244.0.0/20" in found.reason
    assert found.pools[0].next == ()
    assert found.pools[0].free


def test_without_a_known_range_nothing_is_said() -> None:
    assert free(Facts(snapshot([node("a")], kubernetes_service_ips=())), 5) is None


def test_only_blocks_inside_flannels_network_are_offered() -> None:
    taken = healthy(control_plane_pods=[manager_pod("--cluster-cidr=10.240.0.0/12")])
    found = answer(taken, 1000)
    assert all(overlaps(prefix("10.244.0.0/16"), item) for item in found.pools[0].free)
    assert any("only blocks inside are offered" in note for note in found.notes)


def asked(nodes: list[Node], cluster: str, mask: int, current: str = "10.240.0.0/12") -> Answer:
    """What another range would mean for these Nodes."""
    return what_if(Facts(declared(nodes, current)), [prefix(cluster)], [mask], 5)


def test_nodes_outside_the_new_range_come_first_and_stop_the_manager() -> None:
    nodes = [
        node("wide", "10.245.0.0/16"),
        node("good", "10.244.1.0/24"),
        node("out10", "10.241.1.0/24"),
        node("out9", "10.241.2.0/24"),
        node("cp", "10.241.0.0/24", labels={"node-role.kubernetes.io/control-plane": ""}),
    ]
    found = asked(nodes, "10.244.0.0/15", 24)
    assert not found.would_start
    assert [item.node for item in found.rebuild] == ["out9", "out10", "cp", "wide"]
    targets = [item.to for item in found.rebuild]
    assert len(set(targets)) == 4
    held = [prefix(node.pod_cidrs[0]) for node in nodes]
    assert not any(overlaps(target, item) for target in targets if target is not None for item in held)


def test_a_wider_range_asks_nothing_of_anybody() -> None:
    found = asked([node("a", "10.244.1.0/24"), node("b", "10.244.2.0/24")], "10.0.0.0/8", 24)
    assert (found.would_start, found.rebuild, found.left) == (True, (), 65534)


def test_of_nodes_that_share_a_larger_block_one_may_stay() -> None:
    nodes = [node(f"w{index}", f"10.244.{index}.0/24", created=NOW - index * DAY) for index in range(1, 4)]
    found = asked(nodes, "10.240.0.0/12", 16)
    assert found.would_start
    assert [item.node for item in found.rebuild] == ["w1", "w2"]
    assert all("shares its /16 block with w3" in item.reason for item in found.rebuild)
    assert {item.to for item in found.rebuild}.isdisjoint({prefix("10.244.0.0/16")})


def test_where_nothing_is_free_a_wide_node_keeps_a_block_of_its_own_and_leaves_the_rest() -> None:
    nodes = [node("a", "10.244.0.0/21"), node("b", "10.244.8.0/21"), node("out", "10.9.0.0/24")]
    found = asked(nodes, "10.244.0.0/20", 24, "10.0.0.0/8")
    assert [(item.node, show(item.to) if item.to else None) for item in found.rebuild] == [
        ("a", "10.244.7.0/24"),
        ("b", "10.244.15.0/24"),
        ("out", "10.244.14.0/24"),
    ]


def test_a_range_that_is_too_small_says_so() -> None:
    found = asked([node(f"w{i}", f"10.244.{i}.0/24") for i in range(20)], "10.244.0.0/20", 24)
    assert found.small == (
        "too small: the range has 16 blocks for 20 nodes",
        "too small: 4 nodes of those that must be rebuilt would find no free block",
    )
    assert answer_text(found, rebuild=True).splitlines()[1] == "Too small: the range has 16 blocks for 20 nodes."
    assert [item.to for item in found.rebuild] == [None] * 4


def test_nodes_that_wait_are_counted_and_whether_the_blocks_suffice_for_them() -> None:
    """Two Nodes hold the whole range: nobody must move, and without that three Nodes go on waiting."""
    wide = [node("a", "10.244.0.0/21"), node("b", "10.244.8.0/21")]
    found = asked([*wide, *(node(f"late{index}") for index in range(3))], "10.244.0.0/20", 24, "10.244.0.0/20")
    assert (found.waiting, found.left, found.after) == (3, 0, 14)
    assert found.small == (
        "too small as things are: 0 free blocks for 3 nodes that wait for a podCIDR, unless some nodes are rebuilt first",
    )
    assert [item.required for item in found.rebuild] == [False, False]
    first, *rest = answer_text(found, rebuild=True).splitlines()
    assert first.startswith("Too small as things are: 0 free blocks for 3 nodes")
    assert "With all rebuilds below done it could give 14 blocks (+14)." in rest
    assert "May be rebuilt, in this order (frees up to 14 more blocks): 2 nodes, a b" in rest
    enough = asked([wide[0], node("late")], "10.244.0.0/20", 24, "10.244.0.0/20")
    assert (enough.small, enough.left) == ((), 8)
    assert "That is enough for the 1 node that waits for a podCIDR." in answer_text(enough, rebuild=True)


def test_a_long_list_of_rebuilds_is_folded_and_who_must_move_is_told_from_who_may() -> None:
    shares = [node(f"w{index:03d}", f"10.244.{index}.0/24", created=NOW - index * DAY) for index in range(1, 40)]
    found = asked([*shares, node("stray", "10.9.0.0/24")], "10.240.0.0/12", 16)
    text = answer_text(found, rebuild=True)
    assert "Must be rebuilt, in this order: 1 node, stray" in text
    assert "(nothing stands still without it): 38 nodes, w[001-038]" in text
    assert "  and 33 more: -o json lists all of them, each with its block" in text
    listed = answer_document(found, rebuild=True)["rebuild"]
    assert [len(listed), listed[0]["required"], listed[1]["required"]] == [39, True, False]


def test_a_range_that_contains_the_present_one_is_no_detour() -> None:
    """Nodes move into it while the old podCIDRs still fit: nothing has to be gone by way of."""
    nodes = [node("a", "10.244.0.0/21"), node("b", "10.244.8.0/21")]
    detour = "go by way of a range that contains both"
    assert not any(detour in note for note in asked(nodes, "10.244.0.0/19", 24, "10.244.0.0/20").notes)
    assert any(detour in note for note in asked(nodes, "10.245.0.0/20", 24, "10.244.0.0/20").notes)


def test_a_range_that_kubernetes_refuses_ends_the_question() -> None:
    found = asked([node("a", "10.244.1.0/24")], "10.244.0.0/16", 8)
    assert not found.would_start
    assert "mask size of cluster CIDR" in found.reason
    assert found.pools == ()


def test_blocks_of_a_huge_pool_cost_nothing_until_they_are_looked_at() -> None:
    cluster = prefix("0.0.0.0/0")
    runs = free_runs(cluster, 30, [prefix("10.0.0.0/8")])
    first = [show(block(cluster, 30, index)) for index in islice(best_first(runs, 0), 2)]
    assert first == ["255.255.255.252/30", "255.255.255.248/30"]


UNREAD = Gap(Topic.NODES, "Node n3 in the file cannot be read: Expected `object | null`, got `int`", node="n3")


@pytest.mark.parametrize("ask", [lambda facts: free(facts, 3), lambda facts: what_if(facts, [prefix("10.245.0.0/16")], [24], 3)])
def test_where_a_node_could_not_be_read_no_block_is_called_free(ask: Callable[[Facts], Answer]) -> None:
    """Its podCIDR is not known: whatever looks free might be its own."""
    held = [node("n1", "10.244.1.0/24"), node("n2", "10.244.2.0/24")]
    answer = ask(Facts(snapshot(held, control_plane_pods=[manager_pod()], gaps=[UNREAD])))
    assert [(pool.free, pool.next) for pool in answer.pools] == [((), ())]
    assert all(item.to is None for item in answer.rebuild)
    assert answer.problem == "1 Node could not be read (n3): no block can be called free, for it might be theirs"
    assert not any("no free block" in note for note in answer.notes)
    document = answer_document(answer, rebuild=True)
    assert (document["free"], document["problem"]) == ([], answer.problem)
    text = answer_text(answer, rebuild=True)
    assert f"problem: {answer.problem}" in text and "best for a rebuild  not known" in text
    assert "left                at most " in text and "no free block" not in text


def test_where_all_nodes_were_read_there_is_no_problem() -> None:
    """A gap of another topic takes nothing away."""
    gaps = [Gap(Topic.LEASES, "forbidden")]
    answer = free(Facts(snapshot([node("n1", "10.244.1.0/24")], control_plane_pods=[manager_pod()], gaps=gaps)), 3)
    assert answer is not None
    assert (len(answer.pools[0].free), answer.problem) == (3, "")
    assert "problem" not in answer_document(answer, rebuild=False)
