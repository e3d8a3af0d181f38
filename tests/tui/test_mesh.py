"""The mesh, a pair, a node's tabs, outliers and what changed, as the engine would tell them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace
from textual.pilot import Pilot

from flannelscope import wire
from flannelscope.node_views import (
    AnyDetail,
    CellView,
    EntryLine,
    FollowedLine,
    FollowedView,
    Line,
    MeshView,
    NodeSaysView,
    OutlierGroup,
    OutlierLine,
    OutliersView,
    PairState,
    RawSection,
    RawView,
    TableView,
    TabView,
)
from tests.tui.world import NOON, SaidEngine, console, node, reading
from tui.app import FlannelScope
from tui.state import Phase
from tui.widgets.document import Document
from tui.widgets.gridmap import GridMap
from tui.widgets.lines import Note

FOUR = ("w001", "w002", "w003", "w004")


class World:
    """A console with an engine that tells details when a test says so."""

    def __init__(self, pilot: Pilot[int], engine: SaidEngine) -> None:
        self.pilot = pilot
        self.engine = engine
        app = pilot.app
        assert isinstance(app, FlannelScope)
        self.app = app

    async def press(self, *keys: str) -> None:
        """Keys, each drawn."""
        for key in keys:
            await self.pilot.press(key)
        await self.pilot.pause()

    async def tell(self, what: str, about: tuple[str, ...], view: AnyDetail | None) -> None:
        """A detail, as the engine tells it."""
        self.engine.say(wire.Detailed(run=self.app.store.state.run, what=what, about=about, view=view))
        await self.pilot.pause()

    def looked(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What the console last said is in view."""
        said = [request for request in self.engine.asked if isinstance(request, wire.Look)]
        return said[-1].details if said else ()

    def note(self, name: str) -> str:
        """What a line says."""
        return self.app.screen.query_one(f"#{name}", Note).text

    @property
    def text(self) -> str:
        """The document in view."""
        return self.app.screen.query_one(Document).text

    @property
    def heading(self) -> str:
        """The first line."""
        return self.app.screen.query_one("HeadLine").text  # type: ignore[attr-defined,no-any-return]


@asynccontextmanager
async def looking(*keys: str, size: tuple[int, int] = (100, 30)) -> AsyncIterator[World]:
    """A console with four nodes, after some keys."""
    engine = SaidEngine()
    async with console(engine).run_test(size=size) as pilot:
        await pilot.pause()
        engine.say(*reading(rows=[node(name) for name in FOUR]))
        await pilot.pause()
        made = World(pilot, engine)
        await made.press(*keys)
        yield made


def mesh(*faults: tuple[int, int], names: tuple[str, ...] = FOUR, **fields: Any) -> MeshView:
    """All right but these places (row, column), where the route is missing."""
    size = len(names)
    states = bytearray([PairState.OK]) * (size * size)
    for place in range(size):
        states[place * size + place] = PairState.SELF
    right = bytes(states)
    for row, column in faults:
        states[row * size + column] = PairState.MISSING
    wrong = bytes(states)
    given: dict[str, Any] = {"asked": size, "answered": size, "taken": NOON}
    return MeshView(names=names, states=wrong, route=wrong, neighbour=right, fdb=right, **{**given, **fields})


def cell(observer: str, peer: str, state: PairState = PairState.MISSING) -> CellView:
    """A pair without its route."""
    route = EntryLine(
        kind="route",
        state=state,
        wanted="10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink",
        found="none",
        shows="ip route get 10.244.2.2",
        mends=("ip route replace 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink  # on w001",),
        origin="ssh ops@10.20.1.1: ip -j route, 03:12:40Z",
    )
    said = f"{observer} towards {peer}: route wanted 10.244.2.0/24 via 10.244.2.0, found none"
    return CellView(observer=observer, peer=peer, state=state, said=said, entries=(route,))


async def test_the_engine_is_asked_for_what_is_in_view_and_no_longer() -> None:
    async with looking("4") as world:
        assert world.looked() == (("mesh", ()),)
        await world.press("2")
        assert world.looked() == ()


