"""Findings that come while somebody types, and many of one code."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.pilot import Pilot

from flannelscope.views import FindingView
from screens.finding import FindingPage
from screens.findings import FindingsPage
from tests.tui.world import SaidEngine, console, finding, overview, reading, shown, told
from tui.app import FlannelScope
from tui.widgets.document import Document
from tui.widgets.rows import Rows

FEW = (finding("FLN203", "w9", severity=1, slug="public-ip-wrong"),)
SILENT = tuple(finding("FLN601", f"w{n}", severity=2, slug="node-not-ready", summary=f"w{n} is silent.") for n in range(40, 58))
LATE = finding("FLN604", "w120", severity=2, slug="left-over-node")


def item(app: FlannelScope) -> str:
    """What Enter would open on the page in view."""
    page = app.screen.query_one(Document)
    return page.blocks[page.cursor].item


async def judged(pilot: Pilot[int], engine: SaidEngine, *findings: FindingView) -> None:
    await told(pilot, engine, *reading(findings=findings))


def codes(rows: Rows[FindingView]) -> list[str]:
    return [row.code for row in rows.table.shown]


@pytest.mark.parametrize("before", [(), FEW, (FEW[0], LATE)], ids=["settings only", "one finding", "two"])
async def test_a_cursor_that_nobody_moved_stays_at_the_top(before: Sequence[FindingView]) -> None:
    """Enter means the first line, also where what stands there has just changed."""
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await judged(pilot, engine, *before)
        await judged(pilot, engine, finding("FLN101", "w031", "w231"), *before)
        assert item(app) == "code FLN101"
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, FindingPage)
        assert "w031 and w231 hold the same podCIDR" in shown(app)


async def test_a_cursor_that_was_moved_stays_with_its_code_when_more_of_it_come() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await judged(pilot, engine, FEW[0], LATE)
        await pilot.press("j")
        moved_to = item(app)
        another = finding("FLN203", "w10", severity=1, slug="public-ip-wrong", summary="w10 announces another's address.")
        await judged(pilot, engine, finding("FLN101", "w031", "w231"), another, FEW[0], LATE)
        assert item(app) == moved_to


async def test_many_of_one_code_are_one_row_that_enter_lists() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await judged(pilot, engine, *SILENT, LATE, *FEW)
        await pilot.press("7")
        await pilot.pause()
        rows = app.screen.query_one("#findings", Rows)
        assert codes(rows) == ["FLN601", "FLN604", "FLN203"]
        assert "Findings  20 of 20" in shown(app)
        assert "18 × node not ready" in shown(app)
        assert "w[40-57]" in shown(app)

        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, FindingsPage)
        assert codes(rows) == ["FLN601"] * 18

        await pilot.press("j", "j", "enter")
        await pilot.pause()
        assert "w42 is silent." in shown(app)
        await pilot.press("escape", "escape")  # to the list, then to all
        await pilot.pause()
        assert codes(rows) == ["FLN601", "FLN604", "FLN203"]
        assert rows.row is not None
        assert rows.row.code == "FLN601"


async def test_a_filter_looks_at_each_of_them() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await judged(pilot, engine, *SILENT, LATE)
        await pilot.press("7", "slash", *"w43", "enter")
        await pilot.pause()
        assert "Findings  1 of 19" in shown(app)
        assert codes(app.screen.query_one("#findings", Rows)) == ["FLN601"]


async def test_five_of_one_code_are_five_rows() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await told(pilot, engine, *reading(findings=SILENT[:5], answer=overview(unknown=())))
        await pilot.press("7")
        await pilot.pause()
        assert codes(app.screen.query_one("#findings", Rows)) == ["FLN601"] * 5
