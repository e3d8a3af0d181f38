"""A Node has nearly used the addresses of its podCIDR, or may be given more pods than it has addresses: then pods that are
placed there wait for ever with "no IP addresses available".

How it is known

Of an IPv4 podCIDR of length L, 2^(32-L)-3 addresses are for pods: network, broadcast and the bridge take one each. Pods
with an address inside are counted; more than nine tenths is a warning. Where the kubelet's capacity, less the pods on the
host network, exceeds the number, that alone is worth knowing. Reservations that no pod has any more (leaked addresses) are
known only to the node: with --ssh they are counted too.

How to see it

How many pods have an address on the Node, and how many it may be given (Capacity, pods).

    kubectl get pods -A -o wide --field-selector spec.nodeName=NODE
    kubectl describe node NODE

What to do

Lower the kubelet's maxPods on these Nodes, or plan a shorter node mask for Nodes to come.

How to undo it

maxPods may be raised again at any time.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.cidr import holds, parse_address
from flannelscope.facts import Facts
from flannelscope.leases import stable_leaks
from flannelscope.model import Evidence, Finding, Node, Prefix, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.pod_addresses import left_out
from flannelscope.proofs import SHOWN, pod_cidrs
from flannelscope.seen_twice import on_node, origin
from flannelscope.text import fold

NEARLY = 0.9


@check(
    "FLN115",
    "node-addresses-nearly-used",
    Severity.WARNING,
    needs=(Topic.NODES, Topic.PODS),
    swallows=("FLN417",),
)
def node_addresses_nearly_used(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each Node that is nearly full, and one for all whose maxPods is too large."""
    ranges = {name: prefix for name in facts.member_names if (prefix := _range(facts, name)) is not None}
    if not ranges:
        return
    if reason := left_out(facts):
        yield this.unknown(reason)
    leaks: dict[str, tuple[str, ...]] = {}
    if facts.snapshot.has(Topic.KERNELS):
        leaks, doubts = stable_leaks(facts)
        yield from doubts.told(this)
    else:
        yield this.unknown("addresses reserved on the nodes for pods that are gone were not counted: no node was looked at")
    loose: list[tuple[Node, int, int]] = []
    for name in sorted(ranges):
        node, room = facts.nodes[name], (1 << (32 - ranges[name].length)) - 3
        lost = sum(1 for text in leaks.get(name, ()) if (at := parse_address(text)) is not None and holds(ranges[name], *at))
        used, on_host = _used(facts, name, ranges[name], 0 if lost else room)
        if used + lost > NEARLY * room:
            yield _nearly_used(this, facts, node, used, lost, room)
        elif node.pod_capacity is not None and node.pod_capacity - on_host > room:
            loose.append((node, node.pod_capacity - on_host, room))
    if loose:
        yield _too_many(this, loose)


def _range(facts: Facts, name: str) -> Prefix | None:
    """The IPv4 podCIDR of a settled Node, where it is long enough to have a bridge and pods."""
    node = facts.nodes[name]
    own = next((i.prefix for i in facts.pod_cidrs_of.get(name, ()) if i.prefix and i.prefix.family == 4), None)
    return own if own is not None and own.length <= 29 and 4 in facts.families and facts.settled(node) else None


def _used(facts: Facts, name: str, prefix: Prefix, room: int) -> tuple[int, int]:
    """How many pods have an address of the podCIDR, and how many are on the host network. Exact only where it matters."""
    pods = facts.pods_on.get(name, ())
    on_host = sum(1 for pod in pods if pod.host_network)
    if len(pods) - on_host <= NEARLY * room:
        return 0, on_host
    alive = (pod for pod in pods if not pod.host_network and pod.phase not in ("Succeeded", "Failed"))
    found = (parse_address(text) for pod in alive for text in pod.ips)
    return sum(1 for address in found if address is not None and holds(prefix, *address)), on_host


def _nearly_used(this: Check, facts: Facts, node: Node, used: int, lost: int, room: int) -> Finding:
    if lost:
        most = f", {lost} of them for pods that are gone"
        remedy = on_node(
            node.name,
            f"On {node.name}, remove the files of addresses that no pod has (FLN417 names them).",
            ["ls -l /var/lib/cni/networks/cbr0"],
        )
    else:
        most, remedy = "", Remedy(f"Lower maxPods of the kubelet on {node.name}, or move pods away.", (_show(node),))
    return this.finding(
        f"{node.name} uses {used + lost} of the {room} addresses that its podCIDR has for pods{most}: soon pods placed "
        "there will wait.",
        (node_subject(node.name),),
        evidence=(pod_cidrs(node), _capacity(node), _pods(node, used), *_lost(facts, node, lost)),
        remedy=remedy,
    )


def _lost(facts: Facts, node: Node, lost: int) -> Iterator[Evidence]:
    if lost:
        where = f"{origin(facts, node.name)}: /var/lib/cni/networks, beside the pods of the API"
        yield Evidence(f"leases without pod on {node.name}", str(lost), where, "ls -l /var/lib/cni/networks/cbr0")


def _too_many(this: Check, loose: list[tuple[Node, int, int]]) -> Finding:
    names = [node.name for node, _, _ in loose]
    worst = max(loose, key=lambda found: found[1] - found[2])
    return this.finding(
        f"{fold(names)} may be given more pods than {'it has' if len(names) == 1 else 'they have'} addresses "
        f"({worst[0].name}: {worst[1]} pods, {worst[2]} addresses).",
        tuple(node_subject(name) for name in names),
        severity=Severity.INFO,
        evidence=tuple(proof for node, _, _ in loose[:SHOWN] for proof in (pod_cidrs(node), _capacity(node))),
        remedy=Remedy(f"Set the kubelets' maxPods to {worst[2]} or less on these Nodes."),
    )


def _capacity(node: Node) -> Evidence:
    origin = f"Node {node.name}, status.capacity.pods"
    return Evidence(f"capacity of {node.name}", f"{node.pod_capacity} pods", origin, _show(node))


def _pods(node: Node, used: int) -> Evidence:
    command = f"kubectl get pods -A --field-selector spec.nodeName={shlex.quote(node.name)} -o wide"
    return Evidence(f"pods with an address on {node.name}", str(used), "Pods, status.podIPs", command)


def _show(node: Node) -> str:
    return f"kubectl describe node {shlex.quote(node.name)}"
