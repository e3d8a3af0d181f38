"""Given cluster CIDRs, node masks and service ranges that no controller manager would start with: they are mistakes.

What is checked is what kube-controller-manager checks (k8s.io/kubernetes v1.34: cmd/kube-controller-manager/app/core.go,
startNodeIpamController; pkg/controller/nodeipam/ipam/cidrset/cidr_set.go), each mistake in a sentence of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flannelscope.allocator import MOST_IPV6_BITS
from flannelscope.cidr import BITS, parse, show
from flannelscope.effective import Sureness
from flannelscope.errors import UsageError
from flannelscope.facts import Facts
from flannelscope.model import Prefix

MOST = 2  # ranges, one of each family


def families(texts: Sequence[str], what: str) -> Iterator[str]:
    """What is wrong with these ranges together."""
    given = [prefix.family for prefix in map(parse, texts) if prefix is not None]
    if len(given) > MOST:
        yield f"{len(given)} {what}: there can be two at most, one of each family"
    elif len(given) != len(set(given)):
        yield f"{' and '.join(texts)} are both IPv{given[0]}: two {what} must be of different families"


def surplus(clusters: Sequence[Prefix], node_masks: Sequence[int]) -> Iterator[str]:
    """Whether there are more masks than cluster CIDRs."""
    if len(node_masks) > (len(clusters) or MOST):
        yield f"there are {len(node_masks)} node masks for {len(clusters) or f'at most {MOST}'} cluster CIDRs"


def masks(clusters: Sequence[Prefix], node_masks: Sequence[int], *, sure: bool = True) -> Iterator[str]:
    """What is wrong with these node masks in these cluster CIDRs. One that is not `sure` may be a part of the real one."""
    for cluster, mask in zip(clusters, node_masks, strict=False):
        if mask > BITS[cluster.family]:
            yield f"/{mask} is longer than an IPv{cluster.family} address ({BITS[cluster.family]} bits)"
        elif sure and mask < cluster.length:
            yield f"/{mask} is shorter than the cluster CIDR {show(cluster)}"
        elif sure and cluster.family == 6 and mask - cluster.length > MOST_IPV6_BITS:
            yield f"/{mask} is more than {MOST_IPV6_BITS} bits longer than the cluster CIDR {show(cluster)}"


def misfits(facts: Facts) -> tuple[str, ...]:
    """What is wrong with node masks that were given, in the cluster CIDRs that were found."""
    declared, found = facts.snapshot.declared, facts.configuration
    if declared.cluster_cidrs or not found.cluster_cidrs:
        return ()
    sure = found.cluster_sure is not Sureness.ESTIMATE
    given = found.cluster_cidrs, declared.node_masks
    return (*(surplus(*given) if sure else ()), *masks(*given, sure=sure))


def insist(facts: Facts) -> None:
    """Raises UsageError where node masks were given that the cluster found cannot have: every answer would be a wrong one."""
    if wrong := misfits(facts):
        found = ", ".join(map(show, facts.configuration.cluster_cidrs))
        what = f"the node masks given are not those of this cluster: {'; '.join(wrong)}"
        raise UsageError(what, f"cluster CIDR {found}", "Correct --node-cidr-mask-size, or give --cluster-cidr too.")
