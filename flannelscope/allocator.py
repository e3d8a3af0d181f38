"""Kubernetes' podCIDR allocator, modelled exactly: what a start of the controller manager refuses, occupies, hands out next.

Semantics: k8s.io/kubernetes v1.34 pkg/controller/nodeipam/ipam/{cidrset/cidr_set.go, range_allocator.go} and
cmd/kube-controller-manager/app/core.go. The pool is a set of equal blocks without owners: occupying what is occupied
already passes silently, and releasing frees every block that a prefix touches, whoever else lives in it.

Used blocks are kept as sorted ranges, not as bits: 15,000 Nodes in a /0 cost as much as in a /16.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from flannelscope.addresses import PodCidr
from flannelscope.cidr import BITS, contains, parse, show
from flannelscope.model import Node, Prefix, Value

MOST_IPV6_BITS = 16  # clusterSubnetMaxDiff; Kubernetes applies it to IPv6 pools only
DEFAULT_NODE_MASK = {4: 24, 6: 64}
NO_CLUSTER_CIDR = "Controller: Must specify --cluster-cidr if --allocate-node-cidrs is set"
NODE_MASK_TOO_SHORT = (
    "Controller: Invalid --cluster-cidr, mask size of cluster CIDR must be less than or equal to "
    "--node-cidr-mask-size configured for CIDR family"
)
POOL_TOO_LARGE = "New CIDR set failed; the node CIDR size is too big"
SERVICES_OF_ONE_FAMILY = "serviceCIDR and secondaryServiceCIDR are not dualstack (from different IPfamiles)"


class OutOfRange(ValueError):
    """A prefix is disjoint from the cluster CIDR: a start of the controller manager ends with this sentence."""


class CidrSet:
    """The blocks of one cluster CIDR. The cursor starts at block 0, as in a new process."""

    def __init__(self, cluster: Prefix, node_mask: int) -> None:
        """Raises ValueError, in Kubernetes' words, for a mask that the pool cannot have."""
        if node_mask < cluster.length or node_mask > BITS[cluster.family]:
            raise ValueError(NODE_MASK_TOO_SHORT)
        if cluster.family == 6 and node_mask - cluster.length > MOST_IPV6_BITS:
            raise ValueError(POOL_TOO_LARGE)
        self.cluster = cluster
        self.node_mask = node_mask
        self.blocks = 1 << (node_mask - cluster.length)
        self.cursor = 0
        self._shift = BITS[cluster.family] - node_mask
        self._starts: list[int] = []  # used ranges of blocks, ascending, never touching each other
        self._ends: list[int] = []
        self._used = 0

    def copy(self) -> CidrSet:
        """An independent set in the same state."""
        twin = CidrSet(self.cluster, self.node_mask)
        twin.cursor, twin._used = self.cursor, self._used
        twin._starts, twin._ends = self._starts.copy(), self._ends.copy()
        return twin

    @property
    def free(self) -> int:
        """How many blocks are clear."""
        return self.blocks - self._used

    def span(self, prefix: Prefix) -> tuple[int, int]:
        """First and last block that `prefix` touches. One that contains the whole pool touches every block.

        Raises OutOfRange when it is disjoint from the pool, or of the other family.
        """
        touched = self.touched(prefix)
        if touched is None:
            raise OutOfRange(f"cidr {show(prefix)} is out the range of cluster cidr {show(self.cluster)}")
        return touched

    def touched(self, prefix: Prefix) -> tuple[int, int] | None:
        """As `span`, but None where that raises."""
        first = (prefix.base - self.cluster.base) >> self._shift
        length = prefix.length
        if prefix.family == self.cluster.family and length > self.cluster.length:
            if not 0 <= first < self.blocks:
                return None
            return (first, first) if length >= self.node_mask else (first, first + (1 << (self.node_mask - length)) - 1)
        return (0, self.blocks - 1) if contains(prefix, self.cluster) else None

    def block(self, index: int) -> Prefix:
        """The block with this index."""
        return Prefix(self.cluster.family, self.cluster.base + (index << self._shift), self.node_mask)

    def occupy(self, prefix: Prefix) -> None:
        """Mark what `prefix` touches as used; what is used already stays so, silently. Raises OutOfRange."""
        self._mark(*self.span(prefix))

    def release(self, prefix: Prefix) -> None:
        """Clear what `prefix` touches, even where another Node lives there. Raises OutOfRange."""
        first, last = self.span(prefix)
        low, high = bisect_left(self._ends, first), bisect_right(self._starts, last)
        if low >= high:
            return
        kept = [(self._starts[low], first - 1), (last + 1, self._ends[high - 1])]
        self._replace(low, high, [(a, b) for a, b in kept if a <= b])

    def allocate_next(self) -> Prefix | None:
        """The next clear block from the cursor on (cyclic next-fit), now used; None when none is left."""
        if not self.free:
            return None
        index = self._clear_from(self.cursor)
        if index == self.blocks:
            index = self._clear_from(0)
        self._mark(index, index)
        self.cursor = (index + 1) % self.blocks
        return self.block(index)

    def occupy_all(self, held: Iterable[PodCidr]) -> list[PodCidr]:
        """Mark what these podCIDRs touch, all at once; returns those that touch nothing of the pool."""
        family, base, length = self.cluster.family, self.cluster.base, self.cluster.length
        shift, mask = self._shift, self.node_mask
        single: set[int] = set()
        misfits: list[PodCidr] = []
        for item in held:
            prefix = item.prefix
            if prefix is None:
                misfits.append(item)
            elif (
                prefix.family == family
                and prefix.length >= mask > length
                and 0 <= (first := (prefix.base - base) >> shift) < self.blocks
            ):
                single.add(first)
            elif (span := self.touched(prefix)) is not None:
                self._mark(*span)
            else:
                misfits.append(item)
        for first, last in _runs(sorted(single)):
            self._mark(first, last)
        return misfits

    def _clear_from(self, index: int) -> int:
        position = bisect_left(self._ends, index)
        inside = position < len(self._starts) and self._starts[position] <= index
        return self._ends[position] + 1 if inside else index

    def _mark(self, first: int, last: int) -> None:
        # Ranges that touch or adjoin are merged into one, so that a step over them is one step.
        low, high = bisect_left(self._ends, first - 1), bisect_right(self._starts, last + 1)
        if low < high:
            first, last = min(first, self._starts[low]), max(last, self._ends[high - 1])
        self._replace(low, high, [(first, last)])

    def _replace(self, low: int, high: int, ranges: list[tuple[int, int]]) -> None:
        before = sum(b - a + 1 for a, b in zip(self._starts[low:high], self._ends[low:high], strict=True))
        self._starts[low:high] = [a for a, _ in ranges]
        self._ends[low:high] = [b for _, b in ranges]
        self._used += sum(b - a + 1 for a, b in ranges) - before


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    first = last = -1
    for number in numbers:
        if number != last + 1 or first < 0:
            if first >= 0:
                yield first, last
            first = number
        last = number
    if first >= 0:
        yield first, last


