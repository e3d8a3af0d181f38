"""Reading what `flannelscope check -o json` said."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
RANK = {"info": 1, "warning": 2, "critical": 3}


def findings(report: Object, code: str) -> list[Object]:
    """The findings with this code, those that stand by themselves."""
    return [finding for finding in report["findings"] if finding["code"] == code]


def subjects(finding: Object) -> set[str]:
    """The names of what a finding, or a consequence, is about."""
    return {subject["name"] for subject in finding["subjects"]}


def named(report: Object, code: str) -> set[str]:
    """What all findings with this code name, consequences of others included."""
    found = [*report["findings"], *(effect for finding in report["findings"] for effect in finding["consequences"])]
    return {name for finding in found if finding["code"] == code for name in subjects(finding)}


def codes(report: Object, least: str = "info") -> set[str]:
    """Codes of the findings that are at least so severe."""
    return {finding["code"] for finding in report["findings"] if RANK[finding["severity"]] >= RANK[least]}


def gaps(report: Object) -> list[tuple[str, str]]:
    """What could not be read: topic and reason."""
    return [(line["topic"], gap["reason"]) for line in report["coverage"] for gap in line["missing"]]


def told(finding: Object) -> str:
    """All words of a finding."""
    evidence = " ".join(f"{item['what']} {item['value']} {item['from']} {item['command']}" for item in finding["evidence"])
    return f"{finding['summary']} {finding['why']} {evidence}"
