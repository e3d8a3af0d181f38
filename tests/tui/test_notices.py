"""What is said in passing: in the last line, no row covered; and what is copied, whose arrival no terminal confirms."""

from __future__ import annotations

from tests.tui.world import TWINS, SaidEngine, console, node, reading, shown, told
from tui.app import FlannelScope
from tui.widgets.lines import KeyLine
from tui.widgets.rows import Rows

MANY = [node(f"w{n:03}", f"10.244.{n}.0/24") for n in range(60)]


def last_line(app: FlannelScope) -> str:
    """What stands there."""
    return app.screen.query_one(KeyLine).text


async def test_a_notice_of_one_line_covers_nothing_but_the_keys() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading(rows=MANY))
        await pilot.press("2")
        before = shown(app).splitlines()
        await pilot.press("c")
        await pilot.pause()
        after = shown(app).splitlines()
        assert after[:-1] == before[:-1]
        assert "w000" in after[-1]


async def test_a_long_text_that_is_copied_takes_one_line_all_the_same() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("c")  # the sentence of the finding
        await pilot.pause()
        assert app.clipboard == TWINS.summary
        assert last_line(app).endswith("  w031 and w231 hold t…")
        assert "\n" not in last_line(app)


async def test_a_long_notice_pushes_the_page_up_and_the_cursor_stays_in_sight() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading(rows=MANY))
        await pilot.press("2")
        rows = app.screen.query_one(Rows)
        page = rows.page
        rows.move(page - 1)  # the last row in sight
        app.notify("peers keep what was announced last; " * 5, markup=False)
        while rows.page == page:  # the table is made smaller in its own time
            await pilot.pause()
        await pilot.pause()
        lines = shown(app).splitlines()
        assert "announced last" in lines[-3]
        assert rows.region.bottom <= app.screen.query_one(KeyLine).region.y
        assert rows.top <= rows.cursor < rows.top + rows.page


async def test_a_notice_goes_and_the_keys_come_back() -> None:
    app = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.notify("soon gone", timeout=0.05, markup=False)
        await pilot.pause()
        while app.notices:
            await pilot.pause(0.02)
        assert "? help" in last_line(app)


async def test_what_is_graver_stays_beside_what_comes_after() -> None:
    app = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.notify("the engine ended", severity="warning", timeout=60, markup=False)
        app.notify("first", markup=False)
        app.notify("second", markup=False)
        await pilot.pause()
        assert last_line(app).splitlines() == ["! the engine ended", "second"]


async def test_a_notice_stands_above_the_line_in_which_something_is_typed() -> None:
    app = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "slash")
        await pilot.pause()
        app.notify("said meanwhile", markup=False)
        await pilot.pause()
        assert "said meanwhile" in shown(app).splitlines()[-2]
        assert shown(app).splitlines()[-1].startswith(" /")


async def test_the_toolkits_own_notices_are_read_as_markup_and_ours_never() -> None:
    app = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.action_help_quit()  # Ctrl-C
        await pilot.pause()
        assert "Press ctrl+q to quit the app" in last_line(app)
        app.notify("peer [/32] gone", markup=False)
        await pilot.pause()
        assert "peer [/32] gone" in last_line(app)


async def test_copying_says_that_it_was_sent_and_what_helps_where_that_is_not_taken() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading(rows=[node("w1", "", marks=())]))
        await pilot.press("2", "c")
        await pilot.pause()
        assert last_line(app) == "sent to the terminal's clipboard (OSC 52; else :copied)  w1"
        await pilot.press("right", "right", "c")  # a Node without podCIDR: "none" is no value
        await pilot.pause()
        assert "nothing to copy" in last_line(app)
        assert app.clipboard == "w1"
