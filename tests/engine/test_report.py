"""The report: what scripts may rely on in its JSON, what people read in its text, and that no text of the world escapes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flannelscope import simulated
from flannelscope.checks import all_checks
from flannelscope.errors import FlannelscopeError
from flannelscope.facts import Facts
from flannelscope.judge import Judgement, judge
from flannelscope.model import (
    Consequence,
    Evidence,
    Finding,
    Gap,
    Reading,
    Remedy,
    Severity,
    Snapshot,
    Subject,
    Topic,
    Unknown,
    node_subject,
)
from flannelscope.present import node_rows
from flannelscope.report import Report, Suppression, build, covering, moment
from flannelscope.report.document import document, encode, error
from flannelscope.report.markdown import code, escape, markdown
from flannelscope.report.metrics import metrics
from flannelscope.report.nodes import age, comma_separated, faulty, safe, table
from flannelscope.report.nodes import document as nodes_document
from flannelscope.report.plain import plain_text
from tests.engine.builders import NOW, announced, config_map, healthy, manager_pod, node
from tests.engine.hostile import FORBIDDEN, TEXTS, hostile

TWINS = Finding(
    code="FLN101",
    slug="duplicate-podcidr",
    severity=Severity.CRITICAL,
    subjects=(node_subject("w001"), node_subject("w002")),
    summary="w001 and w002 hold 10.244.1.0/24.",
    why="Traffic goes astray.",
    evidence=(Evidence("podCIDR of w001", "10.244.1.0/24", "Node w001, spec.podCIDRs", "kubectl get node w001"),),
    consequences=(Consequence("FLN112", (Subject("Pod", "a", "default", "w001"),), "10.244.1.7 is held twice"),),
    remedy=Remedy("Rebuild w002.", ("kubectl drain w002",), "One at a time."),
)
SKEW = Finding(
    code="FLN306",
    slug="flannel-version-skew",
    severity=Severity.INFO,
    subjects=(Subject("DaemonSet", "fl", "kube-flannel"),),
    summary="Two.",
)
UNSURE = Unknown("FLN203", ("w003",), "needs SSH")


def report(*suppress: Suppression, taken: Snapshot | None = None, found: tuple[Finding, ...] = (TWINS, SKEW)) -> Report:
    """A report of two findings and one unknown."""
    facts, hidden = Facts(taken or healthy()), covering(suppress)
    shown, suppressed = tuple(f for f in found if not hidden(f)), tuple(filter(hidden, found))
    return build(facts, Judgement(shown, (UNSURE,), ("FLN101", "FLN102", "FLN203", "FLN306"), suppressed), suppress)


STRING, NUMBER, LIST = str, int, list
SHAPE: dict[str, Any] = {
    "schema": NUMBER,
    "tool": STRING,
    "cluster": {"uid": STRING, "server": STRING, "context": STRING, "version": STRING, "nodes": NUMBER},
    "taken": STRING,
    "source": STRING,
    "coverage": [{"topic": STRING, "asked": NUMBER, "answered": NUMBER, "missing": [{"node": STRING, "reason": STRING}]}],
    "findings": [
        {
            "code": STRING,
            "slug": STRING,
            "severity": STRING,
            "subjects": [{"kind": STRING, "name": STRING}],
            "summary": STRING,
            "why": STRING,
            "evidence": [{"what": STRING, "value": STRING, "from": STRING, "command": STRING}],
            "consequences": [{"code": STRING, "subjects": [{"kind": STRING, "name": STRING}]}],
        }
    ],
    "unknown": [{"code": STRING, "nodes": [STRING], "reason": STRING}],
    "configuration": [
        {
            "setting": STRING,
            "value": STRING,
            "from": STRING,
            "sure": STRING,
            "sources": [{"what": STRING, "value": STRING, "from": STRING, "command": STRING}],
        }
    ],
}


def fits(value: Any, shape: Any, where: str = "document") -> None:
    """Fail unless `value` has every key of `shape`, each of its type; further keys are allowed."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), where
        for key, inner in shape.items():
            assert key in value, f"{where}.{key} is missing"
            fits(value[key], inner, f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for index, item in enumerate(value):
            fits(item, shape[0], f"{where}[{index}]")
    else:
        assert type(value) is shape, f"{where} is {value!r}"


def test_json_has_the_promised_keys() -> None:
    taken = healthy(gaps=[Gap(Topic.NODES, "odd object", node="w009")])
    said = json.loads(encode(document(report(taken=taken))))
    fits(said, SHAPE)
    assert said["schema"] == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said["taken"])
    assert [f["severity"] for f in said["findings"]] == ["critical", "info"]
    assert said["findings"][0]["remedy"]["summary"] == "Rebuild w002."
    assert "remedy" not in said["findings"][1]
    assert "namespace" not in said["findings"][0]["subjects"][0]
    assert said["findings"][1]["subjects"] == [{"kind": "DaemonSet", "name": "fl", "namespace": "kube-flannel"}]
    assert said["unknown"] == [{"code": "FLN203", "nodes": ["w003"], "reason": "needs SSH"}]
    nodes = next(line for line in said["coverage"] if line["topic"] == "nodes")
    assert nodes["missing"] == [{"node": "w009", "reason": "odd object"}]


