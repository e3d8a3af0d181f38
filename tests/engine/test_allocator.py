"""The model of Kubernetes' podCIDR allocator: what it occupies, forgets and hands out, as its sources do it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flannelscope.allocator import (
    NODE_MASK_TOO_SHORT,
    POOL_TOO_LARGE,
    SERVICES_OF_ONE_FAMILY,
    CidrSet,
    OutOfRange,
    Restart,
    allocate,
    restart,
)
from flannelscope.cidr import parse, show
from flannelscope.model import Node, Prefix
from tests.engine.builders import node


def prefix(text: str) -> Prefix:
    found = parse(text)
    assert found is not None
    return found


def is_free(blocks: CidrSet, one: Prefix) -> bool:
    """Whether this block is clear: occupying it in a copy leaves one less."""
    trial = blocks.copy()
    trial.occupy(one)
    return trial.free == blocks.free - 1


def pool(cluster: str, mask: int, *occupied: str) -> CidrSet:
    made = CidrSet(prefix(cluster), mask)
    for text in occupied:
        made.occupy(prefix(text))
    return made


def started(cluster: str, mask: int, nodes: Sequence[Node], services: str = "10.96.0.0/12") -> Restart:
    return restart([prefix(cluster)], [mask], [prefix(services)], nodes)


def handed(state: Restart, number: int) -> list[str]:
    return [show(block) for given_out in state.next(number) for block in given_out]


class TestSpans:
    def test_a_podcidr_of_the_node_mask_is_one_block(self) -> None:
        assert pool("10.244.0.0/16", 24).span(prefix("10.244.7.0/24")) == (7, 7)

    def test_a_shorter_one_is_every_block_inside(self) -> None:
        assert pool("10.240.0.0/12", 24).span(prefix("10.241.0.0/16")) == (256, 511)

    def test_a_longer_one_is_the_block_around_it(self) -> None:
        assert pool("10.244.0.0/16", 24).span(prefix("10.244.7.64/26")) == (7, 7)

    def test_one_that_contains_the_pool_is_the_whole_pool(self) -> None:
        assert pool("10.244.0.0/16", 24).span(prefix("10.0.0.0/8")) == (0, 255)

    def test_ipv6_blocks_on_both_sides_of_bit_64(self) -> None:
        assert pool("fd00:1::/56", 64).span(prefix("fd00:1:0:ff::/64")) == (255, 255)
        assert pool("fd00:1::/64", 80).span(prefix("fd00:1::ffff:0:0:0/80")) == (65535, 65535)

    @pytest.mark.parametrize("text", ["10.245.0.0/24", "fd00::/64"])
    def test_a_disjoint_one_is_refused_in_kubernetes_words(self, text: str) -> None:
        with pytest.raises(OutOfRange, match=rf"cidr {text} is out the range of cluster cidr 10.244.0.0/16"):
            pool("10.244.0.0/16", 24).occupy(prefix(text))


class TestAllocation:
    def test_block_0_and_the_last_block_are_handed_out(self) -> None:
        small = pool("10.244.0.0/24", 26)
        blocks = [small.allocate_next() for _ in range(4)]
        assert [show(b) for b in blocks if b] == ["10.244.0.0/26", "10.244.0.64/26", "10.244.0.128/26", "10.244.0.192/26"]
        assert small.allocate_next() is None

    def test_a_freed_low_block_waits_until_the_cursor_comes_round(self) -> None:
        small = pool("10.244.0.0/24", 26)
        first, second = small.allocate_next(), small.allocate_next()
        assert first and second
        small.release(first)
        later = [small.allocate_next() for _ in range(3)]
        assert [show(b) for b in later if b] == ["10.244.0.128/26", "10.244.0.192/26", "10.244.0.0/26"]

    def test_occupying_and_releasing_do_not_move_the_cursor(self) -> None:
        small = pool("10.244.0.0/24", 26, "10.244.0.128/26")
        small.release(prefix("10.244.0.128/26"))
        assert small.allocate_next() == prefix("10.244.0.0/26")

    def test_occupying_twice_passes_silently_and_one_release_clears_it(self) -> None:
        twins = pool("10.244.0.0/16", 24, "10.244.0.0/24", "10.244.0.0/24")
        assert twins.free == 255
        twins.release(prefix("10.244.0.0/24"))
        assert is_free(twins, prefix("10.244.0.0/24"))
        assert twins.allocate_next() == prefix("10.244.0.0/24")

    def test_a_full_second_family_leaks_blocks_of_the_first(self) -> None:
        pools = [pool("10.244.0.0/24", 26), pool("fd00::/63", 64, "fd00::/63")]
        assert allocate(pools) is None
        assert [p.free for p in pools] == [3, 0]

    def test_a_pool_may_be_as_large_as_ipv4(self) -> None:
        huge = pool("0.0.0.0/0", 32, "10.0.0.0/8", "0.0.0.0/32")
        assert huge.free == 2**32 - 2**24 - 1
        assert huge.allocate_next() == prefix("0.0.0.1/32")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["occupy", "release", "allocate"]),
            st.integers(20, 32),
            st.integers(0, 2**12 - 1),
        ),
        max_size=40,
    )
)
def test_as_a_bitmap_would(steps: list[tuple[str, int, int]]) -> None:
    """Against the plainest possible oracle: one flag a block, as cidr_set.go keeps them."""
    cluster = prefix("10.0.16.0/20")
    ranges, bits, cursor = CidrSet(cluster, 26), [False] * 64, 0
    for action, length, offset in steps:
        touched = Prefix(4, (cluster.base + offset) >> (32 - length) << (32 - length), length)
        first, last = (touched.base - cluster.base) // 64, (touched.base + (1 << (32 - length)) - 1 - cluster.base) // 64
        if action == "allocate":
            free = next((i % 64 for i in range(cursor, cursor + 64) if not bits[i % 64]), None)
            block = ranges.allocate_next()
            assert (None if block is None else ranges.span(block)[0]) == free
            if free is not None:
                bits[free], cursor = True, (free + 1) % 64
        else:
            getattr(ranges, action)(touched)
            bits[first : last + 1] = [action == "occupy"] * (last - first + 1)
        assert ranges.free == bits.count(False)
        assert [is_free(ranges, ranges.block(i)) for i in range(64)] == [not b for b in bits]


class TestRestart:
    def test_the_lowest_free_block_comes_first(self) -> None:
        state = started("10.244.0.0/16", 24, [node("a", "10.244.0.0/24"), node("b", "10.244.2.0/24")])
        assert state.would_start
        assert handed(state, 3) == ["10.244.1.0/24", "10.244.3.0/24", "10.244.4.0/24"]
        assert (state.blocks, state.free) == (256, 254)

    def test_a_restart_before_the_deletion_of_a_twin_brings_the_duplicate_back(self) -> None:
        twins = [node("a", "10.244.0.0/24"), node("b", "10.244.0.0/24")]
        before = started("10.244.0.0/16", 24, twins).pools[0].copy()
        before.release(prefix("10.244.0.0/24"))
        assert before.allocate_next() == prefix("10.244.0.0/24")
        assert handed(started("10.244.0.0/16", 24, twins[:1]), 1) == ["10.244.1.0/24"]

    def test_widening_and_changing_the_mask_makes_mixed_masks_but_no_overlap(self) -> None:
        """10.244.0.0/16·24, then 10.244.0.0/12·16, then 10.244.0.0/12·24."""
        old = [node(f"a{i}", f"10.244.{i}.0/24") for i in range(5)]
        widened = started("10.244.0.0/12", 16, old)
        wide = handed(widened, 20)
        assert wide[:6] == ["10.240.0.0/16", "10.241.0.0/16", "10.242.0.0/16", "10.243.0.0/16", "10.245.0.0/16", "10.246.0.0/16"]
        assert len(wide) == 15  # 16 blocks; the five /24s share one
        two = [node("b0", wide[0]), node("b1", wide[1])]
        assert handed(started("10.244.0.0/12", 24, [*old, *two]), 1) == ["10.242.0.0/24"]

    def test_deleting_one_of_those_that_share_a_block_hands_out_the_others_block(self) -> None:
        old = [node(f"a{i}", f"10.244.{i}.0/24") for i in range(5)]
        running = started("10.244.0.0/12", 16, old).pools[0].copy()
        running.release(prefix("10.244.0.0/24"))
        given_out = [running.allocate_next() for _ in range(5)]
        assert given_out[-1] == prefix("10.244.0.0/16")

    def test_a_short_podcidr_that_is_deleted_clears_its_neighbours_too(self) -> None:
        running = started("10.240.0.0/12", 24, [node("wide", "10.244.0.0/16"), node("a1", "10.244.1.0/24")]).pools[0].copy()
        running.release(prefix("10.244.0.0/16"))
        assert is_free(running, prefix("10.244.1.0/24"))

    def test_service_ranges_are_left_out_first(self) -> None:
        state = started("10.244.0.0/16", 24, [], services="10.244.0.0/20")
        assert state.free == 240
        assert handed(state, 1) == ["10.244.16.0/24"]

    def test_a_podcidr_that_contains_the_cluster_fills_the_pool(self) -> None:
        state = started("10.244.0.0/16", 24, [node("a", "10.244.0.0/12")])
        assert (state.would_start, state.free) == (True, 0)

    def test_one_node_outside_ends_the_start(self) -> None:
        state = started("10.244.0.0/16", 24, [node("b", "10.9.0.0/24"), node("a", "10.244.0.0/24")])
        assert (state.would_start, state.node) == (False, "b")
        assert state.reason == (
            "failed to mark cidr[10.9.0.0/24] at idx [0] as occupied for node: b: "
            "cidr 10.9.0.0/24 is out the range of cluster cidr 10.244.0.0/16"
        )
        assert state.free == 255  # still shown, so that a place for the Node can be chosen

    def test_a_second_family_that_was_taken_away_ends_the_start(self) -> None:
        state = started("10.244.0.0/16", 24, [node("a", "10.244.0.0/24", "fd00::/64")])
        assert state.reason.startswith("node:a has an allocated cidr: fd00::/64 at index:1 that does not exist")

    def test_what_is_no_cidr_ends_the_start(self) -> None:
        assert started("10.244.0.0/16", 24, [node("a", "banana")]).reason == "failed to parse node a, CIDR banana"

    def test_two_families_hand_out_pairs_until_the_smaller_is_used_up(self) -> None:
        state = restart([prefix("10.244.0.0/16"), prefix("fd00::/63")], [24, 64], [], [node("a", "10.244.0.0/24", "fd00::/64")])
        assert state.free == 1
        assert [tuple(map(show, pair)) for pair in state.next(5)] == [("10.244.1.0/24", "fd00:0:0:1::/64")]
        assert state.free == 1  # asking what comes next changes nothing


@pytest.mark.parametrize(
    ("clusters", "masks", "services", "reason"),
    [
        ([], [], [], "Controller: Must specify --cluster-cidr if --allocate-node-cidrs is set"),
        (["10.244.0.0/16"], [12], [], NODE_MASK_TOO_SHORT),
        (["fd00::/48"], [65], [], POOL_TOO_LARGE),
        (["10.244.0.0/16", "10.245.0.0/16"], [24, 24], [], "len of ClusterCIDRs==2 and they are not configured as dual stack"),
        (["10.0.0.0/16", "fd00::/56", "10.1.0.0/16"], [24, 64, 24], [], "length of clusterCIDRs is:3 more than max allowed of 2"),
        (["10.244.0.0/16"], [24], ["10.96.0.0/12", "10.112.0.0/12"], SERVICES_OF_ONE_FAMILY),
    ],
)
def test_a_configuration_that_ends_the_start(clusters: list[str], masks: list[int], services: list[str], reason: str) -> None:
    state = restart([prefix(c) for c in clusters], masks, [prefix(s) for s in services], [])
    assert not state.would_start
    assert state.reason.startswith(reason)
    assert (state.pools, state.free) == ((), 0)


def test_the_limit_of_16_bits_is_for_ipv6_only() -> None:
    assert restart([prefix("10.0.0.0/8")], [28], [], []).would_start
    assert restart([prefix("fd00::/48")], [64], [], []).would_start
