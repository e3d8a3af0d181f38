"""One cause, one finding: what another finding explains stands inside it, by code, Nodes and reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from flannelscope.checks import Check
from flannelscope.facts import Facts
from flannelscope.judge import EVERYWHERE, judge, order, settle
from flannelscope.model import (
    CLUSTER,
    WHOLE_CLUSTER,
    Declared,
    Evidence,
    Finding,
    Gap,
    Remedy,
    Severity,
    Subject,
    Topic,
    Unknown,
    node_subject,
)
from flannelscope.session import Settings
from tests.engine.builders import snapshot


def made(code: str, *swallows: str, needs: tuple[Topic, ...] = (), says: tuple[Finding | Unknown, ...] = ()) -> Check:
    """A check that says just this."""

    def detect(facts: Facts) -> Iterator[Finding | Unknown]:
        yield from says

    return Check(
        code=code,
        slug=code.lower(),
        severity=Severity.WARNING,
        needs=needs,
        swallows=swallows,
        why="",
        explanation="",
        detect=detect,
    )


def found(code: str, *nodes: str, severity: Severity = Severity.WARNING, reach: tuple[str, ...] = ()) -> Finding:
    subjects = tuple(map(node_subject, nodes)) or (CLUSTER,)
    return Finding(code=code, slug=code.lower(), severity=severity, subjects=subjects, summary=f"{code} {nodes}", reach=reach)


CHAIN = (made("A", "B"), made("B", "C"), made("C"), made("D"))


def settled(*findings: Finding) -> list[tuple[str, list[str]]]:
    """Code and consequences of what is left."""
    return [(f.code, [c.code for c in f.consequences]) for f in settle(list(findings), CHAIN)]


def test_a_cause_takes_what_it_explains_on_its_own_nodes() -> None:
    assert settled(found("A", "w1", "w2"), found("B", "w1")) == [("A", ["B"])]


def test_another_nodes_finding_stays_beside() -> None:
    assert settled(found("A", "w1"), found("B", "w2"), found("B", "w1", "w2")) == [("A", []), ("B", []), ("B", [])]


def test_a_code_that_is_not_swallowed_stays() -> None:
    assert settled(found("A", "w1"), found("D", "w1")) == [("A", []), ("D", [])]


def test_a_cause_explains_at_one_remove_only_through_what_was_found() -> None:
    assert settled(found("A", "w1"), found("C", "w1")) == [("A", []), ("C", [])], "no B was found that would link them"
    assert settled(found("C", "w1"), found("B", "w1"), found("A", "w1")) == [("A", ["B", "C"])]


def test_reach_covers_further_nodes() -> None:
    assert settled(found("A", "w1", reach=("w2",)), found("B", "w2")) == [("A", ["B"])]
    assert settled(found("A", "w1", reach=(EVERYWHERE,)), found("B", "w7"), found("B")) == [("A", ["B", "B"])]


def test_findings_about_the_cluster_belong_to_causes_about_the_cluster() -> None:
    assert settled(found("A"), found("B")) == [("A", ["B"])]
    assert settled(found("A", "w1"), found("B")) == [("A", []), ("B", [])]
    assert settled(found("A", "w1", reach=(WHOLE_CLUSTER,)), found("B")) == [("A", ["B"])]
    assert settled(found("A"), found("B", "w1")) == [("A", []), ("B", [])]


def test_a_finding_about_a_pod_is_about_its_node() -> None:
    pod = Finding(code="B", slug="b", severity=Severity.INFO, subjects=(Subject("Pod", "web-1", "default", "w1"),), summary="")
    assert settled(found("A", "w1"), pod) == [("A", ["B"])]


def test_nothing_is_lost_and_nothing_is_twice() -> None:
    both = [found("A", "w1"), found("A", "w1", "w2"), found("B", "w1"), found("C", "w2"), found("C", "w3")]
    left = settle(both, CHAIN)
    assert sorted([f.code for f in left] + [c.code for f in left for c in f.consequences]) == ["A", "A", "B", "C", "C"]


def test_order_is_severity_code_and_natural_names() -> None:
    mixed = [found("A", "w10"), found("A", "w9"), found("B", "w1", severity=Severity.CRITICAL), found("A", "w2")]
    assert [(f.code, f.nodes) for f in order(mixed)] == [("B", ("w1",)), ("A", ("w2",)), ("A", ("w9",)), ("A", ("w10",))]


def test_a_check_whose_topic_was_not_read_is_unknown_with_the_reason() -> None:
    blind = made("A", needs=(Topic.PODS,), says=(found("A", "w1"),))
    forbidden = Gap(Topic.PODS, "pods is forbidden", verb="list", resource="pods")
    said = judge(snapshot(topics=[Topic.NODES], gaps=[forbidden]), [blind])
    assert said.findings == ()
    assert [(u.code, u.nodes, u.reason) for u in said.unknown] == [("A", (), "pods is forbidden")]
    assert said.checks == ("A",)


def test_unknowns_and_findings_of_one_check_are_both_kept() -> None:
    check = made("A", says=(found("A", "w1"), Unknown("A", ("w2",), "did not answer")))
    said = judge(snapshot(), [check])
    assert ([f.nodes for f in said.findings], [u.nodes for u in said.unknown]) == ([("w1",)], [("w2",)])


def test_what_is_suppressed_explains_nothing() -> None:
    checks = (made("A", "B", says=(found("A", "w1"),)), made("B", says=(found("B", "w1"),)))
    said = judge(snapshot(), checks, suppressed=lambda finding: finding.code == "A")
    assert [f.code for f in said.findings] == ["B"]
    assert [f.code for f in said.suppressed] == ["A"]


def test_a_node_that_could_not_be_read_is_unknown_to_every_check_of_nodes() -> None:
    held = replace(snapshot(), gaps=(Gap(Topic.NODES, "podCIDRs is a number", node="w7"),))
    said = judge(held, (made("A", needs=(Topic.NODES,)), made("B", needs=(Topic.EVENTS,))))
    assert [(unknown.code, unknown.nodes) for unknown in said.unknown] == [("A", ("w7",))]


def test_a_check_that_fails_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flannelscope.judge.RAISE", False)
    broken = replace(made("A"), detect=lambda facts: iter([1 // 0]))
    said = judge(snapshot(), (broken, made("B", says=(found("B", "w1"),))))
    assert [f.code for f in said.findings] == ["B"]
    assert "ZeroDivisionError" in said.unknown[0].reason


def test_commands_of_flannelscope_itself_ask_the_world_that_the_finding_is_about() -> None:
    """Copied from a demo, `flannelscope cidr free` would else answer for the cluster of the kubeconfig."""
    own = Evidence("blocks", "0 free", "podCIDRs", "flannelscope cidr free")
    other = Evidence("podCIDR", "none", "Node a", "kubectl get node a")
    advice = Remedy(
        "See.",
        ("flannelscope cidr what-if --node-cidr-mask-size 24", "flannelscope explain A"),
        "",
        "flannelscope check --only A  # ok",
    )
    said = replace(found("A", "a"), evidence=(own, other), remedy=advice)

    def commands(*world: str) -> list[str]:
        (one,) = judge(snapshot([], declared=Declared(world=world)), [made("A", says=(said,))]).findings
        assert one.remedy is not None
        return [*(item.command for item in one.evidence), *one.remedy.commands, one.remedy.proof]

    assert commands("--demo", "exhausted") == [
        "flannelscope cidr free --demo exhausted",
        "kubectl get node a",
        "flannelscope cidr what-if --demo exhausted --node-cidr-mask-size 24",
        "flannelscope explain A",
        "flannelscope check --demo exhausted --only A  # ok",
    ]
    assert commands("--from", "my nodes.json")[0] == "flannelscope cidr free --from 'my nodes.json'"
    assert commands()[0] == "flannelscope cidr free"


def test_the_world_is_what_the_settings_name() -> None:
    assert Settings(demo="twins").start.declared.world == ("--demo", "twins")
    assert Settings(from_file="n.json", context="b").start.declared.world == ("--from", "n.json")
    assert Settings(kubeconfig=("a",), context="b").start.declared.world == ("--kubeconfig", "a", "--context", "b")
    assert Settings().start.declared.world == ()
