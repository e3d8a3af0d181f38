"""Faults, decoys and incidents as files: names, codes and what a truth table would need; no lab is touched."""

from __future__ import annotations

import re
from pathlib import Path
from pkgutil import iter_modules
from random import Random

import pytest

from tests.lab import decoys, faults, incidents
from tests.lab.capabilities import TRIALS
from tests.lab.choosing import selected
from tests.lab.decoys import all_decoys
from tests.lab.faults import Fault, Victims, all_faults
from tests.lab.incidents import all_incidents
from tests.lab.judging import judge
from tests.lab.reports import Object
from tests.lab.settings import KINDS
from tests.lab.truth import Row, pairs, table

CATALOGUE = set(re.findall(r"^(FLN\d{3})\b", (Path(__file__).parents[1] / "data/catalogue.txt").read_text(), re.MULTILINE))
BASES = {"hands", "state", "bare", "kernel", "announcing", "daemonset_change"}  # what faults share; the rest are faults
STAGED = [*all_faults().values(), *all_decoys().values()]


def test_every_file_holds_one() -> None:
    assert len(all_faults()) == len({module.name for module in iter_modules(faults.__path__)} - BASES)
    assert len(all_decoys()) == len(list(iter_modules(decoys.__path__)))
    assert len(all_incidents()) == len(list(iter_modules(incidents.__path__)))


def test_names_are_nobodys_else() -> None:
    assert not all_faults().keys() & all_decoys().keys()
    assert not all_incidents().keys() & all_faults().keys()


@pytest.mark.parametrize("fault", STAGED, ids=lambda fault: fault.NAME)
def test_a_fault_says_what_it_is(fault: Fault) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", fault.NAME)
    assert fault.BREAKS
    assert {*fault.FINDINGS, *fault.ALSO} <= CATALOGUE
    found_or_not_and_why = bool(fault.FINDINGS) != bool(fault.UNCODED)
    assert found_or_not_and_why is (fault.NAME in all_faults()), "a fault is found by something, a decoy by nothing"
    assert fault.KINDS
    assert set(fault.KINDS) <= KINDS.keys()
    assert set(fault.NEEDS) <= {trial.name for trial in TRIALS}


@pytest.mark.parametrize("name", [f"{fault.NAME}:{variant}" for fault in STAGED for variant in fault.VARIANTS])
def test_a_variant_is_asked_for_by_name(name: str) -> None:
    fault = selected([name], "vxlan")[name]

    assert fault.title == name
    assert fault.pick(Random(1)) == fault.pick(Random(2)) == fault.variant


@pytest.mark.parametrize("name", ["no-such-fault", "forward-dropped:ebtables", "route-deleted:twice"])
def test_what_there_is_not_cannot_be_asked_for(name: str) -> None:
    with pytest.raises(ValueError, match="there are"):
        selected([name], "vxlan")


def test_a_lab_is_given_what_its_kind_can_show() -> None:
    assert "fdb-wrong" not in selected([], "host-gw")
    assert "survivor-cut-off" in selected([], "host-gw")
    with pytest.raises(ValueError, match="host-gw"):
        selected(["fdb-wrong"], "host-gw")


@pytest.mark.parametrize("name", all_incidents())
def test_an_incident_is_found_by_codes_of_the_catalogue(name: str) -> None:
    assert set(all_incidents()[name].FINDINGS) <= CATALOGUE


def finding(code: str, *nodes: str, severity: str = "critical") -> Object:
    subjects = [{"kind": "Node", "name": node} for node in nodes]
    return {"code": code, "severity": severity, "subjects": subjects, "consequences": []}


def test_found_is_the_right_code_about_the_right_nodes() -> None:
    report = {
        "findings": [finding("FLN101", "n1", "n2"), finding("FLN204", "n3")],
        "unknown": [{"code": "FLN207", "nodes": ["n1"]}],
    }
    verdict = judge(report, {"FLN101": frozenset({"n1", "n2"}), "FLN204": frozenset({"n1", "n3"}), "FLN207": frozenset({"n1"})})

    assert verdict.found == ("FLN101",)
    assert verdict.missed == ("FLN204", "FLN207")
    assert verdict.false == ("FLN204(n3)",)
    assert verdict.unknown == ("FLN207",)


def test_of_two_faults_on_the_same_nodes_one_may_stand_inside_the_other() -> None:
    twins = finding("FLN101", "n1", "n2") | {"consequences": [finding("FLN204", "n1", "n2")]}
    both = {"FLN101": frozenset({"n1", "n2"}), "FLN204": frozenset({"n1", "n2"})}
    assert judge({"findings": [twins], "unknown": []}, both).found == ("FLN101", "FLN204")
    assert judge({"findings": [twins], "unknown": []}, {"FLN204": both["FLN204"]}).missed == ("FLN204",)


def test_what_is_only_worth_knowing_is_not_false() -> None:
    report = {"findings": [finding("FLN601", "n1", severity="info"), finding("FLN107", severity="warning")], "unknown": []}
    assert judge(report, {}, frozenset({"FLN107"})).false == ()


def test_the_table_ends_with_recall_and_precision() -> None:
    report = {"findings": [finding("FLN101", "n1"), finding("FLN999", "n2")], "unknown": []}
    rows = [Row("one", 1, "n1", judge(report, {"FLN101": frozenset({"n1"}), "FLN401": frozenset({"n1"})}), 1.5)]
    assert [line.split() for line in table(rows)][-2:] == [
        ["recall", "1", "of", "2", "(50", "%)"], ["precision", "1", "of", "2", "(50", "%)"],
    ]  # fmt: skip


def test_pairs_are_of_different_faults_and_follow_from_the_seed() -> None:
    drawn = list(pairs(all_faults(), 10, 3))
    assert all(first is not second and first.PAIRS and second.PAIRS for first, second in drawn)
    assert drawn == list(pairs(all_faults(), 10, 3))


def test_victims_are_shown_by_name() -> None:
    assert str(Victims(("n1", "n2"))) == "n1 n2"
