"""Who holds which podCIDR: equal ones, and ones inside others. Sorted integers, one pass, no pair is ever compared."""

from __future__ import annotations

from collections.abc import Container, Iterable

from flannelscope.cidr import sweep_sorted
from flannelscope.model import Prefix, Value


class PodCidr(Value, frozen=True):
    """One entry of a Node's podCIDRs: its index, the text as written, and the Prefix (None when it is none)."""

    node: str
    index: int
    text: str
    prefix: Prefix | None


class Overlap(Value, frozen=True):
    """A podCIDR (`outer`, by all its holders) and every other podCIDR inside it, in the order of addresses."""

    outer: tuple[PodCidr, ...]
    inner: tuple[PodCidr, ...]


class Holders:
    """podCIDRs of some families by canonical prefix (host bits masked); what is no CIDR is left out."""

    def __init__(self, pod_cidrs: Iterable[PodCidr], families: Container[int]) -> None:
        # An integer for a key is quicker than a Prefix, and sorts as the prefixes do.
        self._by_key: dict[int, list[PodCidr]] = {}
        by_key = self._by_key
        for item in pod_cidrs:
            prefix = item.prefix
            if prefix is not None and prefix.family in families:
                key = (prefix.family << 128 | prefix.base) << 8 | prefix.length  # cidr.order, in place: it is run for every Node
                held = by_key.get(key)
                if held is None:
                    by_key[key] = [item]
                else:
                    held.append(item)

    def duplicates(self) -> tuple[tuple[PodCidr, ...], ...]:
        """The groups of two or more Nodes that hold one podCIDR."""
        groups = (tuple(items) for items in self._by_key.values() if len(items) > 1)
        return tuple(group for group in groups if any(item.node != group[0].node for item in group))

    def overlaps(self) -> tuple[Overlap, ...]:
        """The podCIDRs that contain others, each with all it contains; equal ones alone are none."""
        keys = sorted(self._by_key)
        return tuple(
            Overlap(
                tuple(self._by_key[keys[group.outer]]),
                tuple(item for index in group.inner for item in self._by_key[keys[index]]),
            )
            for group in sweep_sorted(keys)
        )
