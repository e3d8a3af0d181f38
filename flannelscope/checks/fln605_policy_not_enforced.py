"""flannel connects pods and enforces no NetworkPolicy. Where policies exist and nothing else enforces them, what they forbid
is allowed, and whoever wrote them believes otherwise.

How it is known

There is at least one NetworkPolicy, flannel is in use, and neither a DaemonSet nor a host-network pod of an engine that
enforces policies is seen (Canal or Calico, Cilium, kube-router, Antrea, Weave, flannel's own kube-network-policies). k3s
brings an engine of its own.

How to see it

The policies there are, and what runs that could enforce them.

    kubectl get networkpolicies -A
    kubectl get daemonsets -A

What to do

Install an engine beside flannel: Canal, or the chart's option for kube-network-policies.

How to undo it

Remove the engine; its rules go with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.model import CLUSTER, Container, Evidence, Finding, Remedy, Severity, Topic, Unknown
from flannelscope.text import count

ENGINES = re.compile(
    r"calico|canal|cilium|kube-router|antrea|weave-?npc|kube-network-policies|network-policy|netpol|romana|kube-ovn|ovnkube|azure-npm",
    re.IGNORECASE,
)


@check("FLN605", "policy-not-enforced", Severity.INFO, needs=(Topic.POLICIES, Topic.DAEMONSETS, Topic.NODES))
def policy_not_enforced(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """NetworkPolicies without anything that enforces them."""
    number = facts.snapshot.network_policies
    if not number or not facts.discovery.installations or _engine(facts):
        return
    yield self.finding(
        f"There {'is' if number == 1 else 'are'} {count(number, 'NetworkPolicy', 'NetworkPolicies')} and nothing that enforces "
        "them: flannel lets through what they forbid.",
        (CLUSTER,),
        evidence=(
            Evidence("NetworkPolicies", str(number), "NetworkPolicies of all namespaces", "kubectl get networkpolicies -A"),
            Evidence("engines seen", "none", "DaemonSets and host-network pods", "kubectl get daemonsets -A -o wide"),
        ),
        remedy=Remedy("Install an engine beside flannel (Canal, or kube-network-policies of flannel's chart)."),
    )


def _engine(facts: Facts) -> bool:
    """Whether something is seen that enforces NetworkPolicies."""
    if any(i.kind in ("canal", "k3s") for i in facts.discovery.installations):
        return True
    if any(ENGINES.search(d.name) or _enforces(d.containers) for d in facts.snapshot.daemonsets):
        return True
    # pods of a DaemonSet are alike; 150,000 pods have few owners
    seen: set[tuple[str, str]] = set()
    for pod in (*facts.snapshot.flannel_pods, *facts.snapshot.pods):
        if pod.detail is not None and (pod.namespace, pod.owner_name or pod.name) not in seen:
            seen.add((pod.namespace, pod.owner_name or pod.name))
            if _enforces(pod.detail.containers):
                return True
    return False


def _enforces(containers: Iterable[Container]) -> bool:
    return any(ENGINES.search(c.name) or ENGINES.search(c.image) for c in containers)