def test_a_hostile_cluster_fits_the_promised_keys_too() -> None:
    facts = Facts(hostile())
    fits(json.loads(encode(document(build(facts, judge(facts))))), SHAPE)


def test_json_keeps_names_and_escapes_what_is_not_printable() -> None:
    said = encode(document(build(Facts(hostile()), judge(hostile()))))
    assert said.isascii()
    assert not {c for c in said if not c.isprintable()} - {"\n"}
    listed = encode(nodes_document(report(taken=hostile()), [(n.name, r) for n, r in named_rows(hostile())]))
    assert [item["name"] for item in json.loads(listed)["nodes"]] == [f"n{i:02d}{text}" for i, text in enumerate(TEXTS)]


def named_rows(taken: Snapshot) -> list[tuple[Any, Any]]:
    """Nodes with their rows."""
    facts = Facts(taken)
    return list(zip(taken.nodes, node_rows(facts, judge(facts)), strict=True))


def test_an_error_is_a_document_too() -> None:
    said = json.loads(encode(error(FlannelscopeError("no route", "10.0.0.1", "Look there."))))
    assert said == {"schema": 1, "error": {"what": "no route", "where": "10.0.0.1", "do": "Look there."}}


def test_text_tells_everything_about_a_finding() -> None:
    said = plain_text(report())
    for part in (
        "x FLN101 duplicate-podcidr (critical)  w001 w002",
        "w001 and w002 hold 10.244.1.0/24.",
        "Traffic goes astray.",
        "podCIDR of w001: 10.244.1.0/24  <- Node w001, spec.podCIDRs",
        "$ kubectl get node w001",
        "FLN112 Pod default/a - 10.244.1.7 is held twice",
        "Rebuild w002.",
        "$ kubectl drain w002",
        "One at a time.",
        "? FLN203 on w003: needs SSH",
        "Looked at",
        "Effective configuration",
        "cluster-cidr",
    ):
        assert part in said


CHANGES = re.compile(r"kubectl .*\b(annotate|apply|cordon|create|delete|drain|patch|replace|rollout|set)\b|crictl stop")


def test_every_form_says_how_a_remedy_that_changes_something_is_undone() -> None:
    made = report(taken=(facts := Facts(simulated.build("twins"))).snapshot, found=judge(facts).findings)
    text, shown = plain_text(made), markdown(made)
    changing = [f for f in document(made)["findings"] if any(map(CHANGES.match, f.get("remedy", {}).get("commands", ())))]
    assert changing
    for found in changing:
        told = found["remedy"]["undo"]
        assert told
        assert f"  undo      {told}" in text
        assert f"*How to undo it:* {escape(told)}" in shown


