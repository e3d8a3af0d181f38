"""Views say what is known and no more: verdict, node rows, findings, coverage, effective configuration."""

from __future__ import annotations

import time

from msgspec.structs import replace

from flannelscope.facts import Facts
from flannelscope.judge import Judgement, judge
from flannelscope.model import (
    CLUSTER,
    Consequence,
    Evidence,
    Finding,
    Gap,
    Pod,
    Reading,
    Remedy,
    Severity,
    Snapshot,
    Subject,
    Topic,
    Unknown,
    node_subject,
    pod_subject,
)
from flannelscope.present import coverage, finding_view, node_rows, overview
from flannelscope.views import NodeRow, Overview
from tests.engine.builders import (
    NOW,
    announced,
    crashing,
    daemonset,
    flannel_pod,
    fleet,
    healthy,
    manager_pod,
    net_conf,
    node,
    pod,
    snapshot,
)
from tests.engine.hostile import FORBIDDEN, hostile

NOTHING = Judgement((), (), ())


def finding(
    code: str, *names: str, severity: Severity = Severity.CRITICAL, summary: str = "", reach: tuple[str, ...] = ()
) -> Finding:
    """A finding about these Nodes."""
    subjects = tuple(node_subject(name) for name in names)
    return Finding(code=code, slug="some-slug", severity=severity, subjects=subjects, summary=summary or code, reach=reach)


def said(taken: Snapshot, *found: Finding, unknown: tuple[Unknown, ...] = (), complete: bool = True) -> str:
    """The verdict."""
    judgement = Judgement(found, unknown, ("FLN101", "FLN102"))
    return overview(Facts(taken), judgement, complete=complete).verdict


def rows(taken: Snapshot, judgement: Judgement | None = None) -> dict[str, NodeRow]:
    """Node rows by name."""
    facts = Facts(taken)
    return {row.name: row for row in node_rows(facts, judgement or judge(facts))}


def test_the_verdict_begins_with_what_concerns_most_nodes() -> None:
    told = said(
        healthy(),
        finding("FLN204", "w001", "w002"),
        finding("FLN101", "w001", "w002"),
        finding("FLN101", "w003", "w004"),
        finding("FLN306", "w001", severity=Severity.INFO),
    )
    assert told.startswith("4 nodes share 2 podCIDRs: traffic to a pod of one of them may go to the other.")
    assert "some slug (w001 w002, FLN204)" in told
    assert "FLN306" not in told


def test_a_cause_that_reaches_every_node_comes_before_one_that_names_many() -> None:
    down = finding("FLN116", summary="The controller manager is down", reach=("*",))
    assert said(healthy(), finding("FLN101", "w001", "w002"), down).startswith("The controller manager is down.")


def test_one_finding_is_told_in_its_own_words() -> None:
    assert (
        said(healthy(), finding("FLN101", "w1", "w2", summary="w1 and w2 hold 10.244.1.0/24.")) == "w1 and w2 hold 10.244.1.0/24."
    )


def test_nothing_found_is_never_called_fine() -> None:
    told = said(healthy(), unknown=(Unknown("FLN102", (), "no"),))
    assert told == (
        "No fault found in what was looked at: 3 nodes, 0 pods, 1 check. Not known: 1 check could not judge everything."
    )


def test_what_could_not_be_read_stands_in_the_verdict() -> None:
    taken = healthy(topics=[t for t in Topic if t is not Topic.PODS], gaps=[Gap(Topic.PODS, "403", verb="list", resource="pods")])
    assert said(taken) == "No fault found in what was looked at: 3 nodes, 2 checks. Not read: pods."


def test_without_nodes_nothing_is_judged() -> None:
    taken = snapshot(topics=[Topic.VERSION], gaps=[Gap(Topic.NODES, "403")])
    assert said(taken).startswith("The nodes could not be read, so nothing can be said about them.")


def test_while_it_reads_the_verdict_says_what_and_how_far() -> None:
    taken = healthy(topics=[t for t in Topic if t is not Topic.PODS])
    assert said(taken, complete=False) == "Reading pods."
    partly = replace(taken, readings={**taken.readings, Topic.PODS: Reading(at=NOW, asked=15000, answered=3500, complete=False)})
    assert said(partly, complete=False) == "Reading pods: 3,500 of 15,000 so far."
    assert (
        said(partly, finding("FLN101", "a", "b", summary="Bad"), complete=False)
        == "Reading pods: 3,500 of 15,000 so far. So far: Bad."
    )


