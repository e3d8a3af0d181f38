"""What the engine has to ask: shown in words, answered through the pipe, and never by an Enter too many."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from flannelscope import wire
from tests.tui.world import SaidEngine, console, reading, shown, told
from tui.app import FlannelScope
from tui.widgets.asking import Asking

PLAN = "40 nodes will be logged in to over SSH: cp[1-3] w[001-037]\nas ops; 40 through bastion"
LEAVE = wire.Asked(run=1, id="q1", kind="leave", host="40 nodes", text=PLAN)
PASSPHRASE = wire.Asked(
    run=1, id="q2", kind="passphrase", host="~/.ssh/id_ed25519", text="Passphrase of ~/.ssh/id_ed25519", secret=True
)


def asks(app: FlannelScope) -> bool:
    """Whether a question is open."""
    return isinstance(app.screen, Asking)


def replies(engine: SaidEngine) -> list[tuple[str, str | None]]:
    """What the engine was answered."""
    return [(asked.id, asked.text) for asked in engine.asked if isinstance(asked, wire.Reply)]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(("enter",), "no"), (("escape",), "no"), (("tab", "enter"), "yes"), (("q", "r", "1", "escape"), "no")],
)
async def test_leave_is_asked_with_all_that_will_be_done_and_enter_alone_gives_none(keys: tuple[str, ...], answer: str) -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, LEAVE)
        assert asks(app)
        assert "cp[1-3] w[001-037]" in shown(app) and "through bastion" in shown(app)
        await pilot.press(*keys)
        await pilot.pause()
        assert not asks(app)
        assert replies(engine) == [("q1", answer)]


async def test_a_passphrase_is_not_shown_and_goes_to_the_engine_alone() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, PASSPHRASE)
        await pilot.press(*"hunter2")
        await pilot.pause()
        assert app.screen.query_one(Input).value == "hunter2"
        assert "hunter2" not in shown(app) and "~/.ssh/id_ed25519" in shown(app)
        await pilot.press("enter")
        await pilot.pause()
    assert replies(engine) == [("q2", "hunter2")]
    assert "hunter2" not in repr(engine.asked[-1])
    assert "hunter2" not in "".join(app.commands)


async def test_several_questions_are_answered_one_after_the_other() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, LEAVE, PASSPHRASE)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, Asking) and app.screen.leave
        await pilot.press("tab", "enter")
        await pilot.pause()
    assert replies(engine) == [("q2", None), ("q1", "yes")]


async def test_a_question_goes_when_the_engine_went_on_without_an_answer() -> None:
    engine = SaidEngine()
    app: FlannelScope = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, LEAVE)
        await told(pilot, engine, *reading(), wire.Finished(run=1, seconds=130.0))
        assert not asks(app)
        assert replies(engine) == []


async def test_a_question_that_nobody_waits_for_any_more_goes_by_itself_and_the_others_stay() -> None:
    """While changes are followed nothing else tells that an answer would come too late."""
    engine = SaidEngine()
    app: FlannelScope = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, LEAVE, PASSPHRASE)
        await told(pilot, engine, wire.Withdrawn(run=1, id="q1"))
        assert isinstance(app.screen, Asking) and not app.screen.leave
        await pilot.press("escape")
        await pilot.pause()
        assert not asks(app)
        assert replies(engine) == [("q2", None)]


async def test_the_question_in_view_goes_when_it_is_withdrawn() -> None:
    engine = SaidEngine()
    app: FlannelScope = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, LEAVE, PASSPHRASE)
        await told(pilot, engine, wire.Withdrawn(run=1, id="q2"))
        assert isinstance(app.screen, Asking) and app.screen.leave
        assert replies(engine) == []
