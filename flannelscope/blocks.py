"""Blocks of a pod range: what a plan of one gives, which blocks are free, what another range would mean for a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flannelscope.allocator import complete_masks, refusal
from flannelscope.cidr import BITS, RangeSet, contains, has_host_bits, overlaps, parse, parse_address, show
from flannelscope.facts import Facts
from flannelscope.model import Node, Prefix, Value

DEFAULT_MAX_PODS = 110  # kubelet --max-pods
KUBEADM_LARGEST = 16  # kubeadm's PodSubnetNodeMaskMaxDiff, for both families

Runs = Sequence[tuple[int, int]]


class Plan(Value, frozen=True, kw_only=True):
    """What one cluster CIDR with one node mask gives. `valid`: it is no reason for the controller manager not to start.

    `usable_blocks` leaves out what lies in service ranges; `addresses_per_node` counts what host-local hands out (not
    network, gateway and, for IPv4, broadcast address). `problems` stand in the way, `notes` are worth knowing.
    """

    cluster: Prefix
    written: str
    node_mask: int
    blocks: int
    usable_blocks: int
    addresses_per_node: int
    pods_per_node: int
    first: Prefix | None
    last: Prefix | None
    valid: bool
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def host_bits(self) -> bool:
        """Whether the cluster CIDR is written with host bits, and so is another range than it looks."""
        return has_host_bits(self.written)


def plan(
    written: Sequence[str],
    node_masks: Sequence[int],
    service_cidrs: Sequence[Prefix] = (),
    *,
    nodes: int | None = None,
    max_pods: int = DEFAULT_MAX_PODS,
) -> tuple[Plan, ...]:
    """What these cluster CIDRs give, one Plan each. Raises ValueError for a text that is no prefix."""
    clusters = []
    for text in written:
        cluster = parse(text)
        if cluster is None:
            raise ValueError(f"{text} is no IP prefix")
        clusters.append(cluster)
    masks = complete_masks(clusters, node_masks)
    alone = [refusal([cluster], [mask]) for cluster, mask in zip(clusters, masks, strict=True)]
    together = refusal(clusters, masks, service_cidrs)
    common = "" if together in alone else together  # what is wrong with all of them, whatever is wrong with each
    return tuple(
        _plan(cluster, text, mask, service_cidrs, common or own, nodes, max_pods)
        for cluster, text, mask, own in zip(clusters, written, masks, alone, strict=True)
    )


def _plan(
    cluster: Prefix, written: str, mask: int, services: Sequence[Prefix], refused: str, nodes: int | None, max_pods: int
) -> Plan:
    fits = cluster.length <= mask <= BITS[cluster.family]
    blocks = 1 << (mask - cluster.length) if fits else 0
    runs = free_runs(cluster, mask, services) if fits else ()
    usable = sum(last - first + 1 for first, last in runs)
    addresses = addresses_of(cluster.family, mask) if fits else 0
    return Plan(
        cluster=cluster,
        written=written,
        node_mask=mask,
        blocks=blocks,
        usable_blocks=usable,
        addresses_per_node=addresses,
        pods_per_node=min(addresses, max_pods),
        first=block(cluster, mask, 0) if fits else None,
        last=block(cluster, mask, blocks - 1) if fits else None,
        valid=not refused,
        problems=tuple(_problems(refused, fits, usable, addresses, nodes, mask)),
        notes=tuple(_notes(cluster, written, mask, services, addresses, max_pods)),
    )


def _problems(refused: str, fits: bool, usable: int, addresses: int, nodes: int | None, mask: int) -> Iterator[str]:
    if refused:
        yield f"the controller manager would not start: {refused}"
    if fits and not addresses:
        yield f"a podCIDR of /{mask} has no address to give to a pod"
    if fits and not usable:
        yield "all of it lies in a service range: no block is left for nodes"
    if nodes is not None and usable < nodes:
        yield f"too small: {usable} usable blocks for {nodes} nodes"


def _notes(cluster: Prefix, written: str, mask: int, services: Sequence[Prefix], addresses: int, max_pods: int) -> Iterator[str]:
    if has_host_bits(written):
        yield f"{written} is written with host bits; it really is {show(cluster)}"
    if mask - cluster.length > KUBEADM_LARGEST and cluster.family == 4:
        yield f"kubeadm refuses a node mask more than {KUBEADM_LARGEST} bits longer; the controller manager takes it"
    for service in services:
        if overlaps(cluster, service):
            yield f"it shares addresses with the Services' {show(service)}: the manager leaves those blocks out if it knows it"
    if 0 < addresses < max_pods:
        yield f"a node gets {addresses} addresses, fewer than the {max_pods} pods its kubelet takes"


def addresses_of(family: int, mask: int) -> int:
    """How many pods host-local serves from a podCIDR of this length.

    It refuses a range longer than bits - 2 (containernetworking/plugins, host-local/backend/allocator/range.go, Canonicalize).
    """
    if mask > BITS[family] - 2:
        return 0
    return (1 << (BITS[family] - mask)) - (3 if family == 4 else 2)


def block(cluster: Prefix, mask: int, index: int) -> Prefix:
    """The block with this index."""
    return Prefix(cluster.family, cluster.base + (index << (BITS[cluster.family] - mask)), mask)


def free_runs(cluster: Prefix, mask: int, taken: Iterable[Prefix], within: Sequence[Prefix] = ()) -> Runs:
    """Indices (first, last) of runs of whole blocks that nothing in `taken` touches, ascending.

    Only those inside `within`, unless that is empty.
    """
    shift = BITS[cluster.family] - mask
    limits = {limit if contains(cluster, limit) else cluster for limit in within if overlaps(limit, cluster)}
    spans = [a for a in limits if not any(a != b and contains(b, a) for b in limits)] if within else [cluster]
    runs: list[tuple[int, int]] = []
    used = RangeSet(taken, cluster.family)
    for span in sorted(spans):
        for first, last in used.gaps(span):
            low = (first - cluster.base + (1 << shift) - 1) >> shift
            high = ((last + 1 - cluster.base) >> shift) - 1
            if low <= high:
                runs.append((low, high))
    return runs


def best_first(runs: Runs, cursor: int) -> Iterator[int]:
    """Indices of free blocks, the one first that the allocator reaches last.

    A rebuilt Node gets its podCIDR by hand, and nothing reserves it while its Node object is away: a Node that joins
    meanwhile must not be given the same block. A controller manager that goes on hands out from `cursor` upwards and then
    wraps; one that restarts begins at block 0, and nobody knows which of both it will be. So a block is the better the more
    joins it takes until either of them reaches it: for the i-th of n free blocks, k of which lie below the cursor, these
    are i for i < k and i - k from there on. Both parts are read from their upper end.
    """
    below = [(first, min(last, cursor - 1)) for first, last in runs if first < cursor]
    above = [(max(first, cursor), last) for first, last in runs if last >= cursor]
    lower, upper = _count(below), _count(above)
    low, high = _descending(below), _descending(above)
    while lower or upper:
        if upper >= lower:
            upper -= 1
            yield next(high)
        else:
            lower -= 1
            yield next(low)


def _count(runs: Runs) -> int:
    return sum(last - first + 1 for first, last in runs)


def _descending(runs: Runs) -> Iterator[int]:
    for first, last in reversed(runs):
        yield from range(last, first - 1, -1)


def cursor_of(nodes: Iterable[Node], index: int, cluster: Prefix, mask: int) -> int:
    """Where a controller manager that runs on would look next: behind the podCIDR of the youngest Node that has a whole block."""
    youngest, after = -1.0, 0
    for node in nodes:
        if node.created is None or node.created <= youngest or index >= len(node.pod_cidrs):
            continue
        prefix = parse(node.pod_cidrs[index])
        if prefix is not None and prefix.length == mask and contains(cluster, prefix):
            youngest = node.created
            after = ((prefix.base - cluster.base) >> (BITS[cluster.family] - mask)) + 1
    return after % (1 << (mask - cluster.length))


def taken(facts: Facts) -> list[Prefix]:
    """All that a new podCIDR must not touch: podCIDRs, pod addresses, service ranges, addresses of Nodes and of flannel."""
    configuration = facts.configuration
    found = [item.prefix for item in facts.pod_cidrs if item.prefix is not None]
    found += [*configuration.service_cidrs, *configuration.manager_service_cidrs]
    texts = [ip for node in facts.snapshot.nodes for ip in (*node.internal_ips, *node.external_ips)]
    texts += [ip for pod in facts.snapshot.pods for ip in pod.ips]
    texts += facts.snapshot.kubernetes_service_ips
    networks = facts.networks if facts.members_of else ()
    texts += [ip for network in networks for said in network.members.values() for ip in (said.public_ip, said.public_ipv6)]
    for text in set(texts):
        address = parse_address(text)
        if address is not None:
            found.append(Prefix(address[0], address[1], BITS[address[0]]))
    return found


def flannel_networks(facts: Facts) -> tuple[Prefix, ...]:
    """The ranges of flannel's net-conf: flanneld ends on a podCIDR outside of them."""
    return tuple(
        prefix
        for installation in facts.discovery.installations
        if installation.net_conf is not None
        for prefix in (installation.net_conf.network, installation.net_conf.ipv6_network)
        if prefix is not None
    )


def free_blocks(
    facts: Facts, used: Sequence[Prefix], index: int, cluster: Prefix, mask: int, limit: Sequence[Prefix] = ()
) -> Iterator[Prefix]:
    """Blocks of the `index`-th cluster CIDR that nothing in `used` touches, in the order of `best_first`.

    Only those inside `limit`, unless that is empty.
    """
    for number in best_first(free_runs(cluster, mask, used, limit), cursor_of(facts.snapshot.nodes, index, cluster, mask)):
        yield block(cluster, mask, number)
