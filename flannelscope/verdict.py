"""The sentence on top: what is wrong, what that means, how many Nodes it concerns, and what was not looked at.

Never "fine": where nothing was found it says in what it was looked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from flannelscope.facts import Facts
from flannelscope.judge import EVERYWHERE, Judgement
from flannelscope.model import IN_API, NO_EYES, Finding, Severity, Snapshot, Topic
from flannelscope.text import clean, count, fold, spoken

# Words for a group of findings of one code, filled in for several Nodes; all else is told by its own summary.
MEANING = {
    "FLN101": "{nodes} share {podcidrs}: traffic to a pod of one of them may go to the other",
    "FLN102": "podCIDRs of {nodes} overlap: traffic to pods in the shared addresses goes to the wrong node",
    "FLN103": "{nodes} hold a podCIDR outside the cluster CIDR: the controller manager will not start again",
    "FLN105": "{nodes} have no podCIDR: their pods get no address",
    "FLN106": "The controller manager has no podCIDR left to give: {nodes} wait for one and their pods get no address",
    "FLN112": "Pods on {nodes} share {addresses}: traffic to one of them may reach the other",
    "FLN114": "Pods on {nodes} have no address",
    "FLN116": "The controller manager is down: no new node gets a podCIDR",
    "FLN201": "{nodes} are not announced by flannel: no other node reaches their pods",
    "FLN202": "{nodes} announce another backend than the rest: they and the others ignore each other",
    "FLN203": "{nodes} announce an address on which peers cannot send to them",
    "FLN204": "{nodes} announce an address that another node announces too",
    "FLN305": "flannel does not run on {nodes}: their pods reach no other node",
}
TOPIC_WORDS = {
    Topic.VERSION: "the server's version",
    Topic.NODES: "nodes",
    Topic.LEASES: "kubelet leases",
    Topic.DAEMONSETS: "DaemonSets",
    Topic.FLANNEL_PODS: "flannel's pods",
    Topic.CONTROL_PLANE: "the control plane",
    Topic.CONFIGURATION: "the configuration",
    Topic.SERVICES: "service ranges",
    Topic.EVENTS: "events",
    Topic.POLICIES: "network policies",
    Topic.PODS: "pods",
    Topic.KERNELS: "the nodes' kernels",
}


def verdict(facts: Facts, judgement: Judgement, *, complete: bool) -> str:
    """One or two cleaned sentences that answer "what is wrong and what does it mean"."""
    wrong = [f for f in judgement.findings if f.severity >= Severity.WARNING]
    told = _wrong(wrong) if wrong else ""
    if not complete:
        reading = reading_now(facts.snapshot)
        return f"{reading} So far: {told}" if told else reading
    return told or _nothing(facts, judgement)


def reading_now(snapshot: Snapshot) -> str:
    """What is being read at the moment: "Reading pods: 3,500 of 15,000 so far."."""
    going = next((topic for topic, reading in snapshot.readings.items() if not reading.complete), None)
    if going is None:
        known = set(snapshot.readings) | {gap.topic for gap in snapshot.gaps}
        going = next((topic for topic in IN_API if topic not in known), None)
        return f"Reading {TOPIC_WORDS[going]}." if going is not None else "Reading: nearly done."
    reading = snapshot.readings[going]
    of = f" of {reading.asked:,}" if reading.asked > reading.answered else ""
    return f"Reading {TOPIC_WORDS[going]}: {reading.answered:,}{of} so far."


def causes(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings grouped by code, the worst group first: severity, then how many Nodes it concerns, then code."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.code, []).append(finding)
    return sorted(groups.values(), key=lambda g: (-max(f.severity for f in g), -_weight(g), g[0].code))


def concerned(findings: Sequence[Finding]) -> tuple[str, ...]:
    """The Nodes that findings are about, or, where they are about something else, those that they reach."""
    own = {node for finding in findings for node in finding.nodes}
    return tuple(own or {node for finding in findings for node in finding.reach if node != EVERYWHERE})


def _weight(group: Sequence[Finding]) -> int:
    if any(EVERYWHERE in finding.reach for finding in group):
        return 1 << 30
    return len(concerned(group))


def _wrong(findings: Sequence[Finding]) -> str:
    groups = causes(findings)
    first = _sentence(groups[0])
    rest = groups[1:]
    if not rest:
        return first
    named = ", ".join(_short(group) for group in rest[:3])
    more = f" and {count(len(rest) - 3, 'further cause')}" if len(rest) > 3 else ""
    return f"{first} Also: {named}{more}."


def _sentence(group: Sequence[Finding]) -> str:
    nodes = concerned(group)
    if group[0].code in MEANING and len(nodes) > 1 and (len(group) > 1 or len(nodes) > 2):
        told = MEANING[group[0].code].format(
            nodes=count(len(nodes), "node"),
            podcidrs=count(len(group), "podCIDR"),
            addresses=count(len(group), "address", "addresses"),
        )
    else:
        told = clean(group[0].summary, 300)
        if len(group) > 1:
            told = f"{told.removesuffix('.')} (and {len(group) - 1} more like it)"
    return told if told.endswith((".", "…")) else f"{told}."


def _short(group: Sequence[Finding]) -> str:
    words = spoken(group[0].slug)
    nodes = concerned(group)
    where = clean(fold(nodes, 2)) if 0 < len(nodes) <= 2 else count(len(nodes), "node") if nodes else ""
    return f"{words} ({', '.join(part for part in (where, group[0].code) if part)})"


def _nothing(facts: Facts, judgement: Judgement) -> str:
    snapshot = facts.snapshot
    looked = [count(len(snapshot.nodes), "node")] if snapshot.has(Topic.NODES) else []
    pods = snapshot.readings.get(Topic.PODS)
    if pods is not None and pods.complete and pods.scope != "none":
        looked.append(count(len(snapshot.pods), "pod"))
    blind = Topic.KERNELS not in snapshot.readings and snapshot.why_not(Topic.KERNELS) == NO_EYES
    codes = {unknown.code for unknown in judgement.unknown if not (blind and unknown.reason == NO_EYES)}
    unasked = {unknown.code for unknown in judgement.unknown} - codes
    judged = len(set(judgement.checks) - codes - unasked)
    sentence = f"No fault found in what was looked at: {', '.join((*looked, count(judged, 'check')))}."
    if not snapshot.has(Topic.NODES):
        sentence = "The nodes could not be read, so nothing can be said about them."
    unread = sorted({gap.topic for gap in snapshot.gaps if not snapshot.has(gap.topic)}, key=list(Topic).index)
    missing = f" Not read: {', '.join(TOPIC_WORDS[topic] for topic in unread)}." if unread else ""
    left = f" Not known: {count(len(codes), 'check')} could not judge everything." if codes else ""
    return sentence + missing + left + (" Not looked at: kernels of the nodes (no --ssh)." if unasked else "")
