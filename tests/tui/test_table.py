"""Order and sieve of a table, as values."""

from __future__ import annotations

import pytest

from flannelscope.views import NodeRow
from screens.nodes import NodesPage, search_text
from tests.tui.world import NODES, console, node
from tui.table import Sieve, Table
from tui.words import sortable


def table(*rows: NodeRow) -> Table[NodeRow]:
    """The table of the node page."""
    return _filled(rows or NODES)


def _filled(rows: tuple[NodeRow, ...]) -> Table[NodeRow]:
    page = NodesPage()
    page.taken = 0.0
    made: Table[NodeRow] = Table(
        columns=page._columns(),
        identity=lambda row: row.name,
        text=search_text,
        fault=lambda row: row.glyph not in ".i",
        usual=lambda row: sortable(row.name),
    )
    made.put(rows)
    return made


def names(rows: Table[NodeRow]) -> list[str]:
    return [row.name for row in rows.shown]


def column(rows: Table[NodeRow], title: str) -> int:
    return next(index for index, each in enumerate(rows.columns) if each.title == title)


def test_names_sort_as_people_count() -> None:
    assert names(table()) == ["w9", "w10", "w031", "w120", "w231"]


def test_addresses_sort_by_number_and_a_second_time_reverses() -> None:
    rows = table(node("a", internal_ips=("10.0.0.10",)), node("b", internal_ips=("10.0.0.9",)), node("c", internal_ips=()))
    rows.sort_by(column(rows, "INTERNAL-IP"))
    assert names(rows) == ["b", "a", "c"]
    rows.sort_by(column(rows, "INTERNAL-IP"))
    assert names(rows) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("10.244.31", ["w031", "w231"]),
        ("FLN101", ["w031", "w231"]),
        ("!fln101", ["w9", "w10", "w120"]),
        ("re:^w\\d ", ["w9"]),
        ("!re:w\\d{3}", ["w9", "w10"]),
        ("", ["w9", "w10", "w031", "w120", "w231"]),
        ("!", ["w9", "w10", "w031", "w120", "w231"]),
        ("re:", ["w9", "w10", "w031", "w120", "w231"]),
        ("re:(", ["w9", "w10", "w031", "w120", "w231"]),
    ],
)
def test_the_filter(written: str, left: list[str]) -> None:
    rows = table()
    rows.sift(written)
    assert names(rows) == left


def test_a_wrong_expression_says_so_and_hides_nothing() -> None:
    assert "not a regular expression" in Sieve.of("re:(").error


def test_faults_only_keeps_what_is_unknown() -> None:
    rows = table()
    rows.faults_only = True
    rows.arrange()
    assert names(rows) == ["w031", "w120", "w231"]


def test_a_changed_row_is_sorted_and_sifted_anew() -> None:
    rows = table(node("a", backend="vxlan"), node("b", backend="udp"))
    rows.sift("vxlan")
    rows.put((node("a", backend="udp"), node("b", backend="vxlan")))
    assert names(rows) == ["b"]


def test_every_table_sorts_by_letters_that_stand_in_the_titles() -> None:
    from screens.findings import FINDINGS, UNKNOWN

    assert console().pages  # the pages are there
    for columns in (table().columns, FINDINGS, UNKNOWN):
        letters = [each.letter for each in columns]
        assert len(set(letters)) == len(letters)
        assert all(each.letter in each.title.upper() for each in columns)
