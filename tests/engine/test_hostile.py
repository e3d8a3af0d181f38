"""Nothing that a cluster can call itself stops a check, and nothing of it survives the sanitiser."""

from __future__ import annotations

from msgspec.structs import replace

from flannelscope.checks import all_checks
from flannelscope.judge import judge
from flannelscope.model import Finding, Gap, Topic
from flannelscope.text import clean
from tests.engine.hostile import ESCAPES, FORBIDDEN, MARKUP, TEXTS, hostile


def texts(finding: Finding) -> list[str]:
    remedy = (finding.remedy.summary, *finding.remedy.commands, finding.remedy.caution) if finding.remedy else ()
    proofs = [text for proof in finding.evidence for text in (proof.what, proof.value, proof.origin, proof.command)]
    return [finding.summary, *proofs, *remedy, *(subject.name for subject in finding.subjects)]


def test_every_check_judges_a_hostile_cluster() -> None:
    judgement = judge(hostile())
    assert judgement.checks == tuple(check.code for check in all_checks())
    assert "FLN101" in {finding.code for finding in judgement.findings}


def test_hostile_text_reaches_findings_and_ends_at_the_sanitiser() -> None:
    raw = "".join(text for finding in judge(hostile()).findings for text in texts(finding))
    assert set(raw) & FORBIDDEN, "the cluster is hostile enough to prove something"
    assert not set(clean(raw)) & FORBIDDEN


def test_what_looks_like_markup_is_kept_as_it_is() -> None:
    assert [clean(text) for text in MARKUP] == list(MARKUP)


def test_every_text_stands_on_a_node_a_pod_an_event_and_a_gap() -> None:
    taken = hostile()
    for index, text in enumerate(TEXTS):
        assert taken.nodes[index].name.endswith(text)
        assert taken.pods[index].name.endswith(text)
        assert taken.events[index].message.endswith(text)
        assert taken.gaps[index].reason.endswith(text)


def test_a_hostile_reason_for_what_is_not_there_does_not_stop_a_check() -> None:
    taken = hostile()
    readings = {topic: reading for topic, reading in taken.readings.items() if topic is not Topic.PODS}
    without = replace(taken, readings=readings, gaps=(Gap(Topic.PODS, ESCAPES[1]),))
    assert ESCAPES[1] in {unknown.reason for unknown in judge(without).unknown}
