"""Text from the world can say only what it says: nothing that moves a cursor, rings, colours, hides or reorders passes."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flannelscope.text import clean, clean_lines, count, fold, natural, spoken

NAMES = st.lists(st.from_regex(r"(w|node-|)[0-9]{1,4}(\.a|)", fullmatch=True), min_size=1, max_size=20)


def is_visible(character: str) -> bool:
    """No control (Cc), format (Cf: bidi, zero-width, tags), surrogate (Cs), line or paragraph separator."""
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


# Cf characters with a shape of their own: Arabic and other number signs. They are drawn and reorder nothing.
SHAPED = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")


@given(st.text(alphabet=st.characters()))
def test_nothing_invisible_passes_and_cleaning_again_changes_nothing(text: str) -> None:
    shown = clean(text)
    assert [c for c in shown if not is_visible(c) and c not in SHAPED] == []
    assert clean(shown) == shown
    assert shown.encode("utf-8").decode("utf-8") == shown


@given(st.text(), st.integers(1, 40))
def test_a_limit_holds_and_marks_the_cut(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert len(shown) <= limit
    assert shown == clean(text) or shown.endswith("…")


@given(st.text(alphabet=st.sampled_from("ab \n\r\x1b[31m\u202e\u2028")))
def test_lines_stay_lines(text: str) -> None:
    assert clean_lines(text).split("\n") == ([clean(line) for line in text.splitlines()] or [""])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("[/red] [fd00::1]:8472", "[/red] [fd00::1]:8472"),
        ("a\x1b[31mred\x1b[0m", "a\ufffdred\ufffd"),
        ("a\x9b2Jb", "a\ufffdb"),
        ("title \x1b]0;owned\x07end", "title \ufffdend"),
        ("copy \x1b]52;c;cm0gLXJm\x1b\\end", "copy \ufffdend"),
        ("two\r\nlines\tand a tab", "two lines and a tab"),
        ("abc\u202etxt.exe", "abc\ufffdtxt.exe"),
        ("zero\u200bwidth", "zero\ufffdwidth"),
        ("bell\x07", "bell\ufffd"),
        ("节点 Ω ü", "节点 Ω ü"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_natural_order_counts() -> None:
    assert sorted(["w10", "w9", "w1", "v2", "w9b"], key=natural) == ["v2", "w1", "w9", "w9b", "w10"]


def test_names_fold_into_ranges() -> None:
    assert fold(["w031", "w033", "w032"]) == "w[031-033]"
    assert fold(["cp1"]) == "cp1"
    assert fold(["a1", "b1", "c1"], most=2) == "a1 b1 and 1 more"
    assert fold(["w9", "w10", "w11"]) == "w[9-11]"
    assert fold(["w031", "w231"]) == "w031 w231", "two are read faster by name"
    assert fold(["w012", "w077", "w203"]) == "w[012,077,203]"
    assert fold(f"w{number}" for number in range(5000)) == "w[0-4999]"
    assert fold(f"w{number}" for number in range(0, 40, 2)) == "w[0,2,4,6,8,10,12,14,16,18,20,22,… 8 more]"


def test_what_a_fold_leaves_out_is_counted_by_name_and_not_by_group() -> None:
    six = ["cp", "n1", "n2", "old-1", "old-2", "old-3"]
    assert fold(six, most=3) == "cp n1 n2 and 3 more"
    assert fold(["a1", *(f"w{number}" for number in range(0, 40, 2))], most=1) == "a1 and 20 more"


@given(NAMES)
def test_folding_does_not_depend_on_the_order(names: list[str]) -> None:
    assert fold(names) == fold(tuple(reversed(names))) == fold(sorted(set(names)))


def test_slugs_are_spoken_in_the_terms_of_the_field() -> None:
    assert spoken("podcidr-outside-cluster-cidr") == "podCIDR outside cluster CIDR"
    assert spoken("vtep-mac-shared") == "VTEP MAC shared"


def test_counting() -> None:
    assert (count(1, "node"), count(2, "node"), count(0, "entry", "entries")) == ("1 node", "2 nodes", "0 entries")
