"""flannel is told to serve a family in which a Node has no podCIDR. flanneld ends there at its start, and peers that serve
both families skip the Node in both.

How it is known

net-conf.json enables IPv4 (the default) or IPv6, and a Node that flannel covers has podCIDRs, but none of that family. The
reverse, a podCIDR of a family that flannel does not serve, is healthy.

How to see it

EnableIPv4 and EnableIPv6 in net-conf.json beside the families of the podCIDRs.

    kubectl -n kube-flannel get configmap kube-flannel-cfg -o yaml
    kubectl get nodes -o custom-columns=NAME:.metadata.name,PODCIDRS:.spec.podCIDRs

What to do

Either turn the family off in net-conf.json, or give the Nodes podCIDRs of both: with a cluster CIDR of two families, in
the same order everywhere, each Node must be deleted and created again to get its second one.

How to undo it

The former net-conf.json, written back before flannel is restarted.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.address_proofs import settings
from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.exchange import CAUTION
from flannelscope.facts import Facts
from flannelscope.flannel.discovery import Installation
from flannelscope.model import ConfigMap, Evidence, Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import SHOWN, pod_cidrs, show_config_map
from flannelscope.text import fold


@check(
    "FLN117",
    "podcidr-family-missing",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.CONFIGURATION),
    swallows=("FLN301", "FLN305", "FLN310", "FLN401", "FLN402", "FLN403", "FLN404", *REACHABILITY),
)
def podcidr_family_missing(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each flannel and family."""
    for installation in facts.discovery.installations:
        conf, held = installation.net_conf, installation.config_map
        if conf is None or held is None:
            continue
        for family, enabled in ((4, conf.enable_ipv4), (6, conf.enable_ipv6)):
            lacking = _lacking(facts, installation, family) if enabled else []
            if lacking:
                yield _finding(this, facts, held, family, lacking)


def _lacking(facts: Facts, installation: Installation, family: int) -> list[str]:
    """Settled Nodes that this flannel covers, with podCIDRs of which none is of the family."""
    covered = installation.covered or frozenset(facts.members_of.get(installation.prefix, ()))
    return [
        node.name
        for node in facts.snapshot.nodes
        if node.name in covered
        and (own := facts.pod_cidrs_of.get(node.name))
        and not any(item.prefix is not None and item.prefix.family == family for item in own)
        and facts.settled(node)
    ]


def _finding(this: Check, facts: Facts, held: ConfigMap, family: int, names: list[str]) -> Finding:
    return this.finding(
        f"flannel serves IPv{family}, but {fold(names)} {'has' if len(names) == 1 else 'have'} no podCIDR of it: flannel ends "
        "there at its start, and peers skip the Node.",
        tuple(node_subject(name) for name in names),
        evidence=(
            Evidence(
                f"EnableIPv{family} in net-conf.json",
                "true" if family == 6 else "true (the default where it is absent)",
                f"ConfigMap {held.namespace}/{held.name}",
                show_config_map(held),
            ),
            *(pod_cidrs(facts.nodes[name]) for name in names[:SHOWN]),
            *settings(facts, "cluster-cidr"),
        ),
        remedy=Remedy(
            f"Turn IPv{family} off in net-conf.json, or give these Nodes podCIDRs of both families.",
            (f"kubectl -n {held.namespace} edit configmap {held.name}",),
            CAUTION,
        ),
    )
