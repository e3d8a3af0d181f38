"""Who holds which podCIDR: equal ones, and ones inside others. Sorted integers, one pass, no pair is ever compared."""

from __future__ import annotations

from collections.abc import Iterable

from flannelscope.cidr import sweep
from flannelscope.model import Prefix, Value


class PodCidr(Value, frozen=True):
    """One entry of a Node's podCIDRs: its index, the text as written, and the Prefix (None when it is none)."""

    node: str
    index: int
    text: str
    prefix: Prefix | None


Holders = dict[Prefix, list[PodCidr]]


class Overlap(Value, frozen=True):
    """A podCIDR (`outer`, by all its holders) and every other podCIDR inside it, in the order of addresses."""

    outer: tuple[PodCidr, ...]
    inner: tuple[PodCidr, ...]


def holders(pod_cidrs: Iterable[PodCidr]) -> Holders:
    """podCIDRs by canonical prefix (host bits masked); what is no CIDR is left out."""
    found: Holders = {}
    for item in pod_cidrs:
        if item.prefix is not None:
            if (held := found.get(item.prefix)) is None:
                found[item.prefix] = [item]
            else:
                held.append(item)
    return found


def duplicates(held: Holders) -> tuple[tuple[PodCidr, ...], ...]:
    """The groups of two or more Nodes that hold one podCIDR."""
    return tuple(tuple(items) for items in held.values() if len(items) > 1 and any(i.node != items[0].node for i in items))


def overlaps(held: Holders) -> tuple[Overlap, ...]:
    """The podCIDRs that contain others, each with all it contains; equal ones alone are none."""
    prefixes = list(held)
    return tuple(
        Overlap(tuple(held[prefixes[group.outer]]), tuple(item for index in group.inner for item in held[prefixes[index]]))
        for group in sweep(prefixes)
    )
