"""`r`: while changes are followed only what no watch tells of is read again; an end of the following is said on every screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flannelscope import wire
from tests.tui.world import NOON, TWINS, SaidEngine, console, overview, reading, shown, told
from tui.state import Phase, State
from tui.take import begin, take_all
from tui.waiting import read_again
from tui.widgets.lines import HeadLine

ANSWERED = wire.Refreshed(run=1, lists_in=400.0)
WATCHING = ("watching", "")


def watched(**states: str) -> State:
    """A whole reading, and how watches stand after it."""
    states = {"nodes": "watching", "pods": "watching"} | states
    event = wire.WatchStates(run=1, states={topic: (state, "") for topic, state in states.items()})
    return take_all(take_all(begin(State(), 1), reading()), [event])


async def test_r_asks_for_what_is_not_watched_and_everything_stays_in_view() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("r", "r")
        assert engine.asked[1:] == [engine.asked[-1]]  # asked once
        assert isinstance(engine.asked[-1], wire.Refresh)
        assert engine.asked[-1].run == 1
        assert app.store.state.phase is Phase.FINISHED
        assert len(app.store.state.rows) == 5
        assert "reading again · api 03:12:44Z" in app.screen.query_one(HeadLine).text
        later = wire.Judged(run=1, overview=overview(taken=NOON + 30), keys=(TWINS.key,))
        await told(pilot, engine, ANSWERED, later)
        assert app.screen.query_one(HeadLine).text.endswith("read-only · api 03:13:14Z")


async def test_the_answer_says_what_was_read_again_and_when_all_of_it_may_be() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading(), wire.WatchStates(run=1, states={"pods": WATCHING}))
        await pilot.press("2", "r")
        await told(pilot, engine, ANSWERED)
        await pilot.pause()
        (notice,) = app.notices
        assert notice.text == read_again(app.store.state, ANSWERED)
        assert "Read again what is not watched." in shown(app)


async def test_where_there_is_nothing_to_go_on_from_everything_is_read_anew() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("r")
        await told(pilot, engine, wire.Declined(run=1))
        assert isinstance(engine.asked[-1], wire.Reread)
        assert engine.asked[-1].run == 2
        assert app.store.state.phase is Phase.READING
        assert len(app.store.state.rows) == 5


async def test_a_first_reading_is_not_begun_anew_by_r() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("r")
        await pilot.pause()
        assert [type(request) for request in engine.asked] == [wire.Start]
        assert "Still reading. x stops it." in shown(app)
        await pilot.press("x", "r")
        assert isinstance(engine.asked[-1], wire.Reread)


async def test_a_failure_while_changes_are_followed_is_said_on_every_screen_and_r_reads_anew() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("2")
        failed = wire.Failed(run=1, what="The API server does not accept these credentials (401).", do="Log in again.")
        await told(pilot, engine, failed)
        await pilot.pause()
        assert "does not accept these credentials" in shown(app)
        assert "Press r to read again." in " ".join(shown(app).split())
        assert "stale" in app.screen.query_one(HeadLine).text
        await pilot.press("r")
        assert isinstance(engine.asked[-1], wire.Reread)


@pytest.mark.parametrize(
    ("state", "lists_in", "failed", "said"),
    [
        (
            watched(),
            400.0,
            "",
            "Read again what is not watched. Nodes and pods are followed live. In 7 min r may list all of it anew.",
        ),
        (
            watched(pods="reconnecting"),
            3.0,
            "",
            "Read again what is not watched. Nodes are followed live. The watch of pods is reconnecting. "
            "In 1 min r may list all of it anew.",
        ),
        (
            watched(nodes="off"),
            400.0,
            "",
            "Read again what is not watched. Pods are followed live. Nodes were listed, for they cannot be followed. "
            "In 7 min r may list all of it anew.",
        ),
        (watched(), 400.0, "The API server cannot be reached.", "Could not read again: The API server cannot be reached."),
    ],
)
def test_the_words_of_the_answer(state: State, lists_in: float, failed: str, said: str) -> None:
    assert read_again(state, wire.Refreshed(run=1, lists_in=lists_in, failed=failed)) == said


async def test_nodes_that_are_not_followed_are_said_in_the_first_line() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading(), wire.WatchStates(run=1, states={"events": ("off", "forbidden")}))
        assert app.screen.query_one(HeadLine).text.endswith("read-only · api 03:12:44Z")
        await told(pilot, engine, wire.WatchStates(run=1, states={"nodes": ("off", "forbidden")}))
        assert "nodes not followed · api 03:12:44Z" in app.screen.query_one(HeadLine).text


def test_what_is_judged_after_a_failure_is_no_newer_for_that() -> None:
    state = take_all(watched(), [wire.Failed(run=1, what="gone"), wire.Judged(run=1, overview=overview(), keys=())])
    assert state.stale
    assert not take_all(begin(state, 2), [wire.Judged(run=2, overview=overview(), keys=())]).stale


def test_stale_data_is_fresh_again_when_its_nodes_are_followed_again() -> None:
    cut = replace(watched(nodes="reconnecting"), stale=True)
    assert take_all(cut, [wire.Judged(run=1, overview=overview(), keys=())]).stale  # other topics go on, the Nodes are old
    assert not take_all(cut, [wire.WatchStates(run=1, states={"nodes": WATCHING})]).stale


def test_nodes_that_cannot_be_followed_are_fresh_when_they_were_listed() -> None:
    old = replace(watched(nodes="off"), stale=True)
    assert not take_all(old, [ANSWERED]).stale
    assert take_all(old, [wire.Refreshed(run=1, lists_in=400.0, failed="The API server cannot be reached.")]).stale
    assert take_all(replace(watched(nodes="reconnecting"), stale=True), [ANSWERED]).stale


@pytest.mark.parametrize("event", [ANSWERED, wire.Declined(run=1), wire.Failed(run=1, what="gone")])
def test_every_answer_ends_the_asking(event: wire.Event) -> None:
    assert not take_all(replace(watched(), refreshing=True), [event]).refreshing