def test_glyphs_tell_nothing_found_from_not_judged() -> None:
    young = node("young", "10.244.9.0/24", ip="10.20.0.9", created=NOW - 60)
    silent = node("silent", "10.244.8.0/24", ip="10.20.0.8", ready="Unknown")
    taken = healthy([*fleet(4), young, silent])
    judgement = Judgement(
        (
            finding("FLN101", "w001"),
            finding("FLN104", "w002", severity=Severity.WARNING),
            finding("FLN306", "w003", severity=Severity.INFO),
        ),
        (Unknown("FLN203", ("w004",), "needs SSH"),),
    )
    shown = rows(taken, judgement)
    assert {name: row.glyph for name, row in shown.items()} == {
        "w001": "x",
        "w002": "!",
        "w003": "i",
        "w004": "?",
        "young": "?",
        "silent": "?",
    }
    assert shown["w004"].note == "FLN203 could not judge: needs SSH"
    assert {row.glyph for row in rows(healthy(), NOTHING).values()} == {"."}


def test_rows_are_unknown_while_what_they_are_judged_from_is_missing() -> None:
    for topic in (Topic.LEASES, Topic.DAEMONSETS, Topic.FLANNEL_PODS):
        row = rows(healthy(topics=[t for t in Topic if t is not topic]), NOTHING)["w001"]
        assert row.glyph == "?"
        assert topic.value in row.note


def test_a_consequence_marks_its_own_nodes() -> None:
    cause = replace(finding("FLN116", reach=("*",)), consequences=(Consequence("FLN105", (node_subject("w002"),), "has none"),))
    row = rows(healthy(), Judgement((cause,), ()))["w002"]
    assert (row.glyph, row.codes) == ("x", ("FLN105",))


def test_podcidr_marks_stand_at_the_index_that_is_wrong() -> None:
    nodes = [
        announced(node("twin1", "10.244.1.0/24", "fd00:0:0:1::/64", ip="10.20.0.1")),
        announced(node("twin2", "10.244.1.0/24", "fd00:0:0:2::/64", ip="10.20.0.2")),
        announced(node("wide", "10.245.0.0/16", ip="10.20.0.3")),
        announced(node("inside", "10.245.7.0/24", ip="10.20.0.4")),
        announced(node("stray", "192.168.0.0/24", ip="10.20.0.5")),
        announced(node("good", "10.244.5.0/24", ip="10.20.0.6")),
    ]
    taken = snapshot(nodes, control_plane_pods=[manager_pod("--cluster-cidr=10.244.0.0/12")])
    judgement = Judgement(
        (finding("FLN101", "twin1", "twin2"), finding("FLN102", "wide", "inside"), finding("FLN103", "stray")), ()
    )
    shown = rows(taken, judgement)
    assert {name: row.marks for name, row in shown.items()} == {
        "twin1": ("=", ""),
        "twin2": ("=", ""),
        "wide": ("~",),
        "inside": ("~",),
        "stray": ("!",),
        "good": ("",),
    }


def test_podcidrs_sort_by_family_and_address() -> None:
    texts = ["10.244.9.0/24", "10.244.10.0/24", "10.244.10.0/25", "9.0.0.0/8", "fd00::/64", "banana"]
    taken = snapshot([node(f"n{index}", text) for index, text in enumerate(texts)] + [node("none")])
    by_key = sorted(rows(taken, NOTHING).values(), key=lambda row: row.sort_cidr)
    assert [row.pod_cidrs for row in by_key] == [
        (),
        ("9.0.0.0/8",),
        ("10.244.9.0/24",),
        ("10.244.10.0/24",),
        ("10.244.10.0/25",),
        ("fd00::/64",),
        ("banana",),
    ]


def test_flannel_on_a_node_running_failing_missing_or_not_wanted() -> None:
    running, failing, missing = fleet(3)
    taken = snapshot(
        [running, failing, missing],
        flannel_pods=[flannel_pod(running), flannel_pod(failing, crashing())],
        daemonsets=[daemonset(3)],
        config_maps=[net_conf()],
    )
    shown = rows(taken, NOTHING)
    assert shown["w001"].flannel_state == "running"
    assert shown["w001"].flannel_version == "v0.28.10"
    assert (shown["w002"].flannel_state, shown["w002"].flannel_restarts) == ("CrashLoopBackOff", 12)
    assert shown["w003"].flannel_state == "none"
    assert rows(snapshot(fleet(1)), NOTHING)["w001"].flannel_state == "-"
    unread = snapshot(fleet(1), topics=[Topic.NODES])
    assert rows(unread, NOTHING)["w001"].flannel_state == "?"