async def test_a_healthy_mesh_says_so_in_a_sentence() -> None:
    async with looking("4") as world:
        await world.tell("mesh", (), mesh())
        assert world.note("said").startswith("12 pairs looked at: every entry is as flannel would have set it.")
        assert "Mesh  4 nodes" in world.heading


async def test_nodes_that_did_not_answer_are_told_beside_the_answer() -> None:
    async with looking("4") as world:
        await world.tell("mesh", (), mesh(answered=3))
        assert "1 node did not answer, or not wholly." in world.note("said")


async def test_while_nodes_are_still_being_read_none_is_said_to_be_silent() -> None:
    async with looking("4") as world:
        world.app.store.put(phase=Phase.READING)
        await world.tell("mesh", (), mesh(answered=3))
        assert "1 node not yet read." in world.note("said")


async def test_the_cell_under_the_cursor_is_asked_for_and_explained() -> None:
    async with looking("4") as world:
        await world.tell("mesh", (), mesh((0, 1)))
        await world.press("right")
        assert world.looked() == (("mesh", ()), ("cell", ("w001", "w002")))
        await world.tell("cell", ("w001", "w002"), cell("w001", "w002"))
        assert "route wanted 10.244.2.0/24" in world.note("cell")
        await world.press("enter")
        assert world.looked() == (("cell", ("w001", "w002")), ("cell", ("w002", "w001")))
        assert "w001 towards w002" in world.heading


async def test_a_pair_shows_wanted_found_and_both_commands() -> None:
    async with looking("4") as world:
        await world.tell("mesh", (), mesh((0, 1)))
        await world.press("right", "enter")
        await world.tell("cell", ("w001", "w002"), cell("w001", "w002"))
        for said in ("route: missing", "found     none", "ip route get 10.244.2.2", "ip route replace 10.244.2.0/24", "w002"):
            assert said in world.text
        assert "w002 towards w001: not told yet" in world.text


async def test_tab_shows_one_kind_of_entry_alone() -> None:
    async with looking("4") as world:
        await world.tell("mesh", (), mesh((0, 1)))
        assert world.app.screen.query_one(GridMap).grid.faults == 1
        await world.press("tab", "tab")
        assert "neighbour" in world.heading
        assert world.app.screen.query_one(GridMap).grid.faults == 0


async def test_transposed_the_cursor_stays_on_its_pair() -> None:
    async with looking("4") as world:
        await world.tell("mesh", (), mesh((0, 1)))
        await world.press("right", "t")
        grid = world.app.screen.query_one(GridMap)
        assert grid.cursor == (1, 0)
        assert world.looked()[1] == ("cell", ("w001", "w002"))
        assert "transposed" in world.heading


async def test_faults_only_and_the_filter_say_what_they_leave_out() -> None:
    async with looking("4") as world:
        await world.tell("mesh", (), mesh((0, 1)))
        await world.press("f")
        grid = world.app.screen.query_one(GridMap).grid
        assert (len(grid.rows), len(grid.columns)) == (1, 1)
        await world.press("f", "slash", "0", "0", "3", "enter")
        assert (len(grid.rows), len(grid.columns)) == (1, 1)
        assert "/003" in world.heading
        await world.press("escape")
        assert len(grid.rows) == 4


async def test_three_hundred_nodes_fit_and_come_nearer_on_z() -> None:
    names = tuple(f"w{number:03}" for number in range(1, 301))
    async with looking("4", size=(80, 24)) as world:
        await world.tell("mesh", (), mesh((7, 250), names=names))
        grid = world.app.screen.query_one(GridMap)
        rows, columns, _ = grid.view()
        assert len(rows) <= grid.room[0] and len(columns) <= grid.room[1]
        assert "pairs with a fault" in world.note("cell")
        await world.press("n", "enter", "enter", "enter", "enter", "enter")
        pair = grid.pair()
        assert pair is not None and len(pair[0]) == len(pair[1]) == 1


