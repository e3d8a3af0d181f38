"""Builders of views: what front ends show, made from Facts and a Judgement. All text in them is cleaned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import blake2b

from flannelscope.address_proofs import shows
from flannelscope.checks import all_checks
from flannelscope.cidr import BITS, contains, has_host_bits, parse, parse_address, show
from flannelscope.effective import AddressConfiguration, Allocator, Claim
from flannelscope.facts import Facts
from flannelscope.flannel.discovery import Installation
from flannelscope.judge import Judgement
from flannelscope.model import NO_EYES, Consequence, Finding, Gap, Prefix, Snapshot, Subject, Topic, Unknown
from flannelscope.rows import node_rows
from flannelscope.text import clean, count, fold
from flannelscope.verdict import verdict
from flannelscope.views import CoverageLine, EvidenceLine, FindingView, Overview, SettingLine, UnknownLine

__all__ = ["coverage", "finding_view", "node_rows", "overview", "settings_lines", "undo"]

LONGEST = 2000  # characters of one text
ALL_NAMED = "-o json names all"
IN_EFFECT, AGREES, CONTRADICTS, ALSO_SAID = "in effect", "agrees", "contradicts", "also said"


def overview(facts: Facts, judgement: Judgement, *, complete: bool, requests: int = 0, received: int = 0) -> Overview:
    """The answer on one page. `complete` says whether all topics are in; `received` is in bytes."""
    snapshot = facts.snapshot
    cluster = snapshot.cluster
    return Overview(
        verdict=verdict(facts, judgement, complete=complete),
        server=clean(cluster.server),
        context=clean(cluster.context),
        version=clean(cluster.version),
        nodes=len(snapshot.nodes) if Topic.NODES in snapshot.readings else None,
        taken=snapshot.taken,
        source=snapshot.source,
        complete=complete,
        findings=tuple(finding_view(finding) for finding in judgement.findings),
        unknown=unknown_lines(u for u in judgement.unknown if u.reason != NO_EYES),  # nobody asked for kernels: no doubt
        coverage=coverage(snapshot),
        configuration=settings_lines(facts.configuration),
        flannel=_flannel(facts),
        requests=requests,
        received=received,
    )


def unknown_lines(unknown: Iterable[Unknown]) -> tuple[UnknownLine, ...]:
    """Checks that could not judge, cleaned."""
    return tuple(UnknownLine(u.code, tuple(clean(n) for n in u.nodes), clean(u.reason)) for u in unknown)


def finding_view(finding: Finding) -> FindingView:
    """A Finding, cleaned."""
    remedy = finding.remedy
    return FindingView(
        key=_key(finding),
        code=finding.code,
        slug=finding.slug,
        severity=int(finding.severity),
        subjects=tuple((clean(s.kind), clean(s.namespace), clean(s.name)) for s in finding.subjects),
        nodes=tuple(dict.fromkeys(clean(node) for node in finding.nodes)),
        summary=_said(finding.summary),
        why=clean(finding.why),
        evidence=tuple(
            EvidenceLine(_said(e.what), _said(e.value), _said(e.origin), _command(e.command)) for e in finding.evidence
        ),
        consequences=tuple(_consequences(finding)),
        remedy=_said(remedy.summary) if remedy else "",
        commands=tuple(_command(command) for command in (*remedy.commands, remedy.proof) if command) if remedy else (),
        caution=_said(remedy.caution) if remedy else "",
        undo=undo().get(finding.code, "") if remedy else "",
    )


@cache
def undo() -> dict[str, str]:
    """By code how what is to be done is undone, "" where it changes nothing."""
    return {check.code: check.undo for check in all_checks()}


def _said(text: str) -> str:
    """Text for a screen: an annotation may be 200 KB, and wrapping that holds a screen for most of a minute."""
    return clean(text, LONGEST)


def _command(text: str) -> str:
    """A command whole, or a remark in its place: half a command would do something else."""
    shown = clean(text)
    return shown if len(shown) <= 2 * LONGEST else f"# a command of {len(shown):,} characters: flannelscope check -o json has it"


def _consequences(finding: Finding) -> Iterator[tuple[str, str, str]]:
    """Consequences of one code together: (code, whom they concern, the first summary and how many more there are)."""
    by_code: dict[str, list[Consequence]] = {}
    for consequence in finding.consequences:
        by_code.setdefault(consequence.code, []).append(consequence)
    for code, same in by_code.items():
        subjects = dict.fromkeys(subject for item in same for subject in item.subjects)
        nodes = any(subject.kind == "Node" for subject in subjects)
        shown = [s for s in subjects if s.kind == "Node"] if nodes and len(same) > 1 else list(subjects)
        more = f" And {len(same) - 1} more like it." if len(same) > 1 else ""
        yield code, fold_subjects(shown), _said(same[0].summary) + more


def _key(finding: Finding) -> str:
    """The same as long as the finding is about the same Nodes: the pods on them come and go, which ends no finding."""
    digest = blake2b(digest_size=8)
    lasting = [subject for subject in finding.subjects if subject.kind != "Pod"] or finding.subjects
    for subject in sorted(lasting):
        for part in (subject.kind, subject.namespace, subject.name):
            digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return f"{finding.code}:{digest.hexdigest()}"


def fold_subjects(subjects: Sequence[Subject], most: int = 6) -> str:
    """Subjects in few words: Node names as ranges, others with their kind; cleaned."""
    nodes = [clean(s.name) for s in subjects if s.kind == "Node"]
    others = [
        clean(f"{s.kind} {s.namespace}/{s.name}" if s.namespace else f"{s.kind} {s.name}") for s in subjects if s.kind != "Node"
    ]
    rest = len(others) - most
    shown = [*([fold(nodes, most)] if nodes else []), *others[:most], *([f"and {rest} more ({ALL_NAMED})"] if rest > 0 else [])]
    return ", ".join(shown)


def coverage(snapshot: Snapshot) -> tuple[CoverageLine, ...]:
    """What was looked at, topic by topic in the order of Topic; a topic neither read nor asked for is left out."""
    missing: dict[Topic, list[Gap]] = {}
    for gap in snapshot.gaps:
        missing.setdefault(gap.topic, []).append(gap)
    return tuple(
        _coverage(snapshot, topic, missing.get(topic, ())) for topic in Topic if topic in snapshot.readings or topic in missing
    )


def _coverage(snapshot: Snapshot, topic: Topic, gaps: Iterable[Gap]) -> CoverageLine:
    reading = snapshot.readings.get(topic)
    lacking = tuple(dict.fromkeys((clean(gap.node), clean(gap.reason)) for gap in gaps))
    if reading is None:  # asked for as a whole, and nothing came
        return CoverageLine(topic=topic.value, asked=1, answered=0, missing=lacking)
    scope = "not in this version of the server" if reading.absent else reading.scope
    return CoverageLine(
        topic=topic.value,
        asked=max(reading.asked, reading.answered),
        answered=reading.answered,
        scope=scope,
        missing=lacking,
        at=reading.at,
    )


def settings_lines(configuration: AddressConfiguration) -> tuple[SettingLine, ...]:
    """The effective address configuration, one line a setting, then what contradicts."""
    lines = (
        _line(configuration, "cluster-cidr", _cluster(configuration)),
        _line(configuration, "node-cidr-mask-size", ", ".join(f"/{mask}" for mask in configuration.node_masks)),
        _line(configuration, "service-cidr", _list(configuration.service_cidrs)),
        _line(configuration, "allocator", _allocator(configuration)),
    )
    said = tuple(SettingLine("contradiction", clean(text), "", "contradiction") for text in configuration.contradictions)
    return (*lines, *said)


def _line(configuration: AddressConfiguration, setting: str, value: str) -> SettingLine:
    chosen = [claim for claim in configuration.claims if claim.setting == setting and claim.chosen]
    if not value or value.startswith(Allocator.UNKNOWN):
        return SettingLine(setting, clean(value) or "unknown", "", "unknown", _sources(configuration, setting))
    origin = "; ".join(dict.fromkeys(_origin(claim) for claim in chosen))
    return SettingLine(setting, clean(value), origin, _sure(chosen), _sources(configuration, setting))


def _sources(configuration: AddressConfiguration, setting: str) -> tuple[EvidenceLine, ...]:
    claims = sorted((claim for claim in configuration.claims if claim.setting == setting), key=lambda claim: not claim.chosen)
    return tuple(_source(claim, [claim.value for claim in claims if claim.chosen]) for claim in claims)


def _source(claim: Claim, chosen: Sequence[str]) -> EvidenceLine:
    what = IN_EFFECT if claim.chosen else _beside(claim.value, chosen)
    return EvidenceLine(what, _said(claim.value), _said(_origin(claim)), _command(shows(claim)))


def _beside(said: str, chosen: Sequence[str]) -> str:
    """How what another source says stands to what is in effect: by meaning, however it is written."""
    if not chosen:
        return ALSO_SAID
    own, ours = _values(said), [_values(text) for text in chosen]
    everything = {value for values in ours for value in values}
    addresses = [value for value in own if isinstance(value, Prefix) and value.length == BITS[value.family]]
    inside = all(any(isinstance(whole, Prefix) and contains(whole, one) for whole in everything) for one in addresses)
    same = own in ours or set(own) == everything or (len(addresses) == len(own) and inside)
    return AGREES if same else CONTRADICTS


def _values(text: str) -> tuple[Prefix | str, ...]:
    """A list as values: ranges with their host bits masked, addresses as ranges of one, all else as words."""
    words = [word.strip() for word in text.split(",")]
    return tuple(parse(word) or _address(word) or word for word in words if word)


def _address(word: str) -> Prefix | None:
    address = parse_address(word)
    return None if address is None else Prefix(address[0], address[1], BITS[address[0]])


def _sure(chosen: Sequence[Claim]) -> str:
    words = {"sure": "yes", "hint": "hint", "estimate": "estimate"}
    order = ("estimate", "hint", "sure")
    return words[min((claim.sure.value for claim in chosen), key=order.index)] if chosen else "estimate"


def _origin(claim: Claim) -> str:
    return clean(f"{claim.origin.path} ({claim.origin.source})" if claim.origin.path else claim.origin.source)


def _cluster(configuration: AddressConfiguration) -> str:
    shown = []
    for index, prefix in enumerate(configuration.cluster_cidrs):
        written = configuration.cluster_cidrs_written[index] if index < len(configuration.cluster_cidrs_written) else ""
        shown.append(f"{show(prefix)} (written {written})" if written and has_host_bits(written) else show(prefix))
    return ", ".join(shown)


def _list(prefixes: Iterable[Prefix]) -> str:
    return ", ".join(show(prefix) for prefix in prefixes)


def _allocator(configuration: AddressConfiguration) -> str:
    reason = f" ({configuration.allocator_reason})" if configuration.allocator_reason else ""
    return configuration.allocator.value + reason


def _flannel(facts: Facts) -> tuple[str, ...]:
    """One line an installation; that none was found is said only where it was looked for."""
    found = tuple(_flannel_line(item) for item in facts.discovery.installations)
    looked = facts.snapshot.has(Topic.DAEMONSETS) or facts.snapshot.has(Topic.FLANNEL_PODS)
    return found or (("none was found",) if looked else ("not looked at: neither DaemonSets nor flannel's pods were read",))


def _flannel_line(item: Installation) -> str:
    where = f"{item.namespace}/{item.name}" if item.namespace else item.name
    backend = item.net_conf.backend if item.net_conf is not None else ""
    network = item.net_conf.network_written if item.net_conf is not None else ""
    running = count(len(item.pods), "pod") if item.daemonset is not None else ""
    parts = (item.kind, item.version, backend, network, where, running)
    return clean(" · ".join(part for part in parts if part))