def test_a_remedy_that_changes_nothing_is_not_followed_by_how_to_undo_it() -> None:
    silent = replace(TWINS, code="FLN601", remedy=Remedy("See why.", ("kubectl describe node w001",)))
    made = report(found=(silent,))
    assert document(made)["findings"][0]["remedy"]["undo"] == ""
    assert "undo" not in plain_text(made) + markdown(made)


def test_every_form_says_who_else_says_something_of_a_setting() -> None:
    asked = "kubectl -n kube-system get configmap kubeadm-config -o yaml"
    old = config_map("kubeadm-config", {"ClusterConfiguration": "networking:\n  podSubnet: 10.99.0.0/16\n"})
    made = report(taken=healthy(control_plane_pods=[manager_pod("--cluster-cidr=10.244.0.0/16")], config_maps=[old]))
    (line,) = (line for line in document(made)["configuration"] if line["setting"] == "cluster-cidr")
    assert [(source["what"], source["value"]) for source in line["sources"]] == [
        ("in effect", "10.244.0.0/16"),
        ("contradicts", "10.99.0.0/16"),
    ]
    assert line["sources"][1]["command"] == asked
    assert "contradicts: 10.99.0.0/16  <- ConfigMap kube-system/kubeadm-config" in plain_text(made)
    assert f"$ {asked}" in plain_text(made)
    (row,) = (row for row in markdown(made).splitlines() if row.startswith("| cluster-cidr | contradicts | 10.99.0.0/16 |"))
    assert f"`{asked}`" in row


def test_sources_that_mean_the_same_agree_however_they_write_it() -> None:
    """kubeadm-config writes host bits and a blank; the Service's address is the first of the range in effect."""
    kubeadm = "networking:\n  podSubnet: 10.244.7.0/16, fd00:0::/56\n  serviceSubnet: 10.96.0.0/12\n"
    flags = ("--cluster-cidr=10.244.0.0/16,fd00::/56", "--service-cluster-ip-range=10.96.0.0/12")
    maps = [config_map("kubeadm-config", {"ClusterConfiguration": kubeadm})]
    made = report(taken=healthy(control_plane_pods=[manager_pod(*flags)], config_maps=maps))
    lines = [line for line in document(made)["configuration"] if line["setting"] in ("cluster-cidr", "service-cidr")]
    said = {(line["setting"], source["what"]) for line in lines for source in line["sources"] if "kubeadm" in source["from"]}
    assert said == {("cluster-cidr", "agrees"), ("service-cidr", "agrees")}
    assert "contradicts" not in plain_text(made)


def forms(made: Report) -> dict[str, str]:
    """Every text form."""
    rows = [row for _, row in named_rows(made.snapshot)]
    return {
        "text": plain_text(made),
        "markdown": markdown(made),
        "prometheus": metrics(made),
        "table": table(rows, NOW),
        "wide": table(rows, NOW, wide=True),
        "csv": comma_separated(rows, NOW),
    }


@pytest.mark.parametrize("form", ["text", "markdown", "prometheus", "table", "wide", "csv"])
def test_no_form_lets_a_hostile_text_through(form: str) -> None:
    facts = Facts(hostile())
    every = tuple(Suppression(code) for code in {f.code for f in judge(facts).findings} if code != "FLN101")
    for suppress in ((), every):
        said = forms(build(facts, judge(facts, suppressed=covering(suppress)), suppress))[form]
        allowed = {"\n", "\r"} if form == "csv" else {"\n"}
        assert not (FORBIDDEN - allowed) & set(said)


def test_a_table_line_is_one_node_whatever_its_name_holds() -> None:
    rows = [row for _, row in named_rows(hostile())]
    assert len(table(rows, NOW, wide=True).splitlines()) == len(rows) + 1


def test_suppressed_findings_are_counted_and_named() -> None:
    made = report(Suppression("FLN101", "w002"))
    assert [f.code for f in made.judgement.findings] == ["FLN306"]
    assert made.worst() is Severity.INFO
    assert "Suppressed: 1 finding" in plain_text(made)
    assert "w001 w002  (by FLN101=w002)" in plain_text(made)
    assert json.loads(encode(document(made)))["suppressed"][0]["by"] == "FLN101=w002"
    assert "flannelscope_suppressed_findings 1.0" in metrics(made)


