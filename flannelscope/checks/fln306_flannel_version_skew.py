"""Releases of flannel differ in what they announce and understand. Most pairs work together; mixed releases that stay are
hard to reason about, and some pairs do not understand each other.

How it is known

The pods of one network run more than one flannel release on nodes of the same operating system, and no rollout is on its
way. Registry, architecture and build suffixes do not count; an image without a release in its tag is unknown, not
different. It is a warning where the releases on either side are known not to get on (flannel/known_faults.py).

How to see it

The images of the pods.

    kubectl -n kube-flannel get pods -o custom-columns=NODE:.spec.nodeName,IMAGE:.spec.containers[*].image

What to do

Finish the update: give all DaemonSets of this network one image, and delete DaemonSets that an upgrade left behind.

How to undo it

Set the former image again; the DaemonSet replaces its pods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flannelscope.checks import Check, check
from flannelscope.facts import Facts, Network
from flannelscope.flannel.known_faults import incompatibility
from flannelscope.flannel.versions import parse_release, pod_version, show_release
from flannelscope.model import Evidence, Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import installations_of, quoted, rolling
from flannelscope.text import fold

Release = tuple[int, int, int]
Running = dict[Release, list[str]]


@check("FLN306", "flannel-version-skew", Severity.INFO, needs=(Topic.NODES, Topic.FLANNEL_PODS))
def flannel_version_skew(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Networks whose nodes of one operating system run several flannel releases."""
    for network in facts.networks:
        if rolling(facts, network):
            continue
        for system, running in _releases(facts, network).items():
            if len(running) > 1:
                yield _finding(self, facts, network, system, running)


def _releases(facts: Facts, network: Network) -> dict[str, Running]:
    """Node names by release, by operating system; settled Nodes with a running flannel only."""
    found: dict[str, Running] = {}
    for name, items in facts.flannel_on.items():
        node = facts.nodes.get(name)
        if node is None or not facts.settled(node):
            continue
        for item in items:
            if facts.discovery.installations[item.installation].prefix != network.prefix:
                continue
            release = parse_release(pod_version(item.pod, item.container))
            if release is not None and item.status is not None and item.status.state == "running":
                found.setdefault(node.os or "linux", {}).setdefault(release, []).append(name)
    return found


def _finding(self: Check, facts: Facts, network: Network, system: str, running: Mapping[Release, list[str]]) -> Finding:
    most = max(running, key=lambda release: (len(running[release]), release))
    odd = {release: names for release, names in sorted(running.items()) if release != most}
    names = [name for group in odd.values() for name in group]
    clash = incompatibility(min(running), max(running), facts.families, network.members.values())
    parts = [f"{show_release(release)} on {fold(group)}" for release, group in odd.items()]
    where = "" if system == "linux" else f" ({system})"
    summary = (
        f"flannel runs in several releases{where}: {', '.join(parts)}; {show_release(most)} on the other {len(running[most])}."
    )
    return self.finding(
        summary + (f" These do not get on: {clash}." if clash else ""),
        tuple(node_subject(name) for name in names),
        severity=Severity.WARNING if clash else None,
        evidence=tuple(
            Evidence(
                f"flannel on {fold(group)}",
                show_release(release),
                "Pods, image of flannel's container",
                f"kubectl get pods -A -o wide --field-selector spec.nodeName={quoted(group[0])}",
            )
            for release, group in sorted(running.items())
        ),
        remedy=_remedy(facts, network),
    )


def _remedy(facts: Facts, network: Network) -> Remedy:
    sets = [i.daemonset for i in installations_of(facts, network) if i.daemonset is not None]
    return Remedy(
        "Give all DaemonSets of this network one image and let the rollout finish.",
        tuple(f"kubectl -n {quoted(d.namespace)} rollout status daemonset {quoted(d.name)}" for d in sets),
    )
