"""Addresses of pods against podCIDRs and against each other: suspicions, and whether a second read confirmed them.

A list of 150,000 pods is minutes wide: a pod may have ended, a Node may have got another podCIDR while it was read. A
suspicion therefore counts only when it is *stable*: seen again when just the Nodes concerned were read once more, some
seconds later, while the Nodes' uid, podCIDRs and annotations stayed as they were. `confirm_targets` names these Nodes; the
collector reads each of them (`GET nodes/NAME`) and its pods (field selector spec.nodeName) and puts a SecondRead into
`Snapshot.second_reads`. Saved and simulated clusters stand still: what they show is stable.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.cidr import parse_address
from flannelscope.facts import Facts
from flannelscope.model import Node, Pod, SecondRead, Topic, Value

STANDS_STILL = ("simulated", "file")
APART = 2.0  # seconds between the two reads, at least
ROUNDED = 1.0  # the server's clock is heard in whole seconds: between two of its times so much more may have passed
QUIET = 30.0  # seconds before the first read in which nobody wrote podCIDR or annotations
NEARLY_ALL = 0.9
ENOUGH_PODS = 10


class Outside(Value, frozen=True):
    """Pods of a member Node with addresses in none of its podCIDRs, and how many pods of the Node were judged."""

    node: str
    pods: tuple[tuple[Pod, str], ...]
    judged: int


class Shared(Value, frozen=True):
    """Addresses that several pods have: by address, the pods; all of them lie on exactly these Nodes."""

    nodes: tuple[str, ...]
    pods: dict[str, tuple[Pod, ...]]


def in_use(pod: Pod) -> bool:
    """Whether the pod's addresses are its own now: running, not ending, not on the host network."""
    return pod.phase == "Running" and not pod.deleting and not pod.host_network and bool(pod.ips)


def outside(facts: Facts) -> tuple[Outside, ...]:
    """Member Nodes whose pods have addresses, of families that flannel serves, outside their podCIDRs."""
    ranges = _ranges(facts) if facts.snapshot.pods else {}
    strays: dict[str, list[tuple[Pod, str]]] = {}
    judged: dict[str, int] = {}
    for pod in facts.snapshot.pods:
        own = ranges.get(pod.node)
        if own is None or pod.phase != "Running" or pod.deleting or pod.host_network or not pod.ips:
            continue
        judged[pod.node] = judged.get(pod.node, 0) + 1
        for text in pod.ips:
            address = parse_address(text)
            if address is None or address[0] not in own:
                continue
            value = address[1]
            if not any(first <= value <= end for first, end in own[address[0]]):
                strays.setdefault(pod.node, []).append((pod, text))
    return tuple(Outside(name, tuple(found), judged[name]) for name, found in strays.items())


def _ranges(facts: Facts) -> dict[str, dict[int, list[tuple[int, int]]]]:
    """(first, last) of the podCIDRs of each settled member, by family; a family without podCIDR is not judged."""
    found: dict[str, dict[int, list[tuple[int, int]]]] = {}
    families = facts.families
    for name in facts.member_names:
        node = facts.nodes[name]
        if not facts.settled(node):
            continue
        for item in facts.pod_cidrs_of.get(name, ()):
            prefix = item.prefix
            if prefix is not None and prefix.family in families:
                end = prefix.base + (1 << ((32 if prefix.family == 4 else 128) - prefix.length)) - 1
                found.setdefault(name, {}).setdefault(prefix.family, []).append((prefix.base, end))
    return found


def other_ipam(facts: Facts, strays: tuple[Outside, ...]) -> bool:
    """Whether nearly all pods of the member Nodes are outside: their addresses do not come from podCIDRs at all.

    The pods of suspect Nodes alone cannot tell.
    """
    ranges = _ranges(facts) if strays and not left_out(facts) else {}
    judged = sum(1 for pod in facts.snapshot.pods if pod.node in ranges and in_use(pod)) if ranges else 0
    out = sum(len({pod.uid or pod.name for pod, _ in item.pods}) for item in strays)
    return judged >= ENOUGH_PODS and len(strays) > 1 and out >= NEARLY_ALL * judged