async def test_what_is_said_of_the_cell_is_what_the_row_is_called() -> None:
    names = tuple(f"w{number:03}" for number in range(1, 301))
    async with looking("4", size=(80, 24)) as world:
        await world.tell("mesh", (), mesh((7, 250), names=names))
        grid = world.app.screen.query_one(GridMap)
        pair = grid.pair()
        assert pair is not None
        assert world.note("cell").startswith(f"{grid.title(pair[0])} towards {grid.title(pair[1])}:")


async def test_the_next_fault_is_one_key_away() -> None:
    async with looking("4") as world:
        await world.tell("mesh", (), mesh((2, 3), (3, 0)))
        grid = world.app.screen.query_one(GridMap)
        await world.press("n")
        assert grid.cursor == (2, 3)
        await world.press("n")
        assert grid.cursor == (3, 0)
        await world.press("N")
        assert grid.cursor == (2, 3)


async def test_where_nobody_looked_the_map_says_why() -> None:
    async with looking("4") as world:
        await world.tell("mesh", (), MeshView(note="the nodes were not looked at (no --ssh)"))
        assert world.app.screen.query_one(GridMap).empty == "the nodes were not looked at (no --ssh)"


async def test_the_mesh_that_is_read_again_keeps_the_cursor_on_its_pair() -> None:
    async with looking("4") as world:
        await world.tell("mesh", (), mesh((0, 1)))
        await world.press("down", "down", "right")
        await world.tell("mesh", (), mesh(names=("w000", *FOUR)))
        assert world.looked()[1] == ("cell", ("w003", "w002"))


SAYS = NodeSaysView(
    node="w001",
    origin="ssh ops@10.20.1.1",
    at=NOON,
    tabs=(
        TabView(
            "Interfaces",
            (
                TableView(
                    title="Devices",
                    head=("device", "mtu"),
                    lines=(Line(("flannel.1", "1450")), Line(("eth0", "1500"))),
                    command="ip -d -j link",
                ),
            ),
        ),
        TabView("Firewall", (TableView(title="iptables", note="not known: sudo: a password is required", role="unknown"),)),
    ),
)


OUTLIERS = OutliersView(
    lines=(
        OutlierLine(
            fact="tunnel MTU",
            groups=(OutlierGroup("1400", "w003", 1), OutlierGroup("1450", "w[001-002] w004", 3)),
            why="Large packets are lost.",
        ),
        OutlierLine(fact="kernel", groups=(OutlierGroup("6.1.0", "w[001-004]", 4),)),
    ),
    asked=4,
    answered=4,
    taken=NOON,
)
CHANGED = FollowedView(
    lines=(
        FollowedLine(
            node="w009",
            what="came with podCIDR 10.244.9.0/24",
            at=NOON,
            followed=2,
            read=4,
            of=4,
            lacking="w[002-003]",
            seen=NOON,
        ),
    )
)


async def test_tabs_of_a_node_are_asked_for_when_they_come_into_view() -> None:
    async with looking("2", "enter") as world:
        assert world.looked() == ()
        await world.press("tab")
        assert world.looked() == (("node-says", ("w001",)),)
        await world.tell("node-says", ("w001",), SAYS)
        assert "flannel.1  1450" in world.text
        assert "ssh ops@10.20.1.1, 03:12:44Z" in world.text
        await world.press("tab", "tab", "tab")
        assert "not known: sudo: a password is required" in world.text


async def test_raw_shows_each_answer_as_it_came() -> None:
    async with looking("2", "enter", "shift+tab") as world:
        assert world.looked() == (("raw", ("w001",)),)
        section = RawSection(title="routes", command="ip route", output="default via 10.0.0.1", status=0)
        await world.tell("raw", ("w001",), RawView(node="w001", origin="ssh", at=NOON, sections=(section,)))
        assert "$ ip route" in world.text
        assert "default via 10.0.0.1" in world.text