def test_pods_are_counted_only_where_they_were_read() -> None:
    members = fleet(2)
    pods = [
        pod("a", members[0], "10.244.1.7"),
        pod("done", members[0], "10.244.1.8", phase="Succeeded"),
        pod("host", members[0], "10.20.0.1", host_network=True),
        pod("waiting", members[0]),
    ]
    taken = healthy(members, pods=pods)
    assert [row.pods_with_ip for row in rows(taken).values()] == [1, 0]

    def read(reading: Reading) -> list[int | None]:
        changed = replace(taken, readings={**taken.readings, Topic.PODS: reading})
        return [row.pods_with_ip for row in rows(changed, NOTHING).values()]

    assert read(Reading(at=NOW, complete=False)) == [None, None]
    assert read(Reading(at=NOW, scope="none")) == [None, None]
    assert read(Reading(at=NOW, scope="suspect")) == [1, None]


def test_what_a_member_announces_is_in_its_row() -> None:
    member = announced(node("w1", "10.244.1.0/24", ip="10.20.0.1"))
    row = rows(healthy([member]), NOTHING)["w1"]
    assert (row.backend, row.vni, row.public_ips) == ("vxlan", 1, ("10.20.0.1",))
    assert row.vtep_mac.count(":") == 5
    silent = rows(healthy([node("w1", "10.244.1.0/24")]), NOTHING)["w1"]
    assert (silent.backend, silent.vni, silent.public_ips, silent.vtep_mac) == ("", None, (), "")


def test_finding_views_have_a_key_that_stays() -> None:
    first = finding_view(finding("FLN101", "w1", "w2", summary="one"))
    again = finding_view(finding("FLN101", "w2", "w1", summary="said otherwise"))
    other = finding_view(finding("FLN101", "w1", "w3"))
    assert first.key == again.key
    assert first.key != other.key


def test_a_finding_about_nodes_keeps_its_key_while_the_pods_on_them_change() -> None:
    """Else an opened finding would be said to hold no more whenever one of thirty pods is started again."""
    twins = finding("FLN112", "w1", "w2")
    before, after = (finding_view(replace(twins, subjects=(*twins.subjects, pod_subject(pod(n, "w1"))))) for n in ("p1", "p2"))
    assert before.key == after.key
    alone = [finding_view(replace(twins, subjects=(pod_subject(pod(name, "w1")),))) for name in ("p1", "p2")]
    assert alone[0].key != alone[1].key


def test_how_to_undo_it_is_told_with_a_remedy_only() -> None:
    found = finding("FLN101", "w1", "w2")
    assert finding_view(replace(found, remedy=None)).undo == ""
    assert "saved manifest" in finding_view(replace(found, remedy=Remedy("Give one another podCIDR."))).undo


def test_coverage_counts_a_forbidden_topic_as_unanswered() -> None:
    taken = healthy(
        topics=[Topic.NODES],
        gaps=[Gap(Topic.PODS, "may not list pods", verb="list", resource="pods"), Gap(Topic.NODES, "odd object", node="w009")],
    )
    lines = {line.topic: line for line in coverage(taken)}
    assert (lines["pods"].asked, lines["pods"].answered, lines["pods"].missing) == (1, 0, (("", "may not list pods"),))
    assert lines["nodes"].missing == (("w009", "odd object"),)
    assert set(lines) == {"pods", "nodes"}


def test_a_kind_the_server_does_not_have_is_no_gap() -> None:
    taken = healthy()
    taken = replace(taken, readings={**taken.readings, Topic.SERVICES: Reading(at=NOW, absent=True)})
    line = next(line for line in coverage(taken) if line.topic == "services")
    assert (line.scope, line.missing) == ("not in this version of the server", ())


