"""Address arithmetic on integers: parsing, overlap, containment, free ranges. Pure; no I/O.

Parsing follows Go's net.ParseCIDR as Kubernetes uses it (k8s.io/utils/net ParseCIDRSloppy: leading zeros in IPv4 octets
are decimal; host bits are accepted and masked; no blanks, no missing length).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from flannelscope.model import Prefix

BITS = {4: 32, 6: 128}
_BEYOND = {family: [(1 << (bits - length)) - 1 for length in range(bits + 1)] for family, bits in BITS.items()}
_LENGTHS = {str(length): length for length in range(129)}
_LEADING_ZEROS = re.compile(r"\b0+(?=\d)")


def parse_address(text: str) -> tuple[int, int] | None:
    """(family, address as integer), or None when `text` is no IP address (zones are refused)."""
    if ":" in text:
        try:
            return 6, int.from_bytes(inet_pton(AF_INET6, text), "big")
        except (OSError, ValueError):
            return None
    try:
        return 4, int.from_bytes(inet_pton(AF_INET, text), "big")
    except (OSError, ValueError):
        pass
    sloppy = _LEADING_ZEROS.sub("", text)
    return parse_address(sloppy) if sloppy != text and text.isascii() else None


def parse(text: str) -> Prefix | None:
    """The Prefix that `text` names, host bits masked, or None when it names none."""
    address, _, digits = text.partition("/")
    length = _LENGTHS.get(digits)
    if length is None:
        return None
    if length <= 32 and ":" not in text:
        try:
            return Prefix(4, int.from_bytes(inet_pton(AF_INET, address), "big") & ~_BEYOND[4][length], length)
        except (OSError, ValueError):
            pass  # leading zeros, or no address at all
    parsed = parse_address(address)
    if parsed is None:
        return None
    family, value = parsed
    shift = (32 if family == 4 else 128) - length
    return Prefix(family, value >> shift << shift, length) if shift >= 0 else None


def has_host_bits(text: str) -> bool:
    """Whether `text` is a prefix written with host bits (10.244.0.0/12 really is 10.240.0.0/12)."""
    prefix, address = parse(text), parse_address(text.partition("/")[0])
    return prefix is not None and address is not None and address[1] != prefix.base


@lru_cache(maxsize=65536)
def show_address(family: int, value: int) -> str:
    """The text of an address."""
    if family == 4:
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    return inet_ntop(AF_INET6, value.to_bytes(16, "big"))


def show(prefix: Prefix) -> str:
    """The canonical text of a Prefix."""
    return f"{show_address(prefix.family, prefix.base)}/{prefix.length}"


def size(prefix: Prefix) -> int:
    """How many addresses it holds."""
    return 1 << (BITS[prefix.family] - prefix.length)


def last(prefix: Prefix) -> int:
    """Its last address."""
    return prefix.base + size(prefix) - 1


def contains(outer: Prefix, inner: Prefix) -> bool:
    """Whether every address of `inner` is in `outer`."""
    return (
        outer.family == inner.family
        and outer.length <= inner.length
        and inner.base >> (BITS[outer.family] - outer.length) == outer.base >> (BITS[outer.family] - outer.length)
    )


def overlaps(a: Prefix, b: Prefix) -> bool:
    """Whether they share an address; two prefixes do only when one contains the other."""
    return contains(a, b) or contains(b, a)


def holds(prefix: Prefix, family: int, value: int) -> bool:
    """Whether the address is in the prefix."""
    return prefix.family == family and prefix.base <= value <= last(prefix)


class Group:
    """Prefixes that touch each other: `outer` contains all of `inner`. Each is an index into what was swept."""

    __slots__ = ("inner", "outer")

    def __init__(self, outer: int) -> None:
        self.outer = outer
        self.inner: list[int] = []


def order(prefix: Prefix) -> int:
    """One integer that sorts by family, base address, length: the family stands above all 128 bits of an address."""
    return (prefix.family << 128 | prefix.base) << 8 | prefix.length


def sweep(prefixes: Sequence[Prefix]) -> list[Group]:
    """Groups of overlapping prefixes, each under its largest one; a prefix that touches none is in no group.

    Equal prefixes fall into one group (the first of them is `outer`). One sort and one pass: O(n log n).
    """
    keys = [order(prefix) for prefix in prefixes]
    places = sorted(range(len(keys)), key=keys.__getitem__)
    groups = sweep_sorted([keys[place] for place in places])
    for group in groups:
        group.outer, group.inner = places[group.outer], [places[index] for index in group.inner]
    return groups


def sweep_sorted(keys: Sequence[int]) -> list[Group]:
    """As `sweep`, for prefixes given as ascending integers of `order`."""
    groups: list[Group] = []
    current: Group | None = None
    outer, end = -1, -1
    for index, key in enumerate(keys):
        first = key >> 8
        if first > end:
            outer, current = index, None
            end = first + _BEYOND[key >> 136][key & 255]
        elif current is None:
            current = Group(outer)
            current.inner.append(index)
            groups.append(current)
        else:
            current.inner.append(index)
    return groups


class RangeSet:
    """Disjoint, sorted ranges of addresses of one family: what is taken, and what is free between."""

    def __init__(self, prefixes: Iterable[Prefix], family: int) -> None:
        """Merge the prefixes of `family`; others are passed over."""
        beyond = _BEYOND[family]
        self.starts: list[int] = []
        self.ends: list[int] = []
        reached = -2
        for key in sorted([p.base << 8 | p.length for p in prefixes if p.family == family]):
            first = key >> 8
            end = first + beyond[key & 255]
            if first > reached + 1:
                self.starts.append(first)
                self.ends.append(end)
                reached = end
            elif end > reached:
                self.ends[-1] = reached = end
        self.family = family

    def gaps(self, within: Prefix) -> Iterator[tuple[int, int]]:
        """Free (first, last) addresses inside `within`, ascending."""
        cursor, end = within.base, last(within)
        for start, stop in zip(self.starts, self.ends, strict=True):
            if stop < cursor:
                continue
            if start > end:
                break
            if start > cursor:
                yield cursor, start - 1
            cursor = stop + 1
        if cursor <= end:
            yield cursor, end

    def free_blocks(self, within: Prefix, length: int) -> Iterator[Prefix]:
        """Whole aligned blocks of `length` inside `within` that touch nothing taken, ascending."""
        step = 1 << (BITS[within.family] - length)
        for first, final in self.gaps(within):
            base = (first + step - 1) // step * step
            while base + step - 1 <= final:
                yield Prefix(within.family, base, length)
                base += step


def supernet(prefixes: Sequence[Prefix]) -> Prefix | None:
    """The smallest prefix that contains all of them (all of one family), or None for none."""
    if not prefixes or any(a.family != b.family for a, b in pairwise(prefixes)):
        return None
    family = prefixes[0].family
    low, high = min(p.base for p in prefixes), max(last(p) for p in prefixes)
    length = min(min(p.length for p in prefixes), BITS[family] - (low ^ high).bit_length())
    shift = BITS[family] - length
    return Prefix(family, low >> shift << shift, length)


class Lookup:
    """Prefixes by length, so that the one that holds an address is found in as many steps as there are lengths."""

    def __init__(self, prefixes: Iterable[Prefix]) -> None:
        """Take in all of `prefixes`, of either family."""
        self.lengths: dict[int, set[int]] = {4: set(), 6: set()}
        self.known: set[Prefix] = set()
        for prefix in prefixes:
            self.lengths[prefix.family].add(prefix.length)
            self.known.add(prefix)

    def find(self, family: int, value: int) -> Prefix | None:
        """The longest prefix that holds the address, or None."""
        for length in sorted(self.lengths[family], reverse=True):
            shift = BITS[family] - length
            candidate = Prefix(family, value >> shift << shift, length)
            if candidate in self.known:
                return candidate
        return None
