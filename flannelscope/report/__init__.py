"""What a run says, as one value, and its forms: text, Markdown, JSON, Prometheus.

Text forms hold only cleaned text. The JSON form keeps names as they are and escapes all that is not printable ASCII.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from flannelscope.facts import Facts
from flannelscope.judge import Judgement
from flannelscope.model import Finding, Severity, Snapshot, Value
from flannelscope.present import overview
from flannelscope.views import CoverageLine, Overview

SCHEMA = 1
SEVERITY_WORDS = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}


class Suppression(Value, frozen=True):
    """`CODE` or `CODE=SUBJECT`: findings not to show. An empty subject means all findings of the code."""

    code: str
    subject: str = ""

    def covers(self, finding: Finding) -> bool:
        """Whether it names this finding, by the name (or namespace/name) of any of its subjects."""
        if finding.code != self.code:
            return False
        return not self.subject or any(self.subject in (s.name, f"{s.namespace}/{s.name}") for s in finding.subjects)

    def __str__(self) -> str:
        return f"{self.code}={self.subject}" if self.subject else self.code


class Suppressed(Value, frozen=True):
    """A finding that was found and is not shown, and what suppressed it."""

    finding: Finding
    by: Suppression


class Report(Value, frozen=True, kw_only=True):
    """Everything that is said about a Snapshot. `judgement` is without what was suppressed."""

    snapshot: Snapshot
    judgement: Judgement
    suppressed: tuple[Suppressed, ...]
    overview: Overview

    def worst(self) -> Severity | None:
        """The highest severity among what was found and not suppressed."""
        return max((finding.severity for finding in self.judgement.findings), default=None)

    def covered(self) -> float:
        """Percent answered of the topic that answered least: one blind spot must not hide behind many that answered."""
        return min((share(line) for line in self.overview.coverage), default=0.0)


def build(
    facts: Facts, judgement: Judgement, suppress: Sequence[Suppression] = (), *, requests: int = 0, received: int = 0
) -> Report:
    """The Report of a Snapshot that was read to its end."""
    shown, suppressed = sift(judgement.findings, suppress)
    left = replace(judgement, findings=shown)
    seen = overview(facts, left, complete=True, requests=requests, received=received)
    return Report(snapshot=facts.snapshot, judgement=left, suppressed=suppressed, overview=seen)


def sift(findings: Iterable[Finding], suppress: Sequence[Suppression]) -> tuple[tuple[Finding, ...], tuple[Suppressed, ...]]:
    """Findings to show, and those that a suppression names."""
    shown: list[Finding] = []
    hidden: list[Suppressed] = []
    for finding in findings:
        by = next((item for item in suppress if item.covers(finding)), None)
        if by is None:
            shown.append(finding)
        else:
            hidden.append(Suppressed(finding, by))
    return tuple(shown), tuple(hidden)


def share(line: CoverageLine) -> float:
    """Percent of what was asked for in a topic that came. A topic with nothing in it came wholly."""
    return 100.0 if line.asked == 0 else 100.0 * line.answered / line.asked


def moment(at: float | None) -> str:
    """A time in RFC 3339, UTC, whole seconds; "" for none."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""