@pytest.mark.parametrize(
    ("suppression", "hidden"),
    [
        (Suppression("FLN101"), True),
        (Suppression("FLN101", "w003"), False),
        (Suppression("FLN306", "kube-flannel/fl"), True),
        (Suppression("FLN306", "fl"), True),
        (Suppression("FLN204"), False),
    ],
)
def test_a_suppression_covers_its_code_and_subject(suppression: Suppression, hidden: bool) -> None:
    assert bool(report(suppression).suppressed) is hidden


def test_coverage_is_that_of_the_topic_that_answered_least() -> None:
    taken = healthy()
    readings = {**taken.readings, Topic.NODES: Reading(at=NOW, asked=40, answered=36), Topic.EVENTS: Reading(at=NOW)}
    assert report(taken=replace(taken, readings=readings)).covered() == 90.0
    assert report(taken=taken).covered() == 100.0
    assert report(taken=replace(taken, readings={Topic.NODES: Reading(at=NOW)}, gaps=(Gap(Topic.PODS, "403"),))).covered() == 0.0


def test_a_topic_that_a_check_needs_and_nobody_read_covers_nothing() -> None:
    """A file that holds Nodes alone: what was asked for came wholly, and yet FLN306 saw none of what it judges."""
    made = report(taken=replace(healthy(), readings={Topic.NODES: Reading(at=NOW, asked=2, answered=2)}))
    assert made.covered() == 0.0
    said = [(line["topic"], line["asked"], line["answered"]) for line in document(made)["coverage"]]
    assert said == [("nodes", 2, 2), ("flannel-pods", 1, 0)]
    assert 'flannelscope_coverage_ratio{topic="flannel-pods"} 0.0' in metrics(made)


def of_managed(**changes: Any) -> Snapshot:
    """A cluster whose control plane shows no pod, as managed ones do."""
    taken = healthy(control_plane_pods=[], **changes)
    return replace(taken, readings={**taken.readings, Topic.CONTROL_PLANE: Reading(at=NOW)})


def test_a_control_plane_that_shows_nothing_is_not_covered() -> None:
    """0 of 0: nobody looked at whether the controller manager runs, and FLN116 says so too."""
    taken = of_managed()
    made = build(Facts(taken), judge(taken))
    assert made.covered() == 0.0
    line = next(line for line in document(made)["coverage"] if line["topic"] == "control-plane")
    assert (line["asked"], line["answered"]) == (0, 0)
    assert line["missing"] == [{"node": "", "reason": "the controller manager is no pod of this cluster: it cannot be seen"}]
    assert "missing: the controller manager is no pod of this cluster" in plain_text(made)
    assert [u.reason for u in made.judgement.unknown if u.code == "FLN116"] == [line["missing"][0]["reason"]]


def test_a_control_plane_that_no_judged_check_needs_takes_no_coverage_away() -> None:
    taken = of_managed()
    assert build(Facts(taken), judge(taken, [c for c in all_checks() if c.code == "FLN101"])).covered() == 100.0


def test_no_event_and_no_policy_is_an_answer() -> None:
    taken = healthy()
    none = {topic: Reading(at=NOW) for topic in (Topic.EVENTS, Topic.POLICIES, Topic.PODS)}
    taken = replace(taken, readings={**taken.readings, **none})
    assert build(Facts(taken), judge(taken)).covered() == 100.0


def test_a_cluster_without_nodes_is_not_covered() -> None:
    taken = healthy([], control_plane_pods=[manager_pod()])
    taken = replace(taken, readings={**taken.readings, Topic.NODES: Reading(at=NOW)})
    made = build(Facts(taken), judge(taken))
    assert made.covered() == 0.0
    assert "there is no Node: nothing could be judged" in plain_text(made)


