"""The catalogue is a promise: every code has a check or waits for something, under its own name, and swallowing ends."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import flannelscope.checks as checks
from flannelscope.catalogue import find, listing, listing_document
from flannelscope.checks import ONLY_LOOKS, Check, all_checks, planned
from flannelscope.errors import UsageError

CATALOGUE = Path(__file__).parents[1] / "data" / "catalogue.txt"
SECTIONS = ("How it is known", "How to see it", "What to do", "How to undo it")


class Entry:
    """One line of the catalogue."""

    def __init__(self, line: str) -> None:
        self.code, self.slug, severities, swallows = line.split()
        self.severities = severities.split(",")
        self.swallows = frozenset() if swallows == "-" else frozenset(swallows.split(","))


@cache
def catalogue() -> dict[str, Entry]:
    """Entries by code."""
    lines = CATALOGUE.read_text("utf-8").splitlines()
    return {entry.code: entry for entry in (Entry(line) for line in lines if line.startswith("FLN"))}


def modules() -> Iterator[tuple[str, Check]]:
    """Every check with the name of its module."""
    for module in iter_modules(checks.__path__):
        for value in vars(import_module(f"flannelscope.checks.{module.name}")).values():
            if isinstance(value, Check):
                yield module.name, value


def test_every_code_has_a_check_or_is_planned_and_never_both() -> None:
    made = {check.code for check in all_checks()}
    assert made | set(planned()) == set(catalogue())
    assert not made & set(planned())


def test_a_planned_code_says_its_name_its_severities_and_what_it_waits_for() -> None:
    for code, text in planned().items():
        head, _, waits = text.partition(": waits for ")
        slug, severities = head.split()
        assert slug == catalogue()[code].slug
        assert severities.split(",") == catalogue()[code].severities
        assert waits.startswith("issue "), text


def test_all_codes_are_listed_by_hundreds_and_planned_ones_are_not_shown_as_judged() -> None:
    lines = listing().splitlines()
    shown = {line.split()[0]: line for line in lines if line.startswith("  FLN")}
    assert list(shown) == sorted(catalogue())
    assert [line.split()[0] for line in lines if line[:1].isdigit() and "xx " in line] == [f"{n}xx" for n in range(1, 7)]
    for code, line in shown.items():
        assert catalogue()[code].slug in line
        assert catalogue()[code].severities[0] in line or code in {check.code for check in all_checks()}
        assert line.endswith("(planned)") is (code in planned())
    assert f"{len(all_checks())} codes are judged in this version, {len(planned())} are planned" in lines[-2]


def test_the_list_is_a_document_too() -> None:
    codes = {item["code"]: item for item in listing_document()["codes"]}
    assert set(codes) == set(catalogue())
    assert {code for code, item in codes.items() if item["planned"]} == set(planned())
    assert codes["FLN101"]["title"] == "duplicate podCIDR"
    assert codes["FLN302"]["severities"] == ["critical", "info"]
    assert "waits_for" in codes["FLN302"] and "waits_for" not in codes["FLN101"]


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: str(check.code))
def test_a_check_is_as_the_catalogue_promises(check: Check) -> None:
    entry = catalogue()[check.code]
    assert check.slug == entry.slug
    assert check.severity.name.lower() in entry.severities
    assert frozenset(check.swallows) == entry.swallows


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: str(check.code))
def test_a_check_explains_itself(check: Check) -> None:
    lines = check.explanation.splitlines()
    places = [lines.index(section) for section in SECTIONS]
    assert places == sorted(places)
    assert len(check.why) > 60
    assert all(lines[place + 1] == "" and lines[place + 2] for place in places)
    assert (check.undo or ONLY_LOOKS) == " ".join(" ".join(lines[places[-1] + 1 :]).split())  # one paragraph: a screen shows it
    seen = lines[places[1] : places[2]]
    assert any(line.startswith(("    kubectl ", "    flannelscope ")) for line in seen)
    said = " ".join(line for line in lines if line and not line.startswith("    ") and line not in SECTIONS)
    assert "  " not in said
    for paragraph in check.explanation.split("\n\n"):
        if paragraph not in SECTIONS and not paragraph.startswith("    "):
            assert paragraph.rstrip().endswith((".", ":")), f"no whole sentence: {paragraph[-60:]}"


def test_a_check_is_a_file_named_after_it() -> None:
    for module, check in modules():
        assert module == f"{check.code.lower()}_{check.slug.replace('-', '_')}"


def test_swallowing_has_no_cycle() -> None:
    """Walks from every code along what it swallows; coming back to where it started would fold findings away for ever."""
    swallows = {code: entry.swallows for code, entry in catalogue().items()}
    swallows.update({check.code: frozenset(check.swallows) for check in all_checks()})
    finished: set[str] = set()

    def walk(code: str, path: tuple[str, ...]) -> None:
        assert code not in path, " swallows ".join((*path, code))
        if code not in finished:
            for effect in swallows[code]:
                walk(effect, (*path, code))
            finished.add(code)

    for code in swallows:
        walk(code, ())


def test_only_codes_of_the_catalogue_are_swallowed() -> None:
    for entry in catalogue().values():
        assert entry.swallows <= set(catalogue())


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("FLN199", "Did you mean FLN109 or FLN119?"),
        ("fln011", "Did you mean FLN101 or FLN111 or FLN311?"),
        ("duplicate-podcdr", "Did you mean duplicate-podcidr or duplicate-pod-ip?"),
        ("FLN999", "flannelscope explain lists all codes."),
        ("FLN1010", "flannelscope explain lists all codes."),
        ("banana", "flannelscope explain lists all codes."),
        ("", "flannelscope explain lists all codes."),
    ],
)
def test_a_mistyped_code_is_answered_by_codes_that_are_near_or_by_none(typed: str, suggested: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(typed)
    assert caught.value.do == suggested
