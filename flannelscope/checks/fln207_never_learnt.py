r"""flannel reacts to changes of a Node's annotations, not of its podCIDR. A node that was announced before it had a podCIDR
is refused once by every peer and never looked at again: its pods stay unreachable though everything reads well.

How it is known

The API shows only that it may have happened: managedFields say that flannel's annotations stand unchanged from before the
podCIDR was set by another hand, and some peer's flannel has been running since before that. These times are upper bounds
(an entry is rewritten as a whole), so it is taken for a sign only where the annotations are as old as the Node itself, or
the podCIDR was not set by a controller manager. Proof is on the peers: entries that are missing, or `Error turning node`
in their logs. A Node made anew with unchanged annotations while a watch was interrupted, and a dual-stack node of which
one family's annotations changed, leave no trace in the API at all.

How to see it

On peers, `ip route`, `ip neigh` and `bridge fdb show dev flannel.1` lack what the Node announces, or flannel's log there says
`Error turning node`.

    kubectl get node NODE --show-managed-fields -o yaml

What to do

Touch the annotation: write the Node's backend-data as the same JSON with other white space (in dual-stack backend-v6-data
too). Every running flannel takes it for a change and sets its entries. Nothing needs to be started anew. For example,
where `{"VNI":1,"VtepMAC":"aa:bb:cc:00:11:22"}` stands (use the values that stand there, only the blanks are new):

    kubectl patch node NODE --type merge -p '{"metadata":{"annotations":{
      "flannel.alpha.coreos.com/backend-data":"{\"VNI\": 1, \"VtepMAC\": \"aa:bb:cc:00:11:22\"}"}}}'

Where backend-data is `null` (host-gw), write ` null` with a leading blank.

How to undo it

Nothing to undo: flannel writes the annotation in its own form at its next start.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.facts import Facts, Network
from flannelscope.model import Finding, Node, Severity, Topic, Unknown, Writer
from flannelscope.proofs import members, when

SAME_MOMENT = 2.0  # seconds between a Node's creation and the entry of the request that created it


@check(
    "FLN207",
    "never-learnt",
    Severity.CRITICAL,
    needs=(Topic.NODES,),
    swallows=("FLN208", "FLN310", "FLN311", "FLN401", "FLN402", "FLN403", "FLN404", "FLN405", *REACHABILITY),
)
def never_learnt(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Members of which peers may never have heard; a sign only, as far as the API tells."""
    for network in facts.networks:
        since = _oldest_peers(facts, network)
        for node, _ in members(facts, network):
            set_at = _podcidr_came_later(node)
            if set_at is not None and (since is None or since < set_at):
                yield self.unknown(
                    f"its podCIDR was set (not after {when(set_at)}) later than its annotations were written, and some peers' "
                    "flannel runs since before: whether they have its routes, their kernels or logs tell",
                    (node.name,),
                )


def _podcidr_came_later(node: Node) -> float | None:
    """When the podCIDR was set at the latest, if managedFields say that this was after the annotations; else None."""
    annotated = [w.at for w in node.writers if w.field == "flannel" and w.at is not None]
    if not annotated or not node.pod_cidrs or node.created is None:
        return None
    last = max(annotated)
    hands = {w.manager for w in node.writers if w.field == "flannel"}
    later = [w for w in node.writers if w.field == "podCIDR" and w.manager not in hands and w.at is not None and last < w.at]
    # A controller manager's entry moves on with every taint it sets: then only the Node's own age is a sign.
    told = [w.at for w in later if w.at is not None and (last <= node.created + SAME_MOMENT or not _is_controller(w))]
    return max(told, default=None)


def _is_controller(writer: Writer) -> bool:
    return "controller" in writer.manager or writer.manager in ("k3s", "rke2")


def _oldest_peers(facts: Facts, network: Network) -> float | None:
    """Since when the longest-running flannel of this network runs; None where that is not known of all members."""
    started: list[float] = []
    for name in network.members:
        items = [
            i for i in facts.flannel_on.get(name, ()) if facts.discovery.installations[i.installation].prefix == network.prefix
        ]
        status = items[0].status if items else None
        if status is None or status.started is None:
            return None
        started.append(status.started)
    return min(started, default=None)
