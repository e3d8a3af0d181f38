"""Runs the checks on a Snapshot: findings in order, consequences inside their causes, and what stayed unknown."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from flannelscope.checks import Check, all_checks
from flannelscope.facts import Facts
from flannelscope.model import WHOLE_CLUSTER, Consequence, Finding, Snapshot, Unknown, Value
from flannelscope.text import natural

EVERYWHERE = "*"


class Judgement(Value, frozen=True):
    """What the checks say of one Snapshot. `checks` are the codes that ran."""

    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...]
    checks: tuple[str, ...] = ()


def judge(snapshot: Snapshot | Facts, checks: Iterable[Check] | None = None) -> Judgement:
    """Run `checks` (default: all) and settle which findings explain which."""
    facts = snapshot if isinstance(snapshot, Facts) else Facts(snapshot)
    chosen = all_checks() if checks is None else tuple(checks)
    findings: list[Finding] = []
    unknown: list[Unknown] = []
    for check in chosen:
        missing = [topic for topic in check.needs if not facts.snapshot.has(topic)]
        if missing:
            unknown.append(check.unknown(facts.snapshot.why_not(missing[0])))
            continue
        for said in check.detect(facts):
            if isinstance(said, Finding):
                findings.append(said)
            else:
                unknown.append(said)
    return Judgement(tuple(order(settle(findings, chosen))), tuple(unknown), tuple(c.code for c in chosen))


def order(findings: Iterable[Finding]) -> list[Finding]:
    """By severity, code, subjects (natural order)."""
    return sorted(
        findings,
        key=lambda f: (-f.severity, f.code, [(s.kind, natural(s.namespace), natural(s.name)) for s in f.subjects]),
    )


def settle(findings: list[Finding], checks: Iterable[Check]) -> list[Finding]:
    """Put each finding that another explains inside it; one cause, one finding.

    A finding is explained when its code stands in the other's `swallows` (directly or through what that one swallows
    in turn) and all its Nodes are among the other's Nodes and reach. Swallowing has no cycles, so this ends.
    """
    swallows = _closure({c.code: frozenset(c.swallows) for c in checks})
    causes = sorted(findings, key=lambda f: -len(swallows.get(f.code, ())))
    by_effect: dict[str, list[tuple[Finding, frozenset[str]]]] = {}
    for cause in causes:
        covered = frozenset((*(cause.nodes or (WHOLE_CLUSTER,)), *cause.reach))
        for code in swallows.get(cause.code, ()):
            by_effect.setdefault(code, []).append((cause, covered))
    attached: dict[int, list[Finding]] = {}
    kept: list[Finding] = []
    for finding in findings:
        nodes = frozenset(finding.nodes or (WHOLE_CLUSTER,))
        explaining = next(
            (candidate for candidate, covered in by_effect.get(finding.code, ()) if EVERYWHERE in covered or nodes <= covered),
            None,
        )
        if explaining is None:
            kept.append(finding)
        else:
            attached.setdefault(id(explaining), []).append(finding)
    return [_with_consequences(f, attached) for f in kept]


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
