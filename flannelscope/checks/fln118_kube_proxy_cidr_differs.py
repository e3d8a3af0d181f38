"""kube-proxy tells pods from strangers by its clusterCIDR. Where a Node's podCIDR is outside, it takes that Node's pods for
strangers and masquerades what they send to Services: the receivers see the node's address, and policies that name pods
fail.

How it is known

The configuration in ConfigMap kube-system/kube-proxy has detectLocalMode ClusterCIDR (also when it is empty), clusterCIDR
is set, and a podCIDR of the same family is outside.

How to see it

clusterCIDR and detectLocalMode in kube-proxy's configuration beside the podCIDRs.

    kubectl -n kube-system get configmap kube-proxy -o yaml
    kubectl get nodes -o custom-columns=NAME:.metadata.name,PODCIDRS:.spec.podCIDRs

What to do

Write the cluster CIDR in effect into the ConfigMap and restart kube-proxy. It is not changed by itself when the controller
manager's flag is.

How to undo it

The former ConfigMap, written back, and another restart of kube-proxy.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.address_proofs import held_by, settings
from flannelscope.checks import Check, check
from flannelscope.cidr import contains, parse
from flannelscope.effective.hints import kube_proxy
from flannelscope.facts import Facts
from flannelscope.model import Evidence, Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.text import fold


@check("FLN118", "kube-proxy-cidr-differs", Severity.WARNING, needs=(Topic.NODES, Topic.CONFIGURATION))
def kube_proxy_cidr_differs(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for all Nodes outside."""
    proxy = kube_proxy(facts.snapshot)
    ranges = [p for p in map(parse, proxy.cluster_cidrs if proxy else ()) if p is not None]
    if proxy is None or proxy.local_mode != "ClusterCIDR" or not ranges:
        return
    families = {prefix.family for prefix in ranges}
    outside = [
        item
        for item in facts.pod_cidrs
        if item.prefix is not None
        and item.prefix.family in families
        and not any(contains(prefix, item.prefix) for prefix in ranges)
        and facts.settled(facts.nodes[item.node])
    ]
    if not outside:
        return
    names = list(dict.fromkeys(item.node for item in outside))
    written = ",".join(proxy.cluster_cidrs)
    show = "kubectl -n kube-system get configmap kube-proxy -o yaml"
    yield this.finding(
        f"The podCIDR of {fold(names)} is outside kube-proxy's clusterCIDR {written}: it masquerades what their pods send to "
        "Services.",
        tuple(node_subject(name) for name in names),
        evidence=(
            Evidence("clusterCIDR of kube-proxy", written, "ConfigMap kube-system/kube-proxy config.conf", show),
            Evidence("detectLocalMode of kube-proxy", proxy.local_mode, "ConfigMap kube-system/kube-proxy config.conf", show),
            *settings(facts, "cluster-cidr"),
            *held_by(facts, outside),
        ),
        remedy=Remedy(
            "Write the cluster CIDR in effect into kube-proxy's configuration and restart it.",
            ("kubectl -n kube-system edit configmap kube-proxy", "kubectl -n kube-system rollout restart daemonset kube-proxy"),
            "Connections through Services may be interrupted for a moment on each node.",
        ),
    )
