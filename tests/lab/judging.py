"""Compares what `flannelscope check` said with what was broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.lab.reports import RANK

Object = dict[str, Any]
Expected = Mapping[str, frozenset[str]]  # the Nodes that each code must name
Said = tuple[str, frozenset[str]]


@dataclass(frozen=True)
class Verdict:
    """What was found, missed, said beside the truth, and said to be unknown where it should have been found."""

    found: tuple[str, ...]
    missed: tuple[str, ...]
    false: tuple[str, ...]
    unknown: tuple[str, ...]


def judge(report: Object, expected: Expected, also: frozenset[str] = frozenset()) -> Verdict:
    """A finding is found when it stands by itself, with its code, about exactly these Nodes; or as a consequence inside of
    another that was to be found, where two faults hit the same Nodes at once.

    False is whatever else stands at warning or above, but for the codes that are true `also`.
    """
    said = [_said(finding) for finding in report["findings"]]
    said += [
        _said(effect) for cause in report["findings"] if _said(cause) in expected.items() for effect in cause["consequences"]
    ]
    found = tuple(code for code, nodes in expected.items() if (code, nodes) in said)
    grave = [_said(finding) for finding in report["findings"] if RANK[finding["severity"]] >= RANK["warning"]]
    right = set(expected.items())
    beside = [(code, nodes) for code, nodes in grave if (code, nodes) not in right and code not in also]
    false = tuple(f"{code}({','.join(sorted(nodes))})" for code, nodes in beside)
    missed = tuple(code for code in expected if code not in found)
    unsure = {item["code"] for item in report["unknown"] if item["code"] in missed and _about(item, expected[item["code"]])}
    return Verdict(found, missed, false, tuple(sorted(unsure)))


def _said(finding: Object) -> Said:
    return finding["code"], frozenset(s["name"] for s in finding["subjects"] if s["kind"] == "Node")


def _about(unknown: Object, nodes: frozenset[str]) -> bool:
    return bool(set(unknown["nodes"]) & nodes)
