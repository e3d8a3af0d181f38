"""Address arithmetic, held against the plainest oracle: sets of addresses of a small network, and Python's ipaddress."""

from __future__ import annotations

import ipaddress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flannelscope.cidr import (
    RangeSet,
    contains,
    has_host_bits,
    holds,
    last,
    order,
    overlaps,
    parse,
    parse_address,
    show,
    size,
    supernet,
    sweep,
)
from flannelscope.model import Prefix

SMALL = ipaddress.ip_network("10.0.0.0/25")  # 128 addresses: small enough to list


def at(text: str) -> Prefix:
    found = parse(text)
    assert found is not None
    return found


@st.composite
def small_prefixes(draw: st.DrawFn) -> Prefix:
    """A prefix inside 10.0.0.0/25."""
    length = draw(st.integers(25, 32))
    offset = draw(st.integers(0, 127)) >> (32 - length) << (32 - length)
    return Prefix(4, int(SMALL.network_address) + offset, length)


def addresses(prefix: Prefix) -> set[int]:
    """Every address of a small prefix, one by one."""
    return set(range(prefix.base, prefix.base + 2 ** (32 - prefix.length)))


class TestParsing:
    @given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), st.integers(0, 128))
    def test_as_ipaddress_does(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int) -> None:
        text = f"{address}/{length}"
        if length > address.max_prefixlen:
            assert parse(text) is None
            return
        network = ipaddress.ip_network(text, strict=False)
        found = at(text)
        assert (found.family, found.base, found.length) == (network.version, int(network.network_address), network.prefixlen)
        assert at(show(found)) == found
        assert has_host_bits(text) == (int(address) != int(network.network_address))
        assert (size(found), last(found)) == (network.num_addresses, int(network.broadcast_address))

    @given(st.text(max_size=24))
    def test_any_text_is_a_prefix_or_none(self, text: str) -> None:
        found = parse(text)
        assert found is None or parse(show(found)) == found

    @given(st.from_regex(r"[0-9a-f.:/ %]{1,24}", fullmatch=True))
    def test_what_it_takes_ipaddress_takes_too(self, text: str) -> None:
        """Leading zeros apart: Kubernetes reads those, as decimals."""
        if parse(text) is not None and not any(part.startswith("0") and len(part) > 1 for part in text.split("/")[0].split(".")):
            ipaddress.ip_network(text, strict=False)

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("10.244.0.0/12", "10.240.0.0/12"),
            ("010.244.001.000/24", "10.244.1.0/24"),
            ("FD00:0::1/64", "fd00::/64"),
            ("::ffff:10.0.0.1/128", "::ffff:10.0.0.1/128"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ],
    )
    def test_accepted(self, written: str, meant: str) -> None:
        assert show(at(written)) == meant

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "banana",
            "10.244.0.0",
            "10.244.0.0/",
            "10.244.0.0/33",
            "10.244.0.0/024",
            "10.244.0.0/-1",
            "10.244.0.0/٢٤",
            "10.244.0/24",
            " 10.244.0.0/24",
            "10.244.0.0/24 ",
            "1.2.3.4.5/24",
            "10.0.0.0\x00/24",
            "fd00::/129",
            "fe80::1%eth0/64",
            "\udc80/24",
        ],
    )
    def test_refused(self, text: str) -> None:
        assert parse(text) is None

    def test_an_address_has_no_zone_and_no_length(self) -> None:
        assert parse_address("fe80::1%eth0") is None
        assert parse_address("10.0.0.1/32") is None
        assert parse_address("10.0.0.1") == (4, 0x0A000001)


class TestRelations:
    @given(small_prefixes(), small_prefixes())
    def test_overlap_and_containment(self, a: Prefix, b: Prefix) -> None:
        assert overlaps(a, b) == bool(addresses(a) & addresses(b))
        assert contains(a, b) == (addresses(b) <= addresses(a))
        assert holds(a, 4, b.base) == (b.base in addresses(a))

    def test_families_never_touch(self) -> None:
        assert not overlaps(at("0.0.0.0/0"), at("::/0"))
        assert not holds(at("0.0.0.0/0"), 6, 1)

    @given(st.lists(st.one_of(small_prefixes(), st.just(Prefix(6, 0, 0)), st.just(Prefix(4, 0, 0)))))
    def test_one_integer_sorts_as_prefixes_do(self, prefixes: list[Prefix]) -> None:
        assert sorted(prefixes, key=order) == sorted(prefixes)

    @given(st.lists(small_prefixes(), max_size=12))
    def test_sweep_finds_every_pair_that_touches(self, prefixes: list[Prefix]) -> None:
        groups = sweep(prefixes)
        together = {frozenset((i, j)) for g in groups for i in (g.outer, *g.inner) for j in (g.outer, *g.inner) if i != j}
        for i, a in enumerate(prefixes):
            for j, b in enumerate(prefixes[:i]):
                if overlaps(a, b):
                    assert frozenset((i, j)) in together
        for group in groups:
            assert group.inner
            assert all(contains(prefixes[group.outer], prefixes[index]) for index in group.inner)
        named = [i for g in groups for i in (g.outer, *g.inner)]
        assert len(named) == len(set(named))

    @given(st.lists(small_prefixes(), min_size=1, max_size=6))
    def test_a_supernet_is_the_smallest_that_holds_all(self, prefixes: list[Prefix]) -> None:
        found = supernet(prefixes)
        assert found is not None
        assert all(contains(found, p) for p in prefixes)
        halves = [Prefix(4, found.base, found.length + 1), Prefix(4, found.base + (size(found) >> 1), found.length + 1)]
        if found.length < 32:
            assert not any(all(contains(half, p) for p in prefixes) for half in halves)

    def test_there_is_no_supernet_of_two_families_or_of_nothing(self) -> None:
        assert supernet([at("10.0.0.0/8"), at("fd00::/8")]) is None
        assert supernet([]) is None


class TestFreeRanges:
    @given(st.lists(small_prefixes(), max_size=8), small_prefixes(), st.integers(25, 32))
    def test_free_blocks_are_all_that_touch_nothing(self, taken: list[Prefix], within: Prefix, length: int) -> None:
        used = set[int]().union(*(addresses(p) for p in taken))
        step = 2 ** (32 - length)
        aligned = range(within.base + -within.base % step, last(within) + 1, step)
        wanted = [Prefix(4, base, length) for base in aligned if base + step - 1 <= last(within)]
        free = list(RangeSet(taken, 4).free_blocks(within, length))
        assert free == [block for block in wanted if not addresses(block) & used]

    @given(st.lists(small_prefixes(), max_size=8), small_prefixes())
    def test_gaps_are_what_nothing_takes(self, taken: list[Prefix], within: Prefix) -> None:
        used = set[int]().union(*(addresses(p) for p in taken))
        gaps = list(RangeSet(taken, 4).gaps(within))
        assert {value for first, final in gaps for value in range(first, final + 1)} == addresses(within) - used
        assert all(final + 1 < later for (_, final), (later, _) in pairwise(gaps))

    def test_another_family_takes_nothing(self) -> None:
        assert list(RangeSet([at("::/0")], 4).gaps(at("10.0.0.0/30"))) == [(0x0A000000, 0x0A000003)]