def test_the_effective_configuration_says_where_each_value_came_from() -> None:
    taken = healthy(control_plane_pods=[manager_pod("--cluster-cidr=10.244.0.0/12")])
    lines = {line.name: line for line in overview(Facts(taken), NOTHING, complete=True).configuration}
    assert lines["cluster-cidr"].value == "10.240.0.0/12 (written 10.244.0.0/12)"
    assert "kube-controller-manager" in lines["cluster-cidr"].origin
    assert lines["cluster-cidr"].sure == "yes"
    first = lines["cluster-cidr"].sources[0]
    assert (first.what, first.value) == ("in effect", "10.244.0.0/12")
    assert first.command.startswith("kubectl -n kube-system get pod kube-controller-manager")
    bare = overview(Facts(snapshot([])), NOTHING, complete=True)
    assert {line.sure for line in bare.configuration} == {"unknown"}
    assert all(line.value.startswith("unknown") for line in bare.configuration)


def texts_of(value: object) -> list[str]:
    """Every text inside a view."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for item in value for text in texts_of(item)]
    fields = getattr(value, "__struct_fields__", ())
    return [text for name in fields for text in texts_of(getattr(value, name))]


def test_no_text_of_a_hostile_cluster_reaches_a_view_as_it_is() -> None:
    facts = Facts(hostile())
    judgement = judge(facts)
    shown: Overview = overview(facts, judgement, complete=True)
    assert shown.findings
    for text in [*texts_of(shown), *(t for row in node_rows(facts, judgement) for t in texts_of(row))]:
        assert not FORBIDDEN & set(text), ascii(text)


def test_subjects_without_a_node_are_kept_apart_by_namespace() -> None:
    subjects = (Subject("Pod", "a", "x", "w1"), Subject("Pod", "a", "y", "w2"))
    view = finding_view(
        Finding(code="FLN112", slug="duplicate-pod-ip", severity=Severity.CRITICAL, subjects=subjects, summary="s")
    )
    assert view.subjects == (("Pod", "x", "a"), ("Pod", "y", "a"))
    assert view.nodes == ("w1", "w2")


def cost(number: int) -> float:
    """CPU seconds for the rows of so many Nodes with thirty pods each."""
    members = fleet(number)
    pods: list[Pod] = [pod(f"p{i}", member, f"10.250.{i}.1") for member in members for i in range(30)]
    facts = Facts(healthy(members, pods=pods, flannel_pods=[]))
    found = tuple(finding("FLN101", member.name) for member in members)
    node_rows(facts, Judgement(found, ()))  # works out what all views share
    started = time.process_time()
    node_rows(facts, Judgement(found, ()))
    return time.process_time() - started


def test_rows_cost_in_proportion_to_the_nodes() -> None:
    small, large = min(cost(100) for _ in range(3)), min(cost(1000) for _ in range(3))
    assert large < small * 10 * 4  # a square would be a hundred times as much


def test_consequences_of_one_code_are_told_together() -> None:
    follow = tuple(Consequence("FLN114", (node_subject(f"w{n:03d}"),), f"pods on w{n:03d} wait.") for n in range(1, 30))
    view = finding_view(
        Finding(code="FLN106", slug="s", severity=Severity.CRITICAL, subjects=(CLUSTER,), summary="x", consequences=follow)
    )
    assert view.consequences == (("FLN114", "w[001-029]", "pods on w001 wait. And 28 more like it."),)


def test_a_text_of_200_kb_is_cut_and_a_command_is_never_half() -> None:
    huge = "x" * 200_000
    proof = Evidence("backend-data", huge, "Node w001", f"kubectl get node {huge}")
    view = finding_view(
        Finding(
            code="FLN208",
            slug="s",
            severity=Severity.CRITICAL,
            subjects=(CLUSTER,),
            summary=huge,
            evidence=(proof,),
            remedy=Remedy(huge, (f"kubectl annotate node w001 {huge}", "kubectl get nodes")),
        )
    )
    assert len(view.summary) == len(view.evidence[0].value) == len(view.remedy) == 2000
    assert view.commands == ("# a command of 200,027 characters: flannelscope check -o json has it", "kubectl get nodes")
    assert view.evidence[0].command.startswith("# a command of 200,017 characters")


def test_that_no_flannel_was_found_is_said_only_where_it_was_looked_for() -> None:
    def said(*topics: Topic) -> tuple[str, ...]:
        facts = Facts(snapshot([node("w001", "10.244.1.0/24")], topics=topics))
        return overview(facts, judge(facts), complete=True).flannel

    assert said(Topic.NODES, Topic.DAEMONSETS) == ("none was found",)
    assert said(Topic.NODES)[0].startswith("not looked at")
