"""What another cluster CIDR or node mask would mean: would the controller manager start, and which Nodes must be rebuilt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec.structs import replace

from flannelscope.allocator import Restart, complete_masks, restart
from flannelscope.blocks import block, flannel_networks, free_blocks, free_runs, taken
from flannelscope.cidr import BITS, contains, overlaps, parse, show
from flannelscope.deletion import said_not_read, server
from flannelscope.effective import Sureness
from flannelscope.facts import Facts
from flannelscope.fits import proxy_ranges
from flannelscope.model import Node, Prefix, Value
from flannelscope.text import count, natural

# Why a Node must be rebuilt, most pressing first: this is also the order in which to do it.
UNREADABLE, OUTSIDE, INDEX, WHOLE, SERVICES, SPANS, SHARES = range(7)


class Rebuild(Value, frozen=True):
    """A Node to rebuild: its podCIDR, why, and the block it should get (None where no free one is left).

    `required`: as it is, the controller manager would not start, or would give nothing. Else it only makes room.
    """

    node: str
    podcidr: str
    reason: str
    to: Prefix | None
    required: bool = True


class Pool(Value, frozen=True, kw_only=True):
    """One cluster CIDR: blocks the allocator would still hand out, which next, and which are best for a rebuild."""

    cluster: Prefix
    node_mask: int
    left: int
    next: tuple[Prefix, ...]
    free: tuple[Prefix, ...]


class Answer(Value, frozen=True, kw_only=True):
    """What is free, and for what-if what must be rebuilt. `left` is the minimum over the families.

    `problem` says why no block can be called free; then none is named, and `left` is the most that there can be.
    `small` are the reasons why the range does not suffice: fewer blocks than Nodes, or Nodes that must be rebuilt find no free
    one, or those that wait for a podCIDR would go on waiting. `waiting` counts these; `after` is `left` when all in `rebuild`
    have moved, None where that is not known.
    """

    would_start: bool
    reason: str
    left: int
    pools: tuple[Pool, ...]
    rebuild: tuple[Rebuild, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""
    small: tuple[str, ...] = ()
    waiting: int = 0
    after: int | None = None


def unsure(facts: Facts) -> str:
    """Why no block can be called free: Nodes that could not be read hold podCIDRs that nobody knows. "" when all were read."""
    missing = said_not_read(facts)
    return f"{missing}: no block can be called free, for it might be theirs" if missing else ""


def free(facts: Facts, number: int) -> Answer | None:
    """What is free in the ranges in effect, None where no cluster CIDR is known."""
    known = facts.configuration
    start = facts.restart
    if start is None:
        return None
    masks = complete_masks(known.cluster_cidrs, known.node_masks)
    notes = (*_sureness_notes(facts), *_network_notes(facts, known.cluster_cidrs, "only blocks inside are offered"))
    pools = _pools(facts, start, known.cluster_cidrs, masks, number, inside_network=True)
    return Answer(
        would_start=start.would_start,
        reason=start.reason,
        left=start.free,
        pools=pools,
        notes=notes,
        problem=unsure(facts),
    )


def what_if(
    facts: Facts, clusters: Sequence[Prefix], node_masks: Sequence[int], number: int, given: Sequence[str] = ()
) -> Answer:
    """What these cluster CIDRs and masks would mean for the Nodes as they are. The notes begin with `given`."""
    masks = complete_masks(clusters, node_masks)
    services = facts.configuration.manager_service_cidrs
    start = restart(clusters, masks, services, facts.snapshot.nodes)
    if not start.pools:
        return Answer(would_start=False, reason=start.reason, left=0, pools=(), notes=tuple(given))
    rebuild = tuple(_rebuild(facts, clusters, masks))
    moved = [_moved(node, {item.node: item for item in rebuild}.get(node.name)) for node in facts.snapshot.nodes]
    after = None if any(item.to is None for item in rebuild) else restart(clusters, masks, services, moved).free
    notes = [*given, *_network_notes(facts, clusters, "widen it before a node gets one"), *_outside(facts, clusters, rebuild)]
    return Answer(
        would_start=start.would_start,
        reason=start.reason,
        left=start.free,
        pools=_pools(facts, start, clusters, masks, number, inside_network=False),
        rebuild=rebuild,
        notes=tuple(notes),
        problem=unsure(facts),
        small=tuple(_small(facts, start, rebuild, after)),
        waiting=len(facts.waiting),
        after=after,
    )


def _moved(node: Node, item: Rebuild | None) -> Node:
    """The Node with the podCIDR that it should get."""
    if item is None or item.to is None:
        return node
    to = show(item.to)
    return replace(node, pod_cidrs=tuple(to if text == item.podcidr else text for text in node.pod_cidrs))


def _pools(
    facts: Facts, start: Restart, clusters: Sequence[Prefix], masks: Sequence[int], number: int, *, inside_network: bool
) -> tuple[Pool, ...]:
    number = 0 if unsure(facts) else number
    handed = start.next(number) if start.would_start else ()
    used = taken(facts)
    return tuple(
        Pool(
            cluster=cluster,
            node_mask=mask,
            left=start.pools[index].free if start.pools else 0,
            next=tuple(given[index] for given in handed),
            free=tuple(
                islice(
                    free_blocks(facts, used, index, cluster, mask, _networks(facts, cluster) if inside_network else ()), number
                )
            )
            if start.pools
            else (),
        )
        for index, (cluster, mask) in enumerate(zip(clusters, masks, strict=True))
    )


def _networks(facts: Facts, cluster: Prefix) -> list[Prefix]:
    return [network for network in flannel_networks(facts) if network.family == cluster.family]


class _Targets:
    """Blocks to move to, of one cluster CIDR, each given once.

    First those inside the range in effect and flannel's Network, so that Nodes can move before anything is changed; then
    all others of the new range; at last what Nodes that were rebuilt before have left.
    """

    def __init__(self, facts: Facts, used: Sequence[Prefix], index: int, cluster: Prefix, mask: int) -> None:
        self.cluster, self.mask = cluster, mask
        self.others = used
        current = [prefix for prefix in facts.configuration.cluster_cidrs[index : index + 1] if overlaps(prefix, cluster)]
        networks = _networks(facts, cluster)
        both = [a if contains(b, a) else b for a in current for b in networks if overlaps(a, b)] if networks else current
        self._given: set[Prefix] = set()
        limits: tuple[Sequence[Prefix], ...] = (both, ()) if both else ((),)
        self._fresh = (item for limit in limits for item in free_blocks(facts, used, index, cluster, mask, limit))
        self._left: list[Prefix] = []

    def take(self, own: Prefix | None) -> Prefix | None:
        """A block for a Node that gives up `own`; where nothing is free, one of its own, if it holds them alone."""
        for fresh in self._fresh:
            if fresh not in self._given:
                self._given.add(fresh)
                self._leave(own)
                return fresh
        self._leave(own)
        return self._left.pop() if self._left else None

    def _leave(self, own: Prefix | None) -> None:
        if own is None or own.length > self.mask or not contains(self.cluster, own):
            return
        touching = [prefix for prefix in self.others if overlaps(prefix, own)]
        if touching.count(own) == 1:
            rest = [prefix for prefix in touching if prefix != own and prefix.length < BITS[prefix.family]]
            runs = free_runs(own, self.mask, rest)
            self._left += [block(own, self.mask, number) for first, last in runs for number in range(first, last + 1)]


def _rebuild(facts: Facts, clusters: Sequence[Prefix], masks: Sequence[int]) -> Iterator[Rebuild]:
    """Nodes to rebuild in their order, each with a target that collides with nothing and with no other target."""
    wanted = sorted(_wanted(facts, clusters, masks), key=lambda item: (item[0], server(facts, item[1]), natural(item[1].name)))
    used = taken(facts)
    targets = [] if unsure(facts) else [_Targets(facts, used, i, cluster, masks[i]) for i, cluster in enumerate(clusters)]
    seen: set[str] = set()
    waiting: list[tuple[str, int, str, str, bool]] = []
    for rank, node, index, text, reason in wanted:
        if node.name in seen:
            continue
        seen.add(node.name)
        to = targets[index].take(parse(text)) if index < len(targets) else None
        if to is None and index < len(targets):
            waiting.append((node.name, index, text, reason, rank <= SERVICES))
        else:
            yield Rebuild(node.name, text, reason, to, rank <= SERVICES)
    for name, index, text, reason, required in waiting:  # others have left blocks meanwhile
        yield Rebuild(name, text, reason, targets[index].take(None), required)


def _wanted(facts: Facts, clusters: Sequence[Prefix], masks: Sequence[int]) -> Iterator[tuple[int, Node, int, str, str]]:
    """(rank, Node, index of its podCIDR, text, reason) of every podCIDR that cannot stay."""
    sharing = [_sharing(facts, index, cluster, masks[index]) for index, cluster in enumerate(clusters)]
    for node in facts.snapshot.nodes:
        for index, text in enumerate(node.pod_cidrs):
            said = _reason(facts, clusters, masks, index, text)
            if said is None and index < len(clusters) and node.name in sharing[index]:
                said = (
                    SHARES,
                    f"shares its /{masks[index]} block with {sharing[index][node.name]}: deleting one frees it for all",
                )
            if said is not None:
                yield said[0], node, index, text, said[1]


def _reason(facts: Facts, clusters: Sequence[Prefix], masks: Sequence[int], index: int, text: str) -> tuple[int, str] | None:
    prefix = parse(text)
    if prefix is None:
        return UNREADABLE, "its podCIDR is unreadable: the controller manager would not start"
    if index >= len(clusters):
        return INDEX, "it has more podCIDRs than there would be cluster CIDRs: the controller manager would not start"
    cluster, mask = clusters[index], masks[index]
    if not overlaps(cluster, prefix):
        return OUTSIDE, f"outside {show(cluster)}: the controller manager would not start"
    if contains(prefix, cluster) and prefix.length < mask:
        return WHOLE, f"it holds the whole of {show(cluster)}: no block would be left"
    service = next((s for s in facts.configuration.manager_service_cidrs if overlaps(s, prefix)), None)
    if service is not None:
        return SERVICES, f"inside {show(service)}, which belongs to Services"
    if prefix.length < mask:
        return SPANS, f"a /{prefix.length} holds {1 << (mask - prefix.length)} blocks of /{mask}: deleting it frees them all"
    return None


def _sharing(facts: Facts, index: int, cluster: Prefix, mask: int) -> dict[str, str]:
    """Nodes whose podCIDR is smaller than a block and that do not have the block alone, with one they share it with.

    One Node of a block can stay: alone in it, its deletion frees what is its own. It is one that has the whole block, or a
    control plane node, or the oldest.
    """
    holders: dict[Prefix, list[tuple[bool, bool, float, tuple[tuple[int, int, str], ...], Node]]] = {}
    for node in facts.snapshot.nodes:
        prefix = parse(node.pod_cidrs[index]) if index < len(node.pod_cidrs) else None
        if prefix is not None and prefix.length >= mask and contains(cluster, prefix):
            shift = prefix.length - mask
            bits = (32 if prefix.family == 4 else 128) - mask
            whole = Prefix(prefix.family, prefix.base >> bits << bits, mask)
            age = node.created if node.created is not None else float("inf")
            holders.setdefault(whole, []).append((shift > 0, not server(facts, node), age, natural(node.name), node))
    shared: dict[str, str] = {}
    for here in holders.values():
        stays, *go = sorted(here, key=lambda item: item[:4])
        shared.update({item[4].name: stays[4].name for item in go if item[0]})
    return shared


def _sureness_notes(facts: Facts) -> Iterator[str]:
    known = facts.configuration
    if known.cluster_sure == Sureness.ESTIMATE:
        shown = ", ".join(show(cluster) for cluster in known.cluster_cidrs)
        yield f"{shown} is only the smallest range that holds these podCIDRs: the real one may be larger; give --cluster-cidr"
    elif not known.known:
        yield "the running allocator's own arguments are not visible: range and mask are hints, and may be out of date"


def _network_notes(facts: Facts, clusters: Sequence[Prefix], advice: str) -> Iterator[str]:
    for cluster in clusters:
        own = _networks(facts, cluster)
        if own and not any(contains(network, cluster) for network in own):
            shown = ", ".join(show(network) for network in own)
            yield f"flannel's Network is {shown}: flannel ends on a podCIDR outside of it; {advice}"
        proxy = [prefix for prefix in proxy_ranges(facts) if prefix.family == cluster.family]
        if proxy and not any(contains(prefix, cluster) for prefix in proxy):
            shown = ", ".join(map(show, proxy))
            yield f"kube-proxy's clusterCIDR is {shown}: it takes pods outside of it for strangers (FLN118); widen it too"


def _small(facts: Facts, start: Restart, rebuild: Sequence[Rebuild], after: int | None) -> Iterator[str]:
    nodes, waiting = len(facts.snapshot.nodes), len(facts.waiting)
    if start.blocks < nodes:
        yield f"too small: the range has {count(start.blocks, 'block')} for {count(nodes, 'node')}"
    if unsure(facts):
        return
    if without := sum(item.to is None and item.required for item in rebuild):
        yield f"too small: {count(without, 'node')} of those that must be rebuilt would find no free block"
    if start.free < waiting and start.blocks >= nodes:
        enough = "" if after is None or after < waiting else ", unless some nodes are rebuilt first"
        waits = count(waiting, "node that waits", "nodes that wait")
        yield f"too small as things are: {count(start.free, 'free block')} for {waits} for a podCIDR{enough}"


def _outside(facts: Facts, clusters: Sequence[Prefix], rebuild: Sequence[Rebuild]) -> Iterator[str]:
    """A new range that contains the one in effect is itself the way by which Nodes move."""
    known = facts.configuration
    if known.cluster_sure != Sureness.SURE or not known.cluster_cidrs:
        return
    if all(any(contains(new, old) for new in clusters) for old in known.cluster_cidrs):
        return
    targets = [item.to for item in rebuild if item.to is not None]
    outside = sum(not any(contains(cluster, to) for cluster in known.cluster_cidrs) for to in targets)
    if outside:
        yield (
            f"{count(outside, 'target')} lie outside the cluster CIDR in effect: go by way of a range that contains both, "
            "or the controller manager does not start again meanwhile"
        )
