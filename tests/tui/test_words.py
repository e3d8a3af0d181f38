"""How things are written: to fit, to be read in any terminal, and never longer than there is room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flannelscope.text import clean
from tests.tui.world import NOON
from tui.widgets.paint import cropped, width_of, wrap
from tui.words import age, amount, clock, fit, middle, speaks_utf8, to_ascii


def test_a_name_is_cut_in_the_middle_because_both_ends_tell() -> None:
    assert middle("ip-10-20-30-41.eu-west-1.compute.internal", 16) == "ip-10-20…nternal"
    assert middle("w031", 16) == "w031"


def test_times_say_their_zone_and_old_ones_their_date() -> None:
    assert clock(NOON, utc=True) == "03:12:44Z"
    assert clock(NOON, utc=True, now=NOON + 86400) == "2026-11-22 03:12:44Z"


def test_ages_are_as_kubectl_says_them() -> None:
    assert [age(seconds) for seconds in (None, -3, 45, 700, 3 * 3600, 210 * 86400, 4 * 366 * 86400)] == [
        "-",
        "0s",
        "45s",
        "11m",
        "3h",
        "210d",
        "4y",
    ]


def test_amounts() -> None:
    assert [amount(size) for size in (0, 812, 4_100, 12_000_000, 3_400_000_000)] == ["0 B", "812 B", "4.1 kB", "12 MB", "3.4 GB"]


def test_where_the_locale_is_not_utf8_or_the_font_is_small_ascii_is_spoken() -> None:
    assert speaks_utf8({"LANG": "de_DE.UTF-8"})
    assert not speaks_utf8({})
    assert not speaks_utf8({"LC_ALL": "C", "LANG": "de_DE.UTF-8"})
    assert not speaks_utf8({"LANG": "C", "LC_CTYPE": "C.UTF-8"})  # what Python makes of LANG=C by itself
    assert not speaks_utf8({"LANG": "C.UTF-8", "TERM": "linux"})


@given(st.text())
def test_ascii_takes_as_many_cells(text: str) -> None:
    text = clean(text)
    assert to_ascii(text).isascii()
    assert len(to_ascii(text)) == cell_len(text)


@given(st.text(), st.integers(1, 40))
def test_fit_is_exact(text: str, width: int) -> None:
    assert cell_len(fit(clean(text), width)) == width


@given(st.text(), st.integers(1, 40))
def test_middle_never_exceeds(text: str, width: int) -> None:
    assert cell_len(middle(clean(text), width)) <= width


@given(st.lists(st.tuples(st.text(), st.sampled_from(["", "bad"]))), st.integers(10, 60), st.integers(0, 6))
def test_wrapped_lines_fit_and_lose_only_blanks(spans: list[tuple[str, str]], width: int, indent: int) -> None:
    lines = wrap(spans, width, indent)
    assert all(width_of(line) <= max(width, indent + 8) for line in lines)
    said = "".join(text for line in lines for text, _ in line)
    assert said.replace(" ", "") == "".join(clean(text) for text, _ in spans).replace(" ", "")


@given(st.lists(st.tuples(st.text(), st.just(""))), st.integers(1, 30))
def test_cropped_spans_fit(spans: list[tuple[str, str]], width: int) -> None:
    assert width_of(cropped([(clean(text), role) for text, role in spans], width)) <= width
