"""The node table: one cleaned line a Node, made from Facts and a Judgement. Linear in Nodes, pods and findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from flannelscope.cidr import overlaps, show, sweep
from flannelscope.facts import Facts, FlannelOnNode, PodCidr
from flannelscope.flannel.annotations import Announcement
from flannelscope.judge import Judgement
from flannelscope.kernel_row import kernel_cells
from flannelscope.model import Finding, Node, Prefix, Severity, Topic
from flannelscope.text import clean
from flannelscope.views import NodeRow

GLYPHS = {Severity.CRITICAL: "x", Severity.WARNING: "!", Severity.INFO: "i"}
# Without all of these, what is looked at on a single Node is too little to say that nothing was found.
NEEDED = (Topic.NODES, Topic.LEASES, Topic.DAEMONSETS, Topic.FLANNEL_PODS)
READY = {"True": "yes", "False": "no"}
NOTE_LENGTH = 400
UNREADABLE = "9"  # sorts behind every address; a Node without podCIDR sorts before


class Marks:
    """What is wrong with each podCIDR, for the codes that were found: "=" duplicate, "~" overlap, "!" outside."""

    def __init__(self, facts: Facts, codes: Mapping[str, Iterable[str]]) -> None:
        self.codes = codes
        configuration = facts.configuration
        self.ranges: tuple[Prefix, ...] = configuration.cluster_cidrs if configuration.known else ()
        self.networks = tuple(
            prefix
            for installation in facts.discovery.installations
            if installation.net_conf is not None
            for prefix in (installation.net_conf.network, installation.net_conf.ipv6_network)
            if prefix is not None
        )
        readable = [(item, item.prefix) for item in facts.pod_cidrs if item.prefix is not None]
        self.holders = Counter(prefix for _, prefix in readable)
        touching = [index for group in sweep([prefix for _, prefix in readable]) for index in (group.outer, *group.inner)]
        self.touching = {(readable[index][0].node, readable[index][0].index) for index in touching}

    def of(self, item: PodCidr) -> str:
        """The mark of one podCIDR, "" where nothing was found about it."""
        codes = self.codes.get(item.node, ())
        if item.prefix is None or not codes:
            return ""
        if "FLN101" in codes and self.holders[item.prefix] > 1:
            return "="
        if "FLN102" in codes and (item.node, item.index) in self.touching:
            return "~"
        return "!" if self._outside(item.index, item.prefix, codes) else ""

    def _outside(self, index: int, prefix: Prefix, codes: Iterable[str]) -> bool:
        if "FLN103" in codes and self.ranges:
            return index >= len(self.ranges) or not overlaps(self.ranges[index], prefix)
        own = [network for network in self.networks if network.family == prefix.family]
        return "FLN110" in codes and not any(overlaps(network, prefix) for network in own)


class About:
    """What a Judgement says of each Node: worst severity, codes, the findings themselves, and why a check was unsure."""

    def __init__(self, judgement: Judgement) -> None:
        self.worst: dict[str, Severity] = {}
        self.codes: dict[str, list[str]] = {}
        self.first: dict[str, Finding] = {}
        self.unsure: dict[str, str] = {}
        for finding in judgement.findings:
            for node in finding.nodes:
                self._add(node, finding, finding.code)
            for effect in finding.consequences:
                for subject in effect.subjects:
                    self._add(subject.name if subject.kind == "Node" else subject.node, finding, effect.code)
        for unknown in judgement.unknown:
            for node in unknown.nodes:
                self.unsure.setdefault(node, f"{unknown.code} could not judge: {unknown.reason}")

    def _add(self, node: str, finding: Finding, code: str) -> None:
        if not node:
            return
        self.worst[node] = max(finding.severity, self.worst.get(node, Severity.INFO))
        codes = self.codes.setdefault(node, [])
        if code not in codes:
            codes.append(code)
        self.first.setdefault(node, finding)


def node_rows(facts: Facts, judgement: Judgement) -> tuple[NodeRow, ...]:
    """One row a Node, in the order of the Snapshot. Counts pods only where pods were read."""
    about = About(judgement)
    marks = Marks(facts, about.codes)
    pods = pods_with_ip(facts)
    unread = next((topic for topic in NEEDED if not facts.snapshot.has(topic)), None)
    if unread is None and facts.snapshot.readings.get(Topic.PODS) is not None and not facts.snapshot.has(Topic.PODS):
        unread = Topic.PODS
    why = "" if unread is None else f"not wholly judged: {unread}: {facts.snapshot.why_not(unread)}"
    return tuple(_row(facts, node, about, marks, pods, why) for node in facts.snapshot.nodes)


def _row(facts: Facts, node: Node, about: About, marks: Marks, pods: Mapping[str, int | None], unread: str) -> NodeRow:
    own = facts.pod_cidrs_of.get(node.name, ())
    glyph, note = _verdict(facts, node, about, unread)
    said = [network.members[node.name] for network in facts.networks if node.name in network.members]
    state, restarts, version = _flannel(facts, node)
    return NodeRow(
        name=clean(node.name),
        glyph=glyph,
        ready=READY.get(node.ready, "unknown"),
        pod_cidrs=tuple(_shown(item) for item in own),
        marks=tuple(marks.of(item) for item in own),
        sort_cidr=sort_key(own[0]) if own else "",
        internal_ips=tuple(clean(ip) for ip in node.internal_ips),
        public_ips=_unique(ip for item in said for ip in (item.public_ip, item.public_ipv6)),
        backend=",".join(_unique(_backend(item) for item in said)),
        vni=next((item.data.vni for item in said if item.data.vni is not None), None),
        vtep_mac=",".join(_unique(item.data.vtep_mac or item.v6_data.vtep_mac for item in said)),
        flannel_state=clean(state),
        flannel_restarts=restarts,
        flannel_version=clean(version),
        pods_with_ip=pods.get(node.name),
        pod_capacity=node.pod_capacity,
        created=node.created,
        codes=tuple(about.codes.get(node.name, ())),
        note=note,
        kernel=kernel_cells(facts.snapshot, node.name),
    )


def _verdict(facts: Facts, node: Node, about: About, unread: str) -> tuple[str, str]:
    finding = about.first.get(node.name)
    if finding is not None:
        more = len(about.codes[node.name]) - 1
        note = clean(f"{finding.code}: {finding.summary}", NOTE_LENGTH)
        return GLYPHS[about.worst[node.name]], note + (f" (and {more} more about it)" if more else "")
    if node.name in about.unsure:
        return "?", clean(about.unsure[node.name], NOTE_LENGTH)
    if unread:
        return "?", clean(unread, NOTE_LENGTH)
    if not facts.settled(node):
        return "?", "not judged yet: being deleted, or it or its flannel started a moment ago"
    if facts.alive(node) is False:
        return "?", "its kubelet is silent: what runs there is not known"
    if facts.alive(node) is None:
        return "?", "its kubelet's Lease is old or absent while Ready is not Unknown: whether it lives is not known"
    return ".", "looked at: nothing found"


def pods_with_ip(facts: Facts) -> dict[str, int | None]:
    """How many pods of each Node have an address of their own; None for Nodes whose pods were not read."""
    reading = facts.snapshot.readings.get(Topic.PODS)
    if reading is None or not reading.complete or reading.scope == "none":
        return {}
    found: dict[str, int | None] = {} if reading.scope else dict.fromkeys(facts.nodes, 0)
    for name, pods in facts.pods_on.items():
        found[name] = sum(1 for p in pods if p.ips and not p.host_network and p.phase not in ("Succeeded", "Failed"))
    return found


def sort_key(item: PodCidr) -> str:
    """Text of fixed width that sorts podCIDRs by family, address and length."""
    if item.prefix is None:
        return UNREADABLE
    return f"{item.prefix.family}{item.prefix.base:032x}{item.prefix.length:02x}"


def _shown(item: PodCidr) -> str:
    return clean(item.text, 60) if item.prefix is None else show(item.prefix)


def _backend(item: Announcement) -> str:
    return clean(item.backend_type, 20)


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(clean(text) for text in texts if text))


def _flannel(facts: Facts, node: Node) -> tuple[str, int | None, str]:
    """State, restarts and version of flannel's pod on the Node."""
    here = facts.flannel_on.get(node.name, ())
    if not here:
        if not facts.snapshot.has(Topic.FLANNEL_PODS):
            return "?", None, ""
        return ("none" if node.name in facts.discovery.covered else "-"), None, ""
    first = here[0]
    restarts = sum(item.status.restarts for item in here if item.status is not None)
    version = facts.discovery.installations[first.installation].version
    return ",".join(_unique(flannel_state(item) for item in here)), restarts, version


def flannel_state(item: FlannelOnNode) -> str:
    """How flannel's container runs, in kubectl's words: running, CrashLoopBackOff, OOMKilled, Pending …"""
    status = item.status
    if status is None or not status.state:
        failing = next((s.reason for s in item.pod.detail.statuses if s.reason), "") if item.pod.detail else ""
        return failing or item.pod.phase or "?"
    return "running" if status.state == "running" else status.reason or status.state
