"""What `cidr what-if` is asked: the range and masks that were given, completed by those that are in effect.

Whoever changes one flag of the controller manager leaves the other as it is. What was completed is said with where it was read.
"""

from __future__ import annotations

from collections.abc import Sequence

from flannelscope.allocator import DEFAULT_NODE_MASK
from flannelscope.cidr import show
from flannelscope.config_ranges import surplus
from flannelscope.effective import Sureness
from flannelscope.effective.said import CLUSTER, MASK
from flannelscope.errors import UsageError
from flannelscope.facts import Facts
from flannelscope.model import Prefix, Value

_HOW_SURE = {
    Sureness.SURE: "",
    Sureness.HINT: "; a hint, it may be out of date",
    Sureness.ESTIMATE: "; an estimate from the podCIDRs, the real one may differ",
}


class Question(Value, frozen=True):
    """The cluster CIDRs that are asked about, a mask for each, and in `notes` what of both was not given."""

    clusters: tuple[Prefix, ...]
    node_masks: tuple[int, ...]
    notes: tuple[str, ...] = ()


def question(facts: Facts, clusters: Sequence[Prefix], node_masks: Sequence[int]) -> Question:
    """The question in full. Raises UsageError where no cluster CIDR is given and none was found, or masks are too many for it."""
    notes = []
    if not clusters:
        clusters = facts.configuration.cluster_cidrs
        if not clusters:
            raise UsageError("the cluster CIDR is not known", "", "Give --cluster-cidr too.")
        read = _read(facts, CLUSTER)
        notes.append(f"--{CLUSTER} was not given: it is taken to stay {','.join(map(show, clusters))}{read}")
    if wrong := [*surplus(clusters, node_masks)]:
        raise UsageError("; ".join(wrong), ",".join(map(show, clusters)), "Give one mask for each cluster CIDR.")
    masks = list(node_masks)
    for cluster in clusters[len(masks) :]:
        mask, where = _mask(facts, cluster)
        masks.append(mask)
        notes.append(f"--{MASK} was not given for {show(cluster)}: it is taken to {where}")
    return Question(tuple(clusters), tuple(masks), tuple(notes))


def _mask(facts: Facts, cluster: Prefix) -> tuple[int, str]:
    """The mask that this family has now, and where that was read; Kubernetes' own where none is known."""
    known = facts.configuration
    read = _read(facts, MASK)
    for current, mask in zip(known.cluster_cidrs, known.node_masks, strict=False):
        if current.family == cluster.family and read:
            return mask, f"stay /{mask}{read}"
    mask = DEFAULT_NODE_MASK[cluster.family]
    return mask, f"be /{mask}, the default of Kubernetes"


def _read(facts: Facts, setting: str) -> str:
    """Where a setting was read and how far that can be trusted, in brackets; "" where nobody tells it."""
    found = (claim for claim in facts.configuration.claims if claim.setting == setting and claim.chosen)
    return next((f" ({claim.origin.path}{_HOW_SURE[claim.sure]})" for claim in found), "")
