"""Keys that come in one burst, as a fast hand, a slow line or a paste sends them: none is lost, none is taken out of its turn."""

from __future__ import annotations

import pytest
from textual import events
from textual.pilot import Pilot

from tests.tui.world import SaidEngine, console, reading, shown, told
from tui.app import FlannelScope
from tui.widgets.prompt import Prompt
from tui.widgets.rows import Rows

NAMED = {
    "/": "slash",
    ":": "colon",
    " ": "space",
    "\r": "enter",
    "\t": "tab",
    "\x1b": "escape",
    "\x15": "ctrl+u",
    "\x7f": "backspace",
}


async def burst(pilot: Pilot[int], typed: str) -> None:
    """All keys at once, as if read in one piece; then until the last was worked through."""
    for letter in typed:
        pilot.app.post_message(events.Key(NAMED.get(letter, letter), letter if letter.isprintable() else None))
    for _ in range(4):  # from the app to a widget, back, and what follows from it on the next screen
        await pilot.pause()


@pytest.mark.parametrize(
    ("typed", "comes"),
    [
        ("2/w9\r\r", "Node w9"),  # the second Enter opens the row that the filter left
        ("2/w2\x1531.0\r", "Nodes  2 of 5  /31.0"),  # Ctrl-U takes what stands before it, not what comes after
        ("2/w22\x7f\x7f9\r", "Nodes  1 of 5  /w9"),
        ("2/w9\x1b", "Nodes  5 of 5"),
        ("2/w9\r/\x15w10\r", "Nodes  1 of 5  /w10"),
        (":node w10\r", "Node w10"),
        (":nodes /w9\r/\x15w10\r", "Nodes  1 of 5  /w10"),
        (":findi\t\t\r", "Findings  "),
        ("2jj/w\r", "Nodes  5 of 5  /w"),
        ("2Sn\r", "Node w9"),  # sorted by name: w9, w10, w031 …
    ],
)
async def test_keys_typed_ahead_are_taken_in_their_order(typed: str, comes: str) -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await told(pilot, engine, *reading())
        await burst(pilot, typed)
        assert comes in shown(app)
        assert not app.screen.query(Prompt)


async def test_rows_move_by_keys_that_came_before_the_filter_was_asked_for() -> None:
    engine = SaidEngine()
    app: FlannelScope = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await told(pilot, engine, *reading())
        await burst(pilot, "2jj/")
        assert app.screen.query_one("#nodes", Rows).cursor == 2
