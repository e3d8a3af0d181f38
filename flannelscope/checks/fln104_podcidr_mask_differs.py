"""A podCIDR that is longer or shorter than the node mask does not fit the allocator's blocks. Several long ones share one
block, and deleting one of their Nodes frees it for all; a short one takes many blocks at once.

How it is known

The length of each podCIDR is compared with the node mask of its index, where the arguments of the running allocator are
known. It is a warning where several Nodes live in one block, or where one podCIDR takes a sixteenth of the pool or more;
else worth knowing. Clusters whose podCIDRs come from a cloud or by hand are not judged.

How to see it

A podCIDR of another length than the node mask, in the list of all Nodes.

    kubectl get nodes -o custom-columns=NAME:.metadata.name,PODCIDRS:.spec.podCIDRs
    kubectl -n kube-system get pods -l component=kube-controller-manager -o yaml | grep -E 'cluster-cidr|node-cidr'

What to do

Nothing at once: mixed lengths work. Give such Nodes a podCIDR of the usual length when they are rebuilt anyway, and after
the deletion of one restart the controller manager before any Node joins.

How to undo it

There is nothing to undo: nothing is changed by looking.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flannelscope.address_proofs import held_by, settings, unknown_allocator
from flannelscope.addresses import PodCidr
from flannelscope.allocator import CidrSet
from flannelscope.checks import Check, check
from flannelscope.deletion import no_restart
from flannelscope.exchange import CAUTION
from flannelscope.facts import Facts
from flannelscope.model import Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.text import fold

LARGE_SHARE = 16  # one podCIDR that takes a 16th of the pool


@check("FLN104", "podcidr-mask-differs", Severity.WARNING, needs=(Topic.NODES,))
def podcidr_mask_differs(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each kind of odd podCIDR: its index, length and weight; those that overlap others apart."""
    if reason := unknown_allocator(facts):
        yield this.unknown(reason)
    if not facts.configuration.known or facts.restart is None:
        return
    overlap_of = {item.node: index for index, overlap in enumerate(facts.overlaps) for item in (*overlap.outer, *overlap.inner)}
    groups: dict[tuple[int, int, str, int], list[PodCidr]] = {}
    for pool_index, pool in enumerate(facts.restart.pools):
        for item, weight in _odd(facts, pool, pool_index):
            assert item.prefix is not None  # it has a span in the pool
            key = (pool_index, item.prefix.length, weight, overlap_of.get(item.node, -1))
            groups.setdefault(key, []).append(item)
    for (pool_index, length, weight, _), items in groups.items():
        yield _finding(this, facts, facts.restart.pools[pool_index], length, weight, items)


def _odd(facts: Facts, pool: CidrSet, pool_index: int) -> Iterator[tuple[PodCidr, str]]:
    """podCIDRs of another length with their weight: shared, large or small."""
    mask = pool.node_mask
    other = [i for i in facts.pod_cidrs if (p := i.prefix) is not None and p.length != mask and i.index == pool_index]
    # What touches nothing of the pool is refused at the start: FLN103 names it.
    odd = [(i, span, p.length) for i in other if (p := i.prefix) is not None and (span := pool.touched(p)) is not None]
    shared = {span[0] for _, span, length in odd if length > mask}
    tenants = _tenants(facts, pool, pool_index) if shared else Counter()
    for item, (first, last), length in odd:
        if not facts.settled(facts.nodes[item.node]):
            continue
        if length > mask:
            yield item, "shared" if tenants[first] > 1 else "small"
        else:
            yield item, "large" if (last - first + 1) * LARGE_SHARE >= pool.blocks else "small"


def _tenants(facts: Facts, pool: CidrSet, pool_index: int) -> Counter[int]:
    """How many podCIDRs no longer than a block live in each block."""
    held = [i.prefix for i in facts.pod_cidrs if i.index == pool_index and i.prefix is not None]
    return Counter(span[0] for p in held if p.length >= pool.node_mask and (span := pool.touched(p)) is not None)


def _finding(this: Check, facts: Facts, pool: CidrSet, length: int, weight: str, items: list[PodCidr]) -> Finding:
    names = [item.node for item in items]
    holders = "1 Node has a podCIDR" if len(items) == 1 else f"{len(items)} Nodes have podCIDRs"
    said = f"{holders} of /{length} while the node mask is /{pool.node_mask} ({fold(names)})"
    blocks = 1 << (pool.node_mask - length) if pool.cluster.length < length < pool.node_mask else pool.blocks
    takes = f"{'it takes' if len(items) == 1 else 'each takes'} {blocks} of the {pool.blocks} blocks"
    meaning = {
        "shared": "several Nodes share one block of the allocator, and deleting one of them frees it for all",
        "large": takes,
        "small": "mixed lengths work" if length > pool.node_mask else f"mixed lengths work; {takes}",
    }[weight]
    return this.finding(
        f"{said}: {meaning}.",
        tuple(node_subject(name) for name in dict.fromkeys(names)),
        severity=Severity.INFO if weight == "small" else Severity.WARNING,
        evidence=(*settings(facts, "cluster-cidr", "node-cidr-mask-size"), *held_by(facts, items)),
        remedy=Remedy(
            f"{no_restart(facts)} Nothing at once. When such a Node is rebuilt, give it a podCIDR of the usual length, and "
            "restart the controller manager after its Node was deleted and before any Node joins.".lstrip(),
            caution=CAUTION,
        ),
    )
