"""flannelscope may not read everything it asks for. What it cannot see it does not judge: that stays unknown, never fine.

How it is known

The API server refused a request (403), or a review of our own rights says that it would.

How to see it

What you may do, as the API server sees it.

    kubectl auth can-i --list

What to do

Give the user these rights: they are reading rights only, no Secrets and nothing of the nodes themselves.

How to undo it

Delete the ClusterRoleBinding and the RoleBindings of the manifest.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.model import CLUSTER, Evidence, Finding, Gap, Remedy, Severity, Topic, Unknown
from flannelscope.proofs import quoted

PURPOSE = {
    Topic.VERSION: "which known faults this version of Kubernetes has",
    Topic.NODES: "everything about podCIDRs and announcements",
    Topic.LEASES: "which nodes are alive, and so how grave many findings are",
    Topic.DAEMONSETS: "on which nodes flannel should run, rollouts, kured's lock",
    Topic.FLANNEL_PODS: "whether flannel runs, its releases, restarts and kills for memory",
    Topic.CONTROL_PLANE: "the cluster CIDR, node mask and service range in effect, and whether the allocator runs",
    Topic.CONFIGURATION: "what net-conf.json asks for, and hints to the cluster's ranges",
    Topic.SERVICES: "whether podCIDRs collide with service addresses",
    Topic.EVENTS: "why nodes wait without podCIDR and pods without address",
    Topic.POLICIES: "whether NetworkPolicies exist that nothing enforces",
    Topic.KERNELS: "what routes, neighbours, devices and firewalls the nodes really have",
    Topic.PODS: "addresses held twice or outside their node's podCIDR, pods without address",
}


@check("FLN603", "cannot-look", Severity.INFO, needs=())
def cannot_look(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """The rights that are missing, in one finding."""
    missing = {(gap.verb, gap.resource, gap.topic): gap for gap in facts.snapshot.gaps if gap.verb and gap.resource}
    if not missing:
        return
    rights = sorted({f"{verb} {resource}" for verb, resource, _ in missing})
    lost = [PURPOSE[topic] for topic in Topic if any(topic == gap.topic for gap in missing.values())]
    yield self.finding(
        f"flannelscope may not {', '.join(rights)}: what stays unknown is {'; '.join(lost)}.",
        (CLUSTER,),
        evidence=tuple(_evidence(gap) for gap in missing.values()),
        remedy=Remedy(
            "Give this user the reading rights that flannelscope asks for; look at the manifest first.",
            ("flannelscope rbac read", "flannelscope rbac read | kubectl apply -f -"),
        ),
    )


def _evidence(gap: Gap) -> Evidence:
    return Evidence(
        f"{gap.verb} {gap.resource}",
        gap.reason,
        "answer of the API server",
        f"kubectl auth can-i {quoted(gap.verb)} {quoted(gap.resource)} --all-namespaces",
    )
