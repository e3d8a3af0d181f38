"""What a run says, as one value, and its forms: text, Markdown, JSON, Prometheus.

Text forms hold only cleaned text. The JSON form keeps names as they are and escapes all that is not printable ASCII.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from flannelscope.checks import all_checks
from flannelscope.facts import Facts
from flannelscope.judge import Judgement
from flannelscope.model import Finding, Severity, Snapshot, Topic, Value
from flannelscope.moments import utc
from flannelscope.present import overview, unknown_lines
from flannelscope.text import clean
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
        """Percent answered of the topic that answered least: one blind spot must not hide behind many that answered.

        A topic that a check needed and that was not read answered nothing, whether or not it was asked for.
        """
        return min((share(line) for line in self.overview.coverage), default=0.0)


def build(
    facts: Facts, judgement: Judgement, suppress: Sequence[Suppression] = (), *, requests: int = 0, received: int = 0
) -> Report:
    """The Report of a Snapshot that was read to its end, judged with `covering(suppress)`."""
    seen = overview(facts, judgement, complete=True, requests=requests, received=received)
    lines = {line.topic: line for line in (*seen.coverage, *_unread(facts.snapshot, judgement))}
    for topic, reason in _unseen(facts, judgement):
        if (line := lines.get(topic.value)) is not None and not line.asked and not line.missing:
            lines[topic.value] = replace(line, missing=(("", clean(reason)),))
    covered = tuple(lines[topic.value] for topic in Topic if topic.value in lines)
    seen = replace(seen, coverage=covered, unknown=unknown_lines(judgement.unknown))
    hidden = tuple(Suppressed(finding, by) for finding in judgement.suppressed if (by := _by(finding, suppress)) is not None)
    return Report(snapshot=facts.snapshot, judgement=judgement, suppressed=hidden, overview=seen)


def covering(suppress: Sequence[Suppression]) -> Callable[[Finding], bool]:
    """Whether a finding is suppressed, as `judge` asks it: before causes take in what they explain."""
    return lambda finding: _by(finding, suppress) is not None


def _by(finding: Finding, suppress: Sequence[Suppression]) -> Suppression | None:
    return next((item for item in suppress if item.covers(finding)), None)


def _unread(snapshot: Snapshot, judgement: Judgement) -> Iterator[CoverageLine]:
    """Topics that a check needed and nobody asked for: `--pods none`, a file that holds Nodes alone."""
    needed = {topic for check in all_checks() if check.code in judgement.checks for topic in check.needs}
    known = {Topic.KERNELS, *snapshot.readings, *(gap.topic for gap in snapshot.gaps)}  # kernels only count where asked for
    for topic in Topic:
        if topic in needed and topic not in known:
            yield CoverageLine(topic=topic.value, asked=1, answered=0, missing=(("", snapshot.why_not(topic)),))


def _unseen(facts: Facts, judgement: Judgement) -> Iterator[tuple[Topic, str]]:
    """Topics in which finding nothing is no answer, where a check that judged needs them, with the reason.

    No event, policy or pod says that there is none. No Node says nothing about Nodes; and a control plane that shows no pod
    (managed, k3s, RKE1, systemd) may run or not.
    """
    needed = {topic for check in all_checks() if check.code in judgement.checks for topic in check.needs}
    if Topic.NODES in needed:
        yield Topic.NODES, "there is no Node: nothing could be judged"
    if Topic.CONTROL_PLANE in needed and facts.configuration.manager_up is None:
        yield Topic.CONTROL_PLANE, facts.configuration.manager_reason


def share(line: CoverageLine) -> float:
    """Percent of what was asked for in a topic that came. Nothing of nothing is all, unless that is a lack."""
    if line.asked == 0:
        return 0.0 if line.missing else 100.0
    return 100.0 * line.answered / line.asked


def moment(at: float | None) -> str:
    """A time in RFC 3339, UTC, whole seconds; "" for none."""
    return utc(at) if at else ""
