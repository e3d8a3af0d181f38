"""The controller manager refuses to start while a Node holds a podCIDR outside its cluster CIDR. A running one only
logs it, so everything works until the next restart or change of leader; then nothing in the cluster reconciles: no
podCIDRs for new Nodes, no Deployments, no evictions.

How it is known

Each podCIDR is compared, by its index, with the cluster CIDR of the same index (a swapped order of IPv4 and IPv6 counts),
as the allocator does at its start; the evidence holds the sentence with which it would end. Judged only where the
arguments of the running manager (or an option, or k3s and RKE2 node-args) are known. A podCIDR that contains the cluster
CIDR is not refused: it fills the pool (FLN106).

How to see it

The podCIDRs of all Nodes beside the range in the arguments of the controller manager.

    kubectl get nodes -o custom-columns=NAME:.metadata.name,PODCIDRS:.spec.podCIDRs
    kubectl -n kube-system get pods -l component=kube-controller-manager -o yaml | grep -E 'cluster-cidr|node-cidr'

What to do

Before the controller manager restarts for any reason: either widen --cluster-cidr to a range that holds all podCIDRs
(kube-proxy's clusterCIDR and flannel's Network too), or give each of these Nodes a podCIDR inside.

How to undo it

A widened --cluster-cidr may be narrowed again as long as no Node got a podCIDR from the new part. A Node that was rebuilt gets
its former podCIDR back by the same commands, with that in the saved manifest; the controller manager does not start then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flannelscope.address_proofs import held_by, settings, unknown_allocator
from flannelscope.addresses import PodCidr
from flannelscope.checks import Check, check
from flannelscope.cidr import show
from flannelscope.deletion import clears_others, leaving_order
from flannelscope.effective.manager import MANAGER, component_pods
from flannelscope.exchange import exchange_remedy
from flannelscope.facts import Facts
from flannelscope.model import WHOLE_CLUSTER, Evidence, Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.text import fold


@check(
    "FLN103",
    "podcidr-outside-cluster-cidr",
    Severity.CRITICAL,
    needs=(Topic.NODES,),
    swallows=("FLN105", "FLN110", "FLN116"),
)
def podcidr_outside(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for all Nodes outside."""
    if reason := unknown_allocator(facts):
        yield this.unknown(reason)
    configuration = facts.configuration
    if not configuration.known:
        return
    if facts.restart is not None and facts.restart.misfits:
        yield _finding(this, facts, facts.restart.misfits)


def _finding(this: Check, facts: Facts, outside: Sequence[PodCidr]) -> Finding:
    names = list(dict.fromkeys(item.node for item in outside))
    up = facts.configuration.manager_up
    ranges = ",".join(map(show, facts.configuration.cluster_cidrs))
    state = "does not start" if up is False else "will not start again"
    one = len(outside) == 1
    return this.finding(
        f"{'The podCIDR' if one else 'podCIDRs'} of {fold(names)} ({_some(outside)}) "
        f"{'is' if one else 'are'} outside the cluster CIDR {ranges}: the controller manager {state}.",
        tuple(node_subject(name) for name in names),
        evidence=(*settings(facts, "cluster-cidr"), *_sentence(facts), *held_by(facts, outside)),
        remedy=_remedy(facts, names),
        reach=() if up else _reach(facts),
    )


def _remedy(facts: Facts, names: list[str]) -> Remedy:
    """Mostly nothing is cleared with these Nodes, as their blocks are in no pool; one of two families may be inside."""
    summary = (
        f"Widen --cluster-cidr to hold all podCIDRs, or give {fold(names)} podCIDRs inside; until then do not restart "
        "the controller manager."
    )
    leaving = leaving_order(facts, (facts.nodes[name] for name in names))
    clearing = any(clears_others(facts, name) for name in names)
    return exchange_remedy(facts, summary, *(node.name for node in leaving), clearing=clearing)


def _some(outside: Sequence[PodCidr]) -> str:
    shown = list(dict.fromkeys(item.text for item in outside))
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def _sentence(facts: Facts) -> tuple[Evidence, ...]:
    restart = facts.restart
    if restart is None or restart.would_start:
        return ()
    return (Evidence("the sentence with which it ends", restart.reason, "worked out as Kubernetes does at its start"),)


def _reach(facts: Facts) -> tuple[str, ...]:
    """A manager that does not run explains the Nodes that wait, and its own absence."""
    managers = (pod.node for pod in component_pods(facts.snapshot, MANAGER) if pod.node)
    return (*(node.name for node in facts.waiting), *managers, WHOLE_CLUSTER)
