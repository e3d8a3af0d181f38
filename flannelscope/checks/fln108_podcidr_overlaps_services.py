"""Pod addresses and Service addresses are the same. Traffic to such a pod is taken for a Service by every kube-proxy, and
traffic to such a Service may end at a pod.

How it is known

The podCIDRs and the cluster CIDR are compared with the service ranges: the ServiceCIDR objects, then the arguments of the
running API servers and controller managers (or an option). A podCIDR inside is critical. Where only the cluster CIDR
intersects, it is a warning if the controller manager was not told the range and would hand it out to Nodes; if it was, it
leaves those blocks out, and it is only worth knowing.

How to see it

The podCIDRs of all Nodes beside the ranges of the Services.

    kubectl get nodes -o custom-columns=NAME:.metadata.name,PODCIDRS:.spec.podCIDRs
    kubectl get servicecidrs; kubectl get services -A

What to do

Give Nodes that hold such a podCIDR another one. Start the controller manager with --service-cluster-ip-range, so that it
leaves the range out of its pool.

How to undo it

The same commands once more, with the former podCIDR in the saved manifest: the Node is deleted and created again, its flannel
started anew, and pods that got an address meanwhile are deleted. `kubectl create` takes no manifest with a resourceVersion and
no name that exists. What was wrong before is then wrong again.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.address_proofs import held_by, settings
from flannelscope.addresses import PodCidr
from flannelscope.checks import Check, check
from flannelscope.cidr import contains, last, overlaps, show
from flannelscope.deletion import leaving_order, no_restart
from flannelscope.effective import Sureness
from flannelscope.exchange import exchange_remedy
from flannelscope.facts import Facts
from flannelscope.model import CLUSTER, Finding, Prefix, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.text import fold


@check("FLN108", "podcidr-overlaps-services", Severity.CRITICAL, needs=(Topic.NODES, Topic.SERVICES))
def podcidr_overlaps_services(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each service range that podCIDRs, or else the cluster CIDR, intersect."""
    configuration = facts.configuration
    if configuration.service_sure != Sureness.SURE:
        if facts.pod_cidrs:
            yield this.unknown("the service range is not known: no ServiceCIDR object and no running API server shows it")
        return
    for service in configuration.service_cidrs:
        inside = [i for i in _touching(facts, service) if facts.settled(facts.nodes[i.node])]
        if inside:
            yield _pods_inside(this, facts, service, inside)
        elif configuration.known:
            yield from _cluster_inside(this, facts, service)


def _touching(facts: Facts, service: Prefix) -> list[PodCidr]:
    family, first, end = service.family, service.base, last(service)
    return [
        item
        for item in facts.pod_cidrs
        if (p := item.prefix) is not None
        and p.family == family
        and p.base <= end
        and (p.base >= first or (p.length < service.length and contains(p, service)))
    ]


def _pods_inside(this: Check, facts: Facts, service: Prefix, inside: list[PodCidr]) -> Finding:
    names = list(dict.fromkeys(item.node for item in inside))
    return this.finding(
        f"The {'podCIDR' if len(names) == 1 else 'podCIDRs'} of {fold(names)} and the service range {show(service)} share "
        "addresses: what is sent to such a pod is taken for a Service.",
        tuple(node_subject(name) for name in names),
        evidence=(*settings(facts, "service-cidr"), *held_by(facts, inside)),
        remedy=exchange_remedy(
            facts,
            f"Give {fold(names)} podCIDRs outside the service range.",
            *(node.name for node in leaving_order(facts, (facts.nodes[name] for name in names))),
        ),
    )


def _cluster_inside(this: Check, facts: Facts, service: Prefix) -> Iterator[Finding]:
    configuration = facts.configuration
    cluster = next((c for c in configuration.cluster_cidrs if overlaps(c, service)), None)
    if cluster is None:
        return
    told = any(contains(known, service) for known in configuration.manager_service_cidrs)
    yield this.finding(
        f"The cluster CIDR {show(cluster)} and the service range {show(service)} share addresses; the controller manager "
        + ("knows the range and leaves those blocks out." if told else "was not told the range and will hand it out to Nodes."),
        (CLUSTER,),
        severity=Severity.INFO if told else Severity.WARNING,
        evidence=settings(facts, "cluster-cidr", "service-cidr"),
        remedy=None
        if told
        else Remedy(
            f"{no_restart(facts)} Start the controller manager with --service-cluster-ip-range={show(service)}.".lstrip(),
            caution="Only the flag counts: the controller manager does not read ServiceCIDR objects.",
        ),
    )
