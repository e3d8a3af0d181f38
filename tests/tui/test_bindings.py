"""Keys are promises: every one has an id that a keymap can name, and help that says what it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from textual.binding import Binding

from tests.tui.world import SaidEngine, console, reading, told
from tui.app import FlannelScope
from tui.page import Detail, Page
from tui.registry import details, pages
from tui.widgets.document import Document
from tui.widgets.leave import Leave
from tui.widgets.prompt import Prompt
from tui.widgets.rows import Rows


def ours(app: FlannelScope) -> Iterator[Binding]:
    """Every binding that this program makes; those Textual brings have no id."""
    for found in app._bindings.key_to_bindings.values():
        yield from (binding for binding in found if binding.id)
    for owner in (Rows, Document, Leave, Prompt, Page, Detail, *pages().values(), *details().values()):
        own = owner.__dict__.get("BINDINGS", ())
        yield from (binding for binding in Binding.make_bindings(own) if binding.id)


def test_ids_are_unique_to_an_action() -> None:
    actions = {(binding.id, binding.action) for binding in ours(console())}
    assert [name for name, number in Counter(name for name, _ in actions).items() if number > 1] == []


def test_everything_in_the_help_says_what_it_does() -> None:
    silent = [binding.id for binding in ours(console()) if not binding.system and not (binding.description and binding.tooltip)]
    assert silent == []


def test_every_key_of_ours_can_be_named() -> None:
    for owner in (FlannelScope, Rows, Document, Leave, Prompt, Detail):
        assert all(isinstance(binding, Binding) and binding.id for binding in owner.__dict__["BINDINGS"])


@pytest.mark.parametrize("mode", list(pages()))
async def test_no_key_means_two_things_on_a_page(mode: str) -> None:
    app = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.action_page(mode)
        await pilot.pause()
        keys = [key for node in (app.focused, app.screen) if node is not None for key in node._bindings.key_to_bindings]
        above = app._bindings.key_to_bindings
        clashes = {key for key in keys if key in above and not key.startswith(("ctrl+", "tab", "shift+"))}
        assert clashes == set()


async def test_a_keymap_changes_a_key_and_what_the_last_line_says() -> None:
    engine = SaidEngine()
    app = console(engine, keys={"page.nodes": "n", "table.faults": "F"})
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("n")
        await pilot.pause()
        assert app.current_mode == "nodes"
        await pilot.press("F")
        assert app.screen.query_one(Rows).table.faults_only
        await pilot.press("1", "2")
        assert app.current_mode == "overview"


def test_details_and_pages_are_found_by_name() -> None:
    assert list(pages()) == ["overview", "nodes", "mesh", "findings", "changed", "outliers", "requests"]
    assert set(details()) == {"node", "pair", "finding", "setting"}
