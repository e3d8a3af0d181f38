"""Few podCIDRs are left: soon a Node that joins gets none, and its pods will wait.

How it is known

Where the arguments of the running allocator are known, the free blocks are counted as it would count them after a start.
Fewer than three, or fewer than a tenth of all, is worth knowing; it is a warning where at least as many Nodes joined in
the last 30 days as blocks are free. A pool that is full and to which no Node was added in that time may be meant so: that is
worth knowing and no more, also where the last block is gone.

How to see it

How many blocks are left, and which would be handed out next.

    flannelscope cidr free

What to do

Widen --cluster-cidr to a range that holds the present one before the next Nodes join; flannel's Network must hold it too.

How to undo it

A wider range may be narrowed again as long as no Node got a podCIDR from the new part.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.address_proofs import settings, unknown_allocator
from flannelscope.checks import Check, check
from flannelscope.cidr import show
from flannelscope.facts import Facts
from flannelscope.model import CLUSTER, Evidence, Finding, Remedy, Severity, Topic, Unknown
from flannelscope.relief import rearranged
from flannelscope.text import count

MONTH = 30 * 86_400.0


@check("FLN107", "pool-nearly-exhausted", Severity.INFO, needs=(Topic.NODES,))
def pool_nearly_exhausted(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for the cluster."""
    if reason := unknown_allocator(facts):
        yield this.unknown(reason)
    restart = facts.restart
    if not facts.configuration.known or restart is None or not restart.pools:
        return
    free, blocks = restart.free, restart.blocks
    if free >= 3 and free * 10 >= blocks:
        return
    # Exactly 30 days old is what a cluster's first Nodes are on its 30th day: younger means strictly younger.
    since = facts.now - MONTH
    joined = len([n for n in facts.snapshot.nodes if n.created is not None and n.created > since and n.pod_cidrs])
    growing = joined > 0 and joined >= free
    effect = ": the next ones will get none" if growing else "" if free else ": one that joins will get none"
    yield this.finding(
        f"{count(free, 'podCIDR is', 'podCIDRs are') if free else 'No podCIDR is'} left of {blocks}; "
        f"{count(joined, 'Node')} joined in the last 30 days{effect}.",
        (CLUSTER,),
        severity=Severity.WARNING if growing else Severity.INFO,
        evidence=(
            *settings(facts, "cluster-cidr", "node-cidr-mask-size"),
            *(
                Evidence("blocks", f"{p.free} of {p.blocks} free (/{p.node_mask} in {show(p.cluster)})", "podCIDRs of all Nodes")
                for p in restart.pools
            ),
        ),
        remedy=Remedy(
            "Widen --cluster-cidr to a range that holds the present one before more Nodes join.",
            ("flannelscope cidr free", *(way.command for way in rearranged(facts, restart, free + 1) if way.command)),
            "flannel's Network and kube-proxy's clusterCIDR must hold the new range too.",
        ),
    )
