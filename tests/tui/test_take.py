"""The State after what the engine says: a pure function, tested without a screen."""

from __future__ import annotations

from flannelscope import wire
from tests.tui.world import NODES, REQUESTS, TWINS, finding, node, overview, reading
from tui.state import MOST_REQUESTS, Phase, State
from tui.take import begin, take_all

FIRST = begin(State(), 1)


def test_a_whole_reading_arrives() -> None:
    state = take_all(FIRST, reading())
    assert list(state.rows) == [row.name for row in NODES]
    assert state.findings == (TWINS,)
    assert state.phase is Phase.FINISHED
    assert state.followed


def test_what_an_older_reading_says_is_dropped() -> None:
    state = begin(take_all(FIRST, reading()), 2)
    assert take_all(state, [wire.Failed(run=1, what="late")]) is state


def test_a_new_reading_keeps_what_is_known_until_it_is_replaced() -> None:
    state = begin(take_all(FIRST, reading()), 2)
    assert state.phase is Phase.READING
    assert len(state.rows) == len(NODES)
    replaced = take_all(state, [wire.Rows(run=2, rows=(node("w1"),), first=True, last=True)])
    assert list(replaced.rows) == ["w1"]


def test_changed_rows_replace_and_removed_rows_go() -> None:
    state = take_all(FIRST, reading())
    change = wire.Rows(run=1, rows=(node("w9", glyph="x"),), removed=("w10",), last=True)
    state = take_all(state, [change])
    assert state.rows["w9"].glyph == "x"
    assert "w10" not in state.rows


def test_findings_come_in_the_order_of_the_judgement_and_go_with_it() -> None:
    mild = finding("FLN203", "w9", severity=1)
    state = take_all(FIRST, reading(findings=(TWINS, mild)))
    assert [f.code for f in state.findings] == ["FLN101", "FLN203"]
    state = take_all(state, [wire.Judged(run=1, overview=overview(), keys=(mild.key,))])
    assert state.findings == (mild,)
    assert list(state.known) == [mild.key]


def test_a_failure_after_data_makes_it_stale() -> None:
    state = take_all(take_all(FIRST, reading()), [wire.Failed(run=1, what="The server is gone.")])
    assert (state.phase, state.stale) == (Phase.FAILED, True)


def test_the_request_log_is_bounded() -> None:
    state = take_all(FIRST, [wire.Requested(run=1, requests=REQUESTS * MOST_REQUESTS)])
    assert len(state.requests) == MOST_REQUESTS