class Restart(Value, frozen=True):
    """What a start of the controller manager would do now. `reason` is the sentence it would end with.

    `pools` are its CidrSets after the start, by index of --cluster-cidr; where it would not start, they hold whatever
    could be occupied, so that free blocks can be shown all the same. They are shared: copy before allocating.
    """

    would_start: bool
    reason: str
    pools: tuple[CidrSet, ...]
    node: str = ""  # the Node that the reason is about
    misfits: tuple[PodCidr, ...] = ()  # every podCIDR that alone would end the start

    @property
    def free(self) -> int:
        """How many more Nodes could get their podCIDRs: the minimum over the families. 0 without a pool."""
        return min((pool.free for pool in self.pools), default=0)

    @property
    def blocks(self) -> int:
        """How many Nodes could have podCIDRs in all: the minimum over the families."""
        return min((pool.blocks for pool in self.pools), default=0)

    def next(self, number: int) -> tuple[tuple[Prefix, ...], ...]:
        """The podCIDRs that the next `number` Nodes would get, one tuple a Node; fewer when a family runs out."""
        pools = [pool.copy() for pool in self.pools]
        handed: list[tuple[Prefix, ...]] = []
        while pools and len(handed) < number:
            given = allocate(pools)
            if given is None:
                break
            handed.append(given)
        return tuple(handed)


def allocate(pools: Sequence[CidrSet]) -> tuple[Prefix, ...] | None:
    """One allocation as the RangeAllocator does it: a block of every pool by index, or None (CIDRNotAvailable).

    When a later pool is full, what the earlier ones gave is **not** given back: each retry leaks another block.
    """
    given: list[Prefix] = []
    for pool in pools:
        block = pool.allocate_next()
        if block is None:
            return None
        given.append(block)
    return tuple(given)