def test_consequences_of_what_is_suppressed_stand_for_themselves() -> None:
    """A full pool is known and accepted; that Nodes have no podCIDR because of it is still critical."""
    facts = Facts(simulated.build("exhausted", NOW))
    (cause,) = (f for f in judge(facts).findings if f.code == "FLN106")
    effects = {c.code for c in cause.consequences}
    suppress = (Suppression("FLN106"),)
    made = build(facts, judge(facts, suppressed=covering(suppress)), suppress)
    assert [item.finding.code for item in made.suppressed] == ["FLN106"]
    shown = {f.code for f in made.judgement.findings} | {c.code for f in made.judgement.findings for c in f.consequences}
    assert effects
    assert effects <= shown
    assert made.worst() is Severity.CRITICAL


def test_prometheus_tells_none_from_not_known() -> None:
    said = metrics(report())
    assert 'flannelscope_findings{code="FLN101",severity="critical",slug="duplicate-podcidr"} 1.0' in said
    assert 'flannelscope_finding_nodes{code="FLN101",severity="critical",slug="duplicate-podcidr"} 2.0' in said
    assert 'flannelscope_findings{code="FLN102",severity="critical",slug="overlapping-podcidr"} 0.0' in said
    assert 'flannelscope_findings{code="FLN203"' not in said
    assert 'flannelscope_check_unknown{code="FLN203"} 1.0' in said
    assert 'flannelscope_coverage_ratio{topic="nodes"} 1.0' in said


def test_markdown_shows_text_as_text() -> None:
    cell = replace(TWINS, summary="a | b <script> [x](y) `z` *w*", evidence=(Evidence("a|b", "c", "d", "echo `x` | y"),))
    said = markdown(report(found=(cell,)))
    assert r"a \| b \<script\> \[x\]\(y\) \`z\` \*w\*" in said
    row = next(line for line in said.splitlines() if line.startswith(r"| a\|b"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    assert code("a `b`") == "`` a `b` ``"


def test_the_node_table_has_its_columns() -> None:
    member = announced(node("w1", "10.244.1.0/24", ip="10.20.0.1"))
    rows = [row for _, row in named_rows(healthy([member]))]
    head, line = table(rows, NOW, wide=True).splitlines()
    titles = "NODE READY PODCIDR INTERNAL-IP PUBLIC-IP BACKEND VNI VTEP-MAC FLANNEL RESTARTS VERSION PODS AGE FINDINGS"
    assert head.split() == titles.split()
    assert line.split()[:6] == [".", "w1", "yes", "10.244.1.0/24", "10.20.0.1", "10.20.0.1"]
    assert "30d" in line
    assert not faulty(rows[0])
    assert faulty(replace(rows[0], glyph="?"))
    assert (
        comma_separated(rows, NOW).splitlines()[1].startswith("nothing-found,w1,yes,10.244.1.0/24,10.20.0.1,10.20.0.1,vxlan,1,")
    )


@pytest.mark.parametrize(("text", "shown"), [("=1+1", "'=1+1"), ("@x", "'@x"), ("w1", "w1"), ("", "")])
def test_a_spreadsheet_runs_nothing(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_ages_and_moments() -> None:
    assert [age(NOW - s, NOW) for s in (0, 59, 60, 3600, 86400 * 3, -5)] == ["0s", "59s", "1m", "1h", "3d", "0s"]
    assert age(None, NOW) == "?"
    assert moment(0.0) == ""
    assert moment(NOW) == "2026-09-21T14:13:20Z"


SCALARS = st.text() | st.integers(-(2**53), 2**53) | st.booleans() | st.none()


@given(st.dictionaries(st.text(), st.lists(SCALARS, max_size=4), max_size=3))
def test_documents_are_written_in_printable_ascii_and_read_back_as_they_were(said: dict[str, list[Any]]) -> None:
    text = encode(said)
    assert json.loads(text) == said
    assert text.replace("\n", "").isascii() and text.replace("\n", "").isprintable()


def test_a_path_that_is_no_utf8_can_be_named_in_a_document() -> None:
    path = b"/home/\xff/config".decode("utf-8", "surrogateescape")
    assert json.loads(encode({"where": path})) == {"where": path}
