"""flanneld refuses a podCIDR that is not inside the Network of its configuration: it ends at its next start, and no pod on
that Node gets an address any more.

How it is known

Each member's podCIDR, in every family that net-conf enables, must lie inside Network (or IPv6Network), host bits masked; so
must that of a Node on which flannel is to run and never announced itself: a warning while no kubelet lives there.
The ConfigMap is what flanneld reads at its next start; running daemons hold what it said when they started, which the
finding says; with --ssh each node's subnet.env tells it, and where that has room for the podCIDR it is a warning. Where only the
known cluster CIDR is not inside, some Node to come will fail: a warning. A larger Network is fine.

How to see it

Network in net-conf.json beside the podCIDRs; flanneld's last words are in the log of its pod.

    kubectl -n kube-flannel get configmap kube-flannel-cfg -o yaml
    kubectl get nodes -o custom-columns=NAME:.metadata.name,PODCIDRS:.spec.podCIDRs

What to do

Write a Network into net-conf.json that holds the cluster CIDR, then restart flannel, one node first. If instead a single
Node is outside because its podCIDR is wrong, give it another one.

How to undo it

The former net-conf.json, written back before flannel is restarted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flannelscope.address_proofs import held_by, settings
from flannelscope.addresses import PodCidr
from flannelscope.checks import Check, check
from flannelscope.cidr import contains, parse, show
from flannelscope.facts import Facts
from flannelscope.flannel.discovery import Installation
from flannelscope.flannel.netconf import NetConf
from flannelscope.here import Here, NotRead
from flannelscope.model import (
    CLUSTER,
    ConfigMap,
    Evidence,
    Finding,
    Prefix,
    Remedy,
    Severity,
    SubnetEnv,
    Topic,
    Unknown,
    node_subject,
)
from flannelscope.proofs import SHOWN, show_config_map
from flannelscope.seen_twice import first_kernel, origin, second_kernel
from flannelscope.text import fold, natural

KEY = {4: "Network", 6: "IPv6Network"}
RUNNING = {4: "FLANNEL_NETWORK", 6: "FLANNEL_IPV6_NETWORK"}


@check(
    "FLN110",
    "network-differs",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.CONFIGURATION),
    swallows=("FLN114", "FLN301", "FLN305", "FLN310", "FLN410", "FLN415"),
)
def network_differs(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """For each flannel and family: one finding for the members outside, or one for the cluster CIDR."""
    seen: set[tuple[str, str]] = set()  # several DaemonSets (one an architecture) may share a ConfigMap
    for installation in facts.discovery.installations:
        conf, held = installation.net_conf, installation.config_map
        gates = facts.members_of.get(installation.prefix, set())
        members = [node.name for node in facts.snapshot.nodes if node.name in gates]
        if members and conf is not None and held is not None and (conf.network_written or conf.ipv6_network_written):
            first = (held.namespace, held.name) not in seen
            seen.add((held.namespace, held.name))
            for family, inside in _enabled(conf):
                yield from _judge(this, facts, members, installation, held, family, inside, first)


def _enabled(conf: NetConf) -> Iterator[tuple[int, Prefix | None]]:
    if conf.enable_ipv4:
        yield 4, conf.network
    if conf.enable_ipv6:
        yield 6, conf.ipv6_network


def _judge(
    this: Check,
    facts: Facts,
    members: Sequence[str],
    installation: Installation,
    held: ConfigMap,
    family: int,
    inside: Prefix | None,
    first: bool,
) -> Iterator[Finding]:
    outside = _outside(facts, members, installation, family, inside)
    strangers = sorted(installation.covered - set(members), key=natural)
    unstarted = [i for i in _outside(facts, strangers, installation, family, inside) if not _outside_cluster(facts, i)]
    proof = Evidence(
        f"{KEY[family]} in net-conf.json",
        show(inside) if inside else "absent",
        f"ConfigMap {held.namespace}/{held.name}",
        show_config_map(held),
    )
    # Those whose podCIDR the allocator refuses too have another cause (FLN103), which takes their part as its consequence.
    for stray in (True, False):
        for runs in (False, True):
            group = [i for i in outside if _outside_cluster(facts, i) is stray and _runs_with_it(facts, installation, i) is runs]
            if group:
                yield _members(this, facts, group, family, inside, proof, runs)
    if unstarted or (not outside and first):
        yield from _cluster(this, facts, family, inside, proof, unstarted)


def _outside(facts: Facts, names: Sequence[str], installation: Installation, family: int, inside: Prefix | None) -> list[PodCidr]:
    return [
        item
        for name in names
        if not installation.covered or name in installation.covered
        for item in facts.pod_cidrs_of.get(name, ())
        if item.prefix is not None
        and item.prefix.family == family
        and (inside is None or not contains(inside, item.prefix))
        and facts.settled(facts.nodes[name])
    ]


def _outside_cluster(facts: Facts, item: PodCidr) -> bool:
    cluster = facts.configuration.cluster_cidrs
    return facts.configuration.known and not any(item.prefix and contains(c, item.prefix) for c in cluster)


def _runs_with_it(facts: Facts, installation: Installation, item: PodCidr) -> bool:
    """Whether flannel there runs, and its file says that it did so with a Network that holds this podCIDR."""
    node, kernel = facts.nodes[item.node], second_kernel(facts, item.node)[0] or first_kernel(facts, item.node)
    network = next((n for n in facts.networks if n.prefix == installation.prefix and item.node in n.members), None)
    env: SubnetEnv | None = kernel.facts.get("subnet_env") if kernel is not None else None
    if kernel is None or network is None or env is None or not env.present or item.prefix is None:
        return False
    here = Here(facts, node, network, kernel)
    try:
        runs = here.up and here.started is not None
    except NotRead:
        return False
    written = parse(env.values.get(RUNNING[item.prefix.family], ""))
    return runs and written is not None and contains(written, item.prefix)


def _members(
    this: Check, facts: Facts, outside: list[PodCidr], family: int, inside: Prefix | None, proof: Evidence, runs: bool
) -> Finding:
    names = list(dict.fromkeys(item.node for item in outside))
    what = f"is not inside flannel's {KEY[family]} {show(inside)}" if inside else f"has no {KEY[family]} in net-conf.json"
    known = (
        "what runs there read another at its start, which has room for it"
        if runs
        else "by the ConfigMap; what the running daemons read at their start may differ"
    )
    return this.finding(
        f"The podCIDR of {fold(names)} {what}: flannel ends there at its next start ({known}).",
        tuple(node_subject(name) for name in names),
        severity=Severity.WARNING if runs else None,
        evidence=(proof, *held_by(facts, outside), *_running(facts, names, family)),
        remedy=_remedy(facts, family),
    )


def _running(facts: Facts, names: Sequence[str], family: int) -> Iterator[Evidence]:
    """What flannel on these nodes runs with, by the file that it wrote at its start."""
    key = RUNNING[family]
    for name in names[:SHOWN]:
        kernel = second_kernel(facts, name)[0] or first_kernel(facts, name)
        env: SubnetEnv | None = kernel.facts.get("subnet_env") if kernel is not None else None
        if env is not None and env.present:
            value = env.values.get(key, "absent")
            yield Evidence(f"{key} on {name}", value, f"{origin(facts, name)}: {env.path}", f"cat {env.path}")


def _cluster(
    this: Check, facts: Facts, family: int, inside: Prefix | None, proof: Evidence, unstarted: list[PodCidr]
) -> Iterator[Finding]:
    """What is handed out, or is held by Nodes that flannel never announced: it ends there whenever it starts."""
    known = facts.configuration.cluster_cidrs if facts.configuration.known else ()
    beyond = [c for c in known if c.family == family and (inside is None or not contains(inside, c))]
    if not beyond and not unstarted:
        return
    network = f"flannel's {KEY[family]} {show(inside) if inside else '(absent)'}"
    names = list(dict.fromkeys(item.node for item in unstarted))
    said = (
        [f"{fold(names)} already {_hold(names)} outside {network}: flannel ends there, and pods get no address."] if names else []
    )
    if beyond:
        again = "any further Node" if names else "a Node"
        said.append(
            f"The cluster CIDR {show(beyond[0])} is not inside {network}: "
            f"{again} that is given a podCIDR outside it will have no flannel."
        )
    living = any(facts.nodes[name].ready and facts.alive(facts.nodes[name]) is not False for name in names)
    yield this.finding(
        " ".join(said),
        (CLUSTER, *map(node_subject, names)),
        severity=Severity.CRITICAL if living else Severity.WARNING,
        evidence=(proof, *(settings(facts, "cluster-cidr") if beyond else ()), *held_by(facts, unstarted)),
        remedy=_remedy(facts, family),
    )


def _hold(names: Sequence[str]) -> str:
    return "holds a podCIDR" if len(names) == 1 else "hold podCIDRs"


def _remedy(facts: Facts, family: int) -> Remedy:
    cluster = next((show(c) for c in facts.configuration.cluster_cidrs if c.family == family), "the cluster CIDR")
    return Remedy(
        f"Write {KEY[family]} {cluster} (or a range that holds all podCIDRs) into net-conf.json, then restart flannel, one node "
        "first.",
        caution="Every flannel reads the new net-conf at its next start: a mistake in it stops flannel node by node.",
    )