def refusal(cluster_cidrs: Sequence[Prefix], node_masks: Sequence[int], service_cidrs: Sequence[Prefix] = ()) -> str:
    """Why a controller manager with this configuration would not start, in its words; "" when it would."""
    families = {prefix.family for prefix in cluster_cidrs}
    if not cluster_cidrs:
        return NO_CLUSTER_CIDR
    if len(cluster_cidrs) > 1 and len(families) == 1:
        return (
            f"len of ClusterCIDRs=={len(cluster_cidrs)} and they are not configured as dual stack "
            "(at least one from each IPFamily"
        )
    if len(cluster_cidrs) > 2:
        return f"length of clusterCIDRs is:{len(cluster_cidrs)} more than max allowed of 2"
    if len(service_cidrs) > 2:
        return "--service-cluster-ip-range can not contain more than two entries"
    if len(service_cidrs) == 2 and service_cidrs[0].family == service_cidrs[1].family:
        return SERVICES_OF_ONE_FAMILY
    for cluster, mask in zip(cluster_cidrs, complete_masks(cluster_cidrs, node_masks), strict=True):
        if not cluster.length <= mask <= BITS[cluster.family]:
            return NODE_MASK_TOO_SHORT
        if cluster.family == 6 and mask - cluster.length > MOST_IPV6_BITS:
            return POOL_TOO_LARGE
    return ""


def complete_masks(cluster_cidrs: Sequence[Prefix], node_masks: Sequence[int]) -> tuple[int, ...]:
    """A mask for each cluster CIDR; where none is given, Kubernetes' default (24 and 64)."""
    return tuple(
        node_masks[i] if i < len(node_masks) else DEFAULT_NODE_MASK[cluster.family] for i, cluster in enumerate(cluster_cidrs)
    )


def restart(
    cluster_cidrs: Sequence[Prefix], node_masks: Sequence[int], service_cidrs: Sequence[Prefix], nodes: Iterable[Node]
) -> Restart:
    """What a controller manager that starts with these arguments and finds these Nodes would do.

    Nodes are taken in the order of their names, as the API server lists them: the first that does not fit ends the start.
    """
    held = (PodCidr(node.name, index, text, parse(text)) for node in nodes for index, text in enumerate(node.pod_cidrs))
    return start(cluster_cidrs, node_masks, service_cidrs, held)


def start(
    cluster_cidrs: Sequence[Prefix], node_masks: Sequence[int], service_cidrs: Sequence[Prefix], held: Iterable[PodCidr]
) -> Restart:
    """As `restart`, for podCIDRs that are parsed already."""
    refused = refusal(cluster_cidrs, node_masks, service_cidrs)
    if refused:
        return Restart(False, refused, ())
    masks = complete_masks(cluster_cidrs, node_masks)
    pools = tuple(CidrSet(cluster, mask) for cluster, mask in zip(cluster_cidrs, masks, strict=True))
    _leave_out(pools, service_cidrs)
    everyone = tuple(held)
    misfits = [item for item in everyone if item.index >= len(pools)]
    for index, pool in enumerate(pools):
        misfits += pool.occupy_all([item for item in everyone if item.index == index])
    if not misfits:
        return Restart(True, "", pools)
    first = min(misfits, key=lambda item: (item.node, item.index))
    return Restart(False, _misfit(pools, first), pools, first.node, tuple(misfits))


def _leave_out(pools: Iterable[CidrSet], service_cidrs: Iterable[Prefix]) -> None:
    for service in service_cidrs:
        for pool in pools:
            if contains(pool.cluster, service) or contains(service, pool.cluster):
                pool.occupy(service)


def _misfit(pools: Sequence[CidrSet], item: PodCidr) -> str:
    """The sentence with which this podCIDR ends the start."""
    if item.prefix is None:
        return f"failed to parse node {item.node}, CIDR {item.text}"
    if item.index >= len(pools):
        where = f"{item.text} at index:{item.index}"
        return f"node:{item.node} has an allocated cidr: {where} that does not exist in cluster cidrs configuration"
    cidr, cluster = show(item.prefix), show(pools[item.index].cluster)
    return (
        f"failed to mark cidr[{cidr}] at idx [{item.index}] as occupied for node: {item.node}: "
        f"cidr {cidr} is out the range of cluster cidr {cluster}"
    )
