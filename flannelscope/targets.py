"""Which free podCIDR a Node is to get in a remedy: each block is proposed once, whatever number of remedies is followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flannelscope.blocks import flannel_networks, free_blocks, taken
from flannelscope.deletion import not_read
from flannelscope.facts import Facts
from flannelscope.model import Prefix


def target(facts: Facts, name: str) -> tuple[Prefix, ...]:
    """The podCIDRs proposed for the Node, one for each cluster CIDR; empty where the allocator's range is not known for
    sure, or where a Node could not be read: any block might be its own.

    The same Node gets the same answer as long as these Facts live, and no two Nodes share one.
    """
    if not facts.configuration.known or not_read(facts):
        return ()
    if name not in facts.targets:
        if facts.fresh_blocks is None:
            facts.fresh_blocks = _fresh(facts)
        facts.targets[name] = next(facts.fresh_blocks, ())
    return facts.targets[name]


def _fresh(facts: Facts) -> Iterator[tuple[Prefix, ...]]:
    known = facts.configuration
    if not known.cluster_cidrs or len(known.node_masks) != len(known.cluster_cidrs):
        return iter(())
    used = taken(facts)
    return zip(*(_of_family(facts, used, index) for index in range(len(known.cluster_cidrs))), strict=False)


def _of_family(facts: Facts, used: Sequence[Prefix], index: int) -> Iterator[Prefix]:
    cluster, mask = facts.configuration.cluster_cidrs[index], facts.configuration.node_masks[index]
    networks = [network for network in flannel_networks(facts) if network.family == cluster.family]
    return free_blocks(facts, used, index, cluster, mask, networks)