def left_out(facts: Facts) -> str:
    """Why not all pods were read, "" when they were: --pods suspect reads those of suspicious Nodes, a file holds some."""
    reading = facts.snapshot.readings.get(Topic.PODS)
    scope = reading.scope if reading is not None else ""
    how = f"--pods {scope}" if scope in ("suspect", "none") else scope
    return f"not all pods were read ({how}): Nodes whose pods were left out are not judged" if scope else ""


def shared(facts: Facts) -> tuple[Shared, ...]:
    """Addresses that two or more pods on Nodes have, grouped by the Nodes; dead Nodes' pods only seem to run."""
    first: dict[str, Pod] = {}
    again: dict[str, list[Pod]] = {}
    for pod in facts.snapshot.pods:
        if pod.phase != "Running" or pod.deleting or pod.host_network or not pod.node:
            continue
        for text in pod.ips:
            earlier = first.setdefault(text, pod)
            if earlier is not pod:
                again.setdefault(text, [earlier]).append(pod)
    groups: dict[tuple[str, ...], dict[str, tuple[Pod, ...]]] = {}
    for text, pods in again.items():
        living = [pod for pod in pods if _alive(facts, pod.node)]
        if len(living) > 1:
            groups.setdefault(tuple(sorted({pod.node for pod in living})), {})[text] = tuple(living)
    return tuple(Shared(nodes, by_address) for nodes, by_address in groups.items())


def _alive(facts: Facts, name: str) -> bool:
    node = facts.nodes.get(name)
    return node is not None and facts.alive(node) is not False and facts.settled(node)


def confirm_targets(facts: Facts) -> frozenset[str]:
    """The Nodes to be read a second time because of a suspicion that is not confirmed yet."""
    if not facts.snapshot.has(Topic.PODS) or facts.snapshot.source in STANDS_STILL:
        return frozenset()
    strays = outside(facts)
    suspects = {item.node for item in strays} if not other_ipam(facts, strays) else set()
    suspects.update(name for item in shared(facts) for name in item.nodes)
    return frozenset(name for name in suspects if not _second(facts, name))


def unconfirmed(facts: Facts, names: Iterator[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Those of the Nodes for which no second read, some seconds later, shows an unchanged Node."""
    if facts.snapshot.source in STANDS_STILL:
        return ()
    return tuple(name for name in names if not _stable(facts, name))


def seen_again(facts: Facts, pod: Pod, text: str) -> bool:
    """Whether the second read still shows this pod with this address."""
    second = _second(facts, pod.node)
    if facts.snapshot.source in STANDS_STILL or second is None:
        return facts.snapshot.source in STANDS_STILL
    return any(p.uid == pod.uid and p.name == pod.name and in_use(p) and text in p.ips for p in second.pods)


def _second(facts: Facts, name: str) -> SecondRead | None:
    """The second read of a Node, when it came late enough after the first."""
    second = facts.snapshot.second_reads.get(name)
    first = facts.snapshot.readings.get(Topic.PODS)
    return second if second is not None and first is not None and second.at - first.at >= APART - ROUNDED else None


def _stable(facts: Facts, name: str) -> bool:
    second, node = _second(facts, name), facts.nodes.get(name)
    return second is not None and node is not None and second.node is not None and _unchanged(facts, node, second.node)


def _unchanged(facts: Facts, node: Node, again: Node) -> bool:
    same = node.uid == again.uid and node.pod_cidrs == again.pod_cidrs and dict(node.annotations) == dict(again.annotations)
    first = facts.snapshot.readings[Topic.PODS].at
    return same and all(w.at is None or w.at <= first - QUIET for w in (*node.writers, *again.writers))
