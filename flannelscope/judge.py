"""Runs the checks on a Snapshot: findings in order, consequences inside their causes, and what stayed unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from flannelscope.again import in_this_world
from flannelscope.checks import Check, all_checks
from flannelscope.facts import Facts
from flannelscope.model import WHOLE_CLUSTER, Consequence, Finding, Gap, Snapshot, Topic, Unknown, Value
from flannelscope.text import natural

EVERYWHERE = "*"
RAISE = False  # tests set it: there a check that fails is a failure, for operators the other checks still count


class Judgement(Value, frozen=True):
    """What the checks say of one Snapshot. `checks` are the codes that ran; `suppressed` was found and is not to be shown."""

    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...]
    checks: tuple[str, ...] = ()
    suppressed: tuple[Finding, ...] = ()


def judge(
    snapshot: Snapshot | Facts,
    checks: Iterable[Check] | None = None,
    *,
    suppressed: Callable[[Finding], bool] = lambda finding: False,
) -> Judgement:
    """Run `checks` (default: all) and settle which findings explain which.

    What is `suppressed` explains nothing: its consequences stand for themselves.
    """
    facts = snapshot if isinstance(snapshot, Facts) else Facts(snapshot)
    chosen = all_checks() if checks is None else tuple(checks)
    unread = [gap for gap in facts.snapshot.gaps if gap.topic is Topic.NODES and gap.node]
    findings: list[Finding] = []
    hidden: list[Finding] = []
    unknown: list[Unknown] = []
    for check in chosen:
        for said in (*_unread(check, unread), *_detect(check, facts)):
            if isinstance(said, Unknown):
                unknown.append(said)
            elif suppressed(said):
                hidden.append(said)
            else:
                findings.append(said)
    codes = tuple(check.code for check in chosen)
    world = facts.snapshot.declared.world
    kept = in_this_world(order(settle(findings, chosen)), world)
    return Judgement(kept, tuple(unknown), codes, in_this_world(order(hidden), world))


def _detect(check: Check, facts: Facts) -> tuple[Finding | Unknown, ...]:
    missing = [topic for topic in check.needs if not facts.snapshot.has(topic)]
    if missing:
        return (check.unknown(facts.snapshot.why_not(missing[0])),)
    try:
        return tuple(check.detect(facts))
    except Exception as error:
        if RAISE:
            raise
        return (check.unknown(f"the check met an error of its own ({type(error).__name__}: {error}); please report it"),)


def _unread(check: Check, gaps: list[Gap]) -> Iterator[Unknown]:
    """Nodes that could not be read are not judged by any check that looks at Nodes."""
    if gaps and Topic.NODES in check.needs:
        names = tuple(sorted({gap.node for gap in gaps}, key=natural))
        yield check.unknown("what the API says of the Node could not be read", names)


def order(findings: Iterable[Finding]) -> list[Finding]:
    """By severity, code, subjects (natural order)."""
    return sorted(
        findings,
        key=lambda f: (-f.severity, f.code, [(s.kind, natural(s.namespace), natural(s.name)) for s in f.subjects]),
    )


def settle(findings: list[Finding], checks: Iterable[Check]) -> list[Finding]:
    """Put each finding that another explains inside it; one cause, one finding.

    A finding is explained when its code stands in the other's `swallows` and all its Nodes, or all it is `towards`, are
    among the other's Nodes and reach. What explains it may be explained itself: then both stand in the first cause.
    Swallowing has no cycles.
    """
    swallows = {check.code: frozenset(check.swallows) for check in checks}
    rank = _closure(swallows)
    by_effect: dict[str, list[tuple[Finding, frozenset[str]]]] = {}
    for cause in sorted(findings, key=lambda f: -len(rank.get(f.code, ()))):
        covered = frozenset((*(cause.nodes or (WHOLE_CLUSTER,)), *cause.reach))
        for code in swallows.get(cause.code, ()):
            by_effect.setdefault(code, []).append((cause, covered))
    attached: dict[int, list[Finding]] = {}
    kept: list[Finding] = []
    for finding in findings:
        nodes = frozenset(finding.nodes or (WHOLE_CLUSTER,))
        ends = (nodes, frozenset(finding.towards)) if finding.towards else (nodes,)
        explaining = next(
            (
                candidate
                for candidate, covered in by_effect.get(finding.code, ())
                if EVERYWHERE in covered or any(end <= covered for end in ends)
            ),
            None,
        )
        if explaining is None:
            kept.append(finding)
        else:
            attached.setdefault(id(explaining), []).append(finding)
    return [_with_consequences(finding, attached) for finding in kept]


def _with_consequences(finding: Finding, attached: dict[int, list[Finding]]) -> Finding:
    effects = _effects(finding, attached)
    if not effects:
        return finding
    said = tuple(Consequence(f.code, f.subjects, f.summary) for f in order(effects))
    return replace(finding, consequences=(*finding.consequences, *said))


def _effects(finding: Finding, attached: dict[int, list[Finding]]) -> list[Finding]:
    direct = attached.get(id(finding), [])
    return [*direct, *(further for effect in direct for further in _effects(effect, attached))]


def _closure(swallows: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    closed: dict[str, frozenset[str]] = {}

    def reach(code: str) -> frozenset[str]:
        if code not in closed:
            direct = swallows.get(code, frozenset())
            closed[code] = direct.union(*(reach(c) for c in direct)) if direct else direct
        return closed[code]

    for code in swallows:
        reach(code)
    return closed
