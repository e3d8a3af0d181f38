"""What makes room in a pool of podCIDRs that has none left: why it filled up, who holds it, and what helps most.

Every number is the allocator's own arithmetic (allocator.py) for a start with other arguments and the Nodes as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

from flannelscope.addresses import PodCidr
from flannelscope.allocator import Restart, complete_masks, start
from flannelscope.cidr import BITS, last, overlaps, parse_address, show
from flannelscope.deletion import dead
from flannelscope.facts import Facts
from flannelscope.model import Prefix, Value
from flannelscope.text import count, fold

WIDEST = 8  # bits by which a range is widened at most
MOST_LENGTHS = 4  # of podCIDRs that are named apart


class Holders(Value, frozen=True):
    """The Nodes whose podCIDRs in one cluster CIDR have this length, and how many of its blocks these touch together."""

    length: int
    nodes: tuple[str, ...]
    blocks: int


class Option(Value, frozen=True):
    """One way to make room. `free` is how many blocks there would be at once; `command` shows what else it means."""

    said: str
    free: int
    command: str = ""


def tightest(facts: Facts, restart: Restart) -> int:
    """Which of the pools is the one that has least left."""
    return min(range(len(restart.pools)), key=lambda index: restart.pools[index].free)


def holders(facts: Facts, restart: Restart, index: int) -> tuple[Holders, ...]:
    """Who holds the blocks of a pool, those with most blocks first."""
    by_length = _by_length(facts, restart, index)
    found = [_holders(restart, index, length, items) for length, items in by_length.items()]
    return tuple(sorted(found, key=lambda item: (-item.blocks, item.length)))


def _by_length(facts: Facts, restart: Restart, index: int) -> dict[int, list[PodCidr]]:
    """The podCIDRs that touch a pool, by their length."""
    pool, found = restart.pools[index], dict[int, list[PodCidr]]()
    family, own, first, end = pool.cluster.family, pool.cluster.length, pool.cluster.base, last(pool.cluster)
    for item in facts.pod_cidrs:
        prefix = item.prefix
        if prefix is None or item.index != index or prefix.family != family:
            continue
        if first <= prefix.base <= end if prefix.length > own else pool.touched(prefix) is not None:
            found.setdefault(prefix.length, []).append(item)
    return found


def _holders(restart: Restart, index: int, length: int, items: Sequence[PodCidr]) -> Holders:
    pool, touched = restart.pools[index], set[tuple[int, int]]()
    for item in items:
        if item.prefix is not None:
            touched.add(pool.span(item.prefix))
    return Holders(length, tuple(item.node for item in items), sum(end - first + 1 for first, end in touched))


def held(found: Sequence[Holders]) -> str:
    """Who holds the blocks, by the length of their podCIDRs, in words."""
    said = [f"{count(len(item.nodes), 'Node')} with a /{item.length}: {count(item.blocks, 'block')}" for item in found]
    rest = len(said) - MOST_LENGTHS
    return "; ".join(said[:MOST_LENGTHS]) + (f"; and {rest} more lengths" if rest > 0 else "")


def _usual(sizes: Iterable[tuple[int, int]], mask: int) -> tuple[int, int] | None:
    """Of (length, Nodes) the one of most Nodes whose podCIDR is longer than the node mask; None where none is longer."""
    return max((item for item in sizes if item[0] > mask), key=itemgetter(1), default=None)


def cause(found: Sequence[Holders], mask: int) -> str:
    """Why the pool filled up so soon, by the podCIDRs that are there; "" where they do not tell."""
    small = _usual(((item.length, len(item.nodes)) for item in found), mask)
    if small is None:
        return ""
    length, nodes = small
    times = 1 << min(length - mask, 64)
    hold = "holds" if nodes == 1 else "hold"
    return (
        f"The node mask is /{mask} while {count(nodes, 'Node')} {hold} a /{length}: each new Node takes "
        f"{times:,} times as many addresses as one of these."
    )


def options(facts: Facts, restart: Restart, waiting: int) -> tuple[Option, ...]:
    """What can be done, the one first that gives the waiting Nodes their blocks with the least that has to change."""
    return (*rearranged(facts, restart, waiting), _gone(facts))


def rearranged(facts: Facts, restart: Restart, waiting: int) -> tuple[Option, ...]:
    """What other arguments of the controller manager would do, in the order of `options`."""
    index = tightest(facts, restart)
    sizes = ((length, len(items)) for length, items in _by_length(facts, restart, index).items())
    small = _usual(sizes, restart.pools[index].node_mask)
    masks = list(complete_masks(facts.configuration.cluster_cidrs, facts.configuration.node_masks))
    found: list[Option] = []
    if small is not None:
        masks[index] = small[0]
        found.append(_longer_mask(facts, restart, masks, index, waiting))
    if wider := _wider(facts, masks, index, waiting):
        found.append(wider)
    return tuple(found)


def _longer_mask(facts: Facts, restart: Restart, masks: Sequence[int], index: int, waiting: int) -> Option:
    free = _start(facts, facts.configuration.cluster_cidrs, masks).free
    at_once = f"{count(free, 'block is', 'blocks are')} free then at once" if free else "that alone frees no block"
    command = f"flannelscope cidr what-if --node-cidr-mask-size {','.join(map(str, masks))}"
    rebuilt = _rebuilt(facts, restart, index, masks[index]) if free < waiting else ""
    stay = "Range, Network and kube-proxy stay as they are"
    return Option(f"Lengthen the node mask to /{masks[index]}: {at_once}{rebuilt}. {stay}", free, command)


def _rebuilt(facts: Facts, restart: Restart, index: int, mask: int) -> str:
    """What the rebuild of Nodes with whole blocks frees, as the end of a sentence."""
    old = restart.pools[index].node_mask
    wide = next((item.nodes for item in holders(facts, restart, index) if item.length == old), ())
    if not wide:
        return ""
    frees = f"frees {(1 << (mask - old)) - 1:,}"
    return (
        f", but each of the {count(len(wide), 'Node')} with a /{old} ({fold(wide, 3)}) {frees} when it is rebuilt with a /{mask}"
    )


def _wider(facts: Facts, masks: Sequence[int], index: int, waiting: int) -> Option | None:
    """The smallest range around the present one that has blocks for all that wait and holds nothing else that is known."""
    clusters = list(facts.configuration.cluster_cidrs)
    own = clusters[index]
    for length in range(own.length - 1, max(own.length - WIDEST, 1) - 1, -1):
        bits = BITS[own.family] - length
        clusters[index] = Prefix(own.family, own.base >> bits << bits, length)
        if any(overlaps(clusters[index], other) and not overlaps(own, other) for other in _others(facts)):
            return None
        restart = _start(facts, clusters, masks)
        if restart.would_start and restart.free >= waiting:
            return Option(_widened(clusters[index], masks[index], restart.free), restart.free, _asked(clusters, masks))
    return None


def _widened(cluster: Prefix, mask: int, free: int) -> str:
    return (
        f"Widen --cluster-cidr to {show(cluster)}, if nothing else in your network lives there: {count(free, 'block')} of "
        f"/{mask} free at once; flannel's Network and kube-proxy's clusterCIDR must hold it first"
    )


def _asked(clusters: Sequence[Prefix], masks: Sequence[int]) -> str:
    wide, lengths = ",".join(map(show, clusters)), ",".join(map(str, masks))
    return f"flannelscope cidr what-if --cluster-cidr {wide} --node-cidr-mask-size {lengths}"


def _gone(facts: Facts) -> Option:
    silent = [node.name for node in facts.snapshot.nodes if node.pod_cidrs and dead(facts, node)]
    if not silent:
        return Option("Remove Nodes that are gone for good: none that holds a podCIDR is known to be silent", 0)
    are = "is" if len(silent) == 1 else "are"
    return Option(f"Remove Nodes that are gone for good: {fold(silent, 3)} {are} silent; each frees what it holds alone", 0)


def _start(facts: Facts, clusters: Sequence[Prefix], masks: Sequence[int]) -> Restart:
    return start(clusters, masks, facts.configuration.manager_service_cidrs, facts.pod_cidrs)


def _others(facts: Facts) -> Iterator[Prefix]:
    """Ranges and addresses that are in use and no podCIDRs: Services and Nodes."""
    yield from facts.configuration.service_cidrs
    for text in (ip for node in facts.snapshot.nodes for ip in (*node.internal_ips, *node.external_ips)):
        if (address := parse_address(text)) is not None:
            yield Prefix(address[0], address[1], BITS[address[0]])