async def test_a_node_that_did_not_answer_says_why_in_each_tab() -> None:
    async with looking("2", "enter", "tab") as world:
        await world.tell("node-says", ("w001",), NodeSaysView(node="w001", missing="connection refused"))
        assert "not known: connection refused" in world.text


async def test_outliers_show_the_odd_ones_and_what_it_means() -> None:
    async with looking("colon", *"outliers", "enter") as world:
        assert world.looked() == (("outliers", ()),)
        await world.tell("outliers", (), OUTLIERS)
        assert "Nodes differ in 1 fact." in world.text
        assert "Large packets are lost." in world.text
        assert "4 of 4 nodes read" in world.heading


async def test_what_changed_names_who_has_not_followed() -> None:
    async with looking("colon", *"changed", "enter") as world:
        line = FollowedLine(
            node="w009", what="came with podCIDR 10.244.9.0/24", at=NOON, followed=2, read=4, of=4, lacking="w[002-003]"
        )
        await world.tell("followed", (), FollowedView(lines=(line,)))
        assert "w009 came with podCIDR 10.244.9.0/24" in world.text
        assert "2 of 4 other kernels followed" in world.text
        assert "not yet: w[002-003]" in world.text


async def test_what_changed_is_unknown_where_no_kernel_was_read() -> None:
    async with looking("colon", *"changed", "enter") as world:
        line = FollowedLine(node="w009", what="is gone", at=NOON, followed=0, read=0, of=4)
        await world.tell("followed", (), FollowedView(lines=(line,), note="the nodes were not looked at (no --ssh)"))
        assert "Whether the others have followed is not known" in world.text


def legs(**states: bytes) -> MeshView:
    """Two nodes, of which the entries of each kind towards each other are given; all is right where they are not."""
    right = bytes((PairState.SELF, PairState.OK, PairState.OK, PairState.SELF))
    told = {name: states.get(name, right) for name in ("route", "neighbour", "fdb")}
    view = MeshView(names=FOUR[:2], states=bytes(map(max, *told.values())), asked=2, answered=2, taken=NOON)
    return replace(view, **told)


async def test_the_sentence_above_the_map_is_about_the_kind_of_entry_that_is_shown() -> None:
    """That all routes are right says nothing of the FDB."""
    wrong = bytes((PairState.SELF, PairState.MISSING, PairState.OK, PairState.SELF))
    async with looking("4") as world:
        await world.tell("mesh", (), legs(fdb=wrong))
        assert world.note("said").startswith("1 pair with an entry that is not as flannel would have set it.")
        await world.press("tab")
        assert world.note("said").startswith("2 pairs looked at: every route is as flannel would have set it.")
        await world.press("tab", "tab")
        assert world.note("said").startswith("1 pair with an FDB entry that is not as flannel would have set it.")


async def test_pairs_of_which_nothing_is_known_are_said_beside_those_that_are_right_and_wrong() -> None:
    doubtful = bytes((PairState.SELF, PairState.UNKNOWN, PairState.OK, PairState.SELF))
    settling = bytes((PairState.SELF, PairState.SETTLING, PairState.MISSING, PairState.SELF))
    async with looking("4") as world:
        await world.tell("mesh", (), legs(route=doubtful, neighbour=settling))
        assert "1 pair with an entry that is not as flannel would have set it. 1 pair not known." in world.note("said")
        await world.press("tab")
        assert "1 pair looked at: every route is as flannel would have set it. 1 pair not known." in world.note("said")


async def test_who_may_have_followed_is_said_beside_who_has_and_who_has_not() -> None:
    async with looking("colon", *"changed", "enter") as world:
        line = FollowedLine(
            node="w009", what="is gone", at=NOON, followed=1, read=2, of=4, lacking="w002", unknown="w003", doubtful=1
        )
        await world.tell("followed", (), FollowedView(lines=(line,)))
        assert "1 of 4 other kernels followed, 1 not read since" in world.text
        assert "not yet: w002" in world.text
        assert "not known: w003" in world.text
