r"""flannel reacts to changes of a Node's annotations, not of its podCIDR. A node that was announced before it had a podCIDR
is refused once by every peer and never looked at again: its pods stay unreachable though everything reads well.

How it is known

The API shows only that it may have happened: managedFields say that flannel's annotations stand unchanged from before the
podCIDR was set by another hand, and some peer's flannel has been running since before that. These times are upper bounds
(an entry is rewritten as a whole), so it is taken for a sign only where the annotations are as old as the Node itself, or
the podCIDR was not set by a controller manager. The peers' kernels confirm it (`--ssh`): most of those whose flannel ran when the
podCIDR came have no entry for the Node. Without that sign too: where all nodes that were read lack a Node that is younger than
their flannel, or hold entries of another time for it (a Node made anew with unchanged annotations while a watch was interrupted,
a dual-stack node of which one family's annotations changed), which leaves no trace in the API at all.

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
from flannelscope.exchange import touch
from flannelscope.facts import Facts, Network
from flannelscope.kernel_causes import Blamed, Lack, causes, podcidr_came_later
from flannelscope.kernel_words import lacks
from flannelscope.model import Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import members, when, written
from flannelscope.text import listed


@check(
    "FLN207",
    "never-learnt",
    Severity.CRITICAL,
    needs=(Topic.NODES,),
    swallows=("FLN208", "FLN310", "FLN311", "FLN401", "FLN402", "FLN403", "FLN404", "FLN405", *REACHABILITY),
)
def never_learnt(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Members of which running peers know nothing; a sign only, as far as the API tells."""
    known = causes(facts)
    confirmed = known.unheard if known is not None else {}
    for blamed in confirmed.values():
        yield _finding(self, facts, blamed)
    unsure = known.unsure if known is not None else {}
    for blamed in unsure.values():
        yield self.unknown(
            f"{listed(blamed.observers)} have no entry for it, and since when flannel runs there is not known: they never learnt "
            "it, or have dropped it; its annotation, touched, brings it back in both cases",
            (blamed.peer,),
        )
    for network in facts.networks:
        since = _oldest_peers(facts, network)
        for node, _ in members(facts, network):
            set_at = podcidr_came_later(node)
            if (
                set_at is None
                or node.name in confirmed
                or node.name in unsure
                or not (since is None or since < set_at)
                or _known(facts, node)
            ):
                continue
            yield self.unknown(
                f"its podCIDR was set (not after {when(set_at)}) later than its annotations were written, and some peers' "
                "flannel runs since before: whether they have its routes, their kernels or logs tell",
                (node.name,),
            )


def _known(facts: Facts, node: Node) -> bool:
    """Whether the kernels of all peers were read and have it."""
    mesh, known = facts.mesh, causes(facts)
    if mesh is None or known is None or node.name in known.lacking:
        return False
    here = (grid for grid in mesh.grids if node.name in grid.names)
    return all(name in mesh.sweep.kernels for grid in here for name in grid.names if name != node.name)


def _finding(self: Check, facts: Facts, blamed: Blamed) -> Finding:
    node = facts.nodes[blamed.peer]
    what = "hold entries of another time for" if blamed.lack is Lack.OUTDATED else "know nothing of"
    since = f", though their flannel ran when its podCIDR came (not after {when(blamed.since)})" if blamed.since else ""
    return self.finding(
        f"{listed(blamed.observers)} {what} {node.name} ({', '.join(node.pod_cidrs)}){since}: nobody there reaches its pods.",
        (node_subject(node.name),),
        evidence=(*written(node, "podCIDR"), *written(node), *lacks(facts, blamed)),
        remedy=Remedy(
            f"Touch the annotation of {node.name}: every running flannel then takes it in.",
            touch(facts, (node.name,)),
        ),
    )


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
