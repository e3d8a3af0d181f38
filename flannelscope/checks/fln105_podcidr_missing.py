"""A Node without a podCIDR has no addresses for pods: flannel ends with "pod cidr not assigned", and every pod that is
placed there waits for ever.

How it is known

A Node older than two minutes, not being deleted, has no podCIDR, while the allocator is known to be on or another Node
that flannel covers has one. The finding says why, as far as that is seen: the pool is exhausted, the controller manager is
down or hands out none, a cloud controller has not initialised the Node, or podCIDRs are given by hand. Where no flannel
covers the Node it is only worth knowing. Clusters in which no Node has a podCIDR, or flannel runs in etcd mode, are left out.

How to see it

`<none>` in the list of all Nodes; the events tell whether the allocator has tried.

    kubectl get nodes -o custom-columns=NAME:.metadata.name,PODCIDRS:.spec.podCIDRs
    kubectl get events -A --field-selector reason=CIDRNotAvailable

What to do

Remove the cause: bring the controller manager up, widen the pool, or, where podCIDRs are given by hand, write a free one to
the Node. A controller manager that is to hand them out needs --allocate-node-cidrs and a --cluster-cidr that holds all
podCIDRs there are: else it does not start. Flannel starts by itself within minutes once it is there.

How to undo it

A podCIDR once set cannot be taken back; the Node would have to be deleted and created again.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from flannelscope.address_proofs import MANAGER_COMMAND, settings
from flannelscope.checks import Check, check
from flannelscope.effective import Allocator
from flannelscope.facts import Facts
from flannelscope.model import Evidence, Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import SHOWN, last_writer, when
from flannelscope.shortage import UNINITIALIZED, long_waiting, shortage
from flannelscope.text import fold

REASONS = {
    "exhausted": "the pool has no free block",
    "down": "the controller manager is down",
    "cloud": "a cloud controller has not initialised the Node yet",
    "off": "the controller manager hands out no podCIDRs",
    "on": "the allocator is on and has free blocks, but has not given one",
    "hand": "podCIDRs are given by hand in this cluster",
    "unknown": "who hands out podCIDRs here cannot be seen",
}


@check(
    "FLN105",
    "podcidr-missing",
    Severity.CRITICAL,
    needs=(Topic.NODES,),
    swallows=("FLN114", "FLN201", "FLN208", "FLN301", "FLN305", "FLN310", "FLN406", "FLN410", "FLN601"),
)
def podcidr_missing(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each reason, those that flannel does not cover apart."""
    if facts.discovery.etcd_mode or not facts.pod_cidrs:
        return
    on = facts.configuration.known and facts.configuration.allocator != Allocator.OFF
    if not on and not any(facts.covered(facts.nodes[name]) for name in facts.pod_cidrs_of):
        return
    short = shortage(facts)
    exhausted = frozenset(short.nodes if short else ())
    groups: dict[tuple[bool, str], list[Node]] = {}
    for node in long_waiting(facts):
        if facts.settled(node):
            groups.setdefault((facts.covered(node), _reason(facts, node, exhausted)), []).append(node)
    for (covered, reason), nodes in groups.items():
        yield _finding(this, facts, nodes, reason, covered)


def _reason(facts: Facts, node: Node, exhausted: frozenset[str]) -> str:
    if facts.configuration.manager_up is False and facts.configuration.allocator != Allocator.OFF:
        return "down"
    if node.name in exhausted:
        return "exhausted"
    if any(taint.key == UNINITIALIZED for taint in node.taints):
        return "cloud"
    if facts.configuration.allocator == Allocator.OFF:
        return "hand" if _by_hand(facts) else "off"
    if facts.configuration.known:
        return "on"
    return "hand" if _by_hand(facts) else "unknown"


def _by_hand(facts: Facts) -> bool:
    """Whether the podCIDRs there are were written by people's tools, not by a controller."""
    writers = [w for name in facts.pod_cidrs_of if (w := last_writer(facts.nodes[name], "podCIDR")) is not None]
    return bool(writers) and all("controller" not in w.manager and w.manager not in ("k3s", "rke2") for w in writers)


def _finding(this: Check, facts: Facts, nodes: list[Node], reason: str, covered: bool) -> Finding:
    names = [node.name for node in nodes]
    effect = "pods there get no address and flannel does not start" if covered else "no flannel is meant to run there"
    return this.finding(
        f"{fold(names)} {'has' if len(names) == 1 else 'have'} no podCIDR: {REASONS[reason]}; {effect}.",
        tuple(node_subject(name) for name in names),
        severity=Severity.CRITICAL if covered else Severity.INFO,
        evidence=(*(_proof(node) for node in nodes[:SHOWN]), _allocator(facts), *settings(facts, "cluster-cidr")),
        remedy=_remedy(names[0], reason),
    )


def _proof(node: Node) -> Evidence:
    return Evidence(
        f"podCIDR of {node.name}",
        f"none, Node created {when(node.created)}",
        f"Node {node.name}, spec.podCIDRs",
        f"kubectl get node {shlex.quote(node.name)} -o jsonpath='{{.spec.podCIDRs}}'",
    )


def _allocator(facts: Facts) -> Evidence:
    known = facts.configuration
    said = f"{known.allocator}: {known.allocator_reason}"
    return Evidence("allocator", said, "arguments and state of the controller manager", MANAGER_COMMAND)


BY_HAND = {
    "hand": "Write a free podCIDR to the Node.",
    "off": "Write a free podCIDR to the Node, or start the controller manager with --allocate-node-cidrs and a --cluster-cidr "
    "that holds all podCIDRs there are: with any other it does not start.",
    "unknown": "Find out who hands out podCIDRs here; where it is done by hand, write a free one to the Node.",
}
FREE = "flannelscope cidr free names free ones when it is told the range (--cluster-cidr, --node-cidr-mask-size)."
PATCH = json.dumps({"spec": {"podCIDR": "CIDR", "podCIDRs": ["CIDR"]}})


def _by_hand_remedy(name: str, reason: str) -> Remedy:
    """No block is known to be free where the range is not known: the command holds a word that the API refuses."""
    return Remedy(
        f"{BY_HAND[reason]} {FREE}",
        () if reason == "unknown" else (f"kubectl patch node {shlex.quote(name)} --type merge -p {shlex.quote(PATCH)}",),
        "Put the podCIDR in place of CIDR, twice. Once set it cannot be changed, and nothing checks that it is free.",
    )


def _remedy(name: str, reason: str) -> Remedy:
    if reason in BY_HAND:
        return _by_hand_remedy(name, reason)
    do = {
        "exhausted": "Widen the pool: a larger --cluster-cidr that holds all podCIDRs, or a longer node mask; or remove Nodes "
        "that are gone.",
        "down": "Bring the controller manager up; it gives the podCIDRs by itself.",
        "cloud": "Look at the cloud controller manager: it must initialise the Node (its taint says that it has not).",
        "on": "Look into the controller manager's log for this Node's name.",
    }[reason]
    return Remedy(do, ("kubectl -n kube-system logs -l component=kube-controller-manager --tail 200 | grep -i cidr",))
