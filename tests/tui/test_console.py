"""The console by its keys, over an engine that says what the test makes it say."""

from __future__ import annotations

import re

import pytest

from flannelscope import wire
from flannelscope.events import RequestDone
from flannelscope.views import CoverageLine, NodeRow, UnknownLine
from screens.findings import FindingsPage
from screens.node import NodePage
from screens.nodes import NodesPage
from tests.tui.world import NODES, NOON, REQUESTS, TWINS, SaidEngine, console, finding, node, overview, reading, shown, told
from tui.state import Phase
from tui.widgets.document import Document
from tui.widgets.lines import HeadLine, KeyLine, Note
from tui.widgets.rows import Rows


def names(rows: Rows[NodeRow]) -> list[str]:
    return [row.name for row in rows.table.shown]


def under(rows: Rows[NodeRow]) -> str:
    """The Node under the cursor."""
    return rows.row.name if rows.row is not None else ""


async def test_before_anything_arrives_the_frame_stands_and_says_what_it_waits_for() -> None:
    app = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "reading nodes" in shown(app)
        assert "1 Overview  2 Nodes  4 Mesh  7 Findings" in shown(app)
        await pilot.press("2")
        assert "reading nodes" in shown(app)
        assert "0 of 0" in shown(app)


async def test_the_engine_is_asked_to_read_with_the_settings() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert engine.starts == 1
        (request,) = engine.asked
        assert isinstance(request, wire.Start)
        assert request.settings.context == "prod-cn-1"
    assert engine.closed.is_set()


async def test_progress_shows_topic_count_bytes_and_requests() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(
            pilot, engine, wire.Progressed(run=1, topic="pods", read=45_000, total=150_000, requests=91, received=12_300_000)
        )
        assert "45,000 of 150,000" in shown(app)
        assert "91 requests · 12 MB · each may take 15 s" in shown(app)
        assert "reading pods 45,000 of 150,000" in app.screen.query_one(HeadLine).text


async def test_the_overview_says_verdict_findings_configuration_and_what_is_missing() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        text = shown(app)
        assert "2 nodes share one podCIDR" in text
        assert "✗ FLN101 duplicate podCIDR" in text
        assert "10.240.0.0/12 (written 10.244.0.0/12)" in text
        assert "looked at 5 nodes · pods not read" in text
        assert "pods is forbidden" in text
        assert "prod-cn-1  v1.34.4 · 5 nodes" in text
        assert "api 03:12:44Z" in text


async def test_nodes_that_could_not_be_read_are_not_said_to_be_none() -> None:
    engine = SaidEngine()
    app = console(engine)
    lines = (CoverageLine(topic="nodes", asked=1, answered=0, missing=(("", "No right to list nodes (403)."),)),)
    answer = overview(nodes=None, coverage=lines)
    async with app.run_test(size=(70, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading(rows=(), findings=(), answer=answer))
        assert "nodes not read" in app.screen.query_one(HeadLine).text
        await pilot.press("2")
        assert "the nodes could not be read: No right to list nodes (403)." in shown(app)
        assert "more)" in shown(app)  # the end of what is said, in the next line
        await told(pilot, engine, wire.Judged(run=1, overview=overview(nodes=0, coverage=()), keys=()))
        assert "there are no nodes" in shown(app)


async def test_what_is_known_and_what_is_seen_change_in_one_step() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        app.store.put(notice="the engine ended")
        assert "! the engine ended" in shown(app)  # nothing was waited for


async def test_between_the_last_answer_of_the_server_and_the_judgement_nothing_is_said_to_be_missing() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, wire.Finished(run=1, seconds=0.3))
        for key in "127":
            await pilot.press(key)
            assert app.screen.query_one(HeadLine).text.endswith("judging…")
            assert "judging what was read…" in shown(app)
        await told(pilot, engine, *reading())
        assert "judging" not in shown(app)


async def test_rows_are_there_before_the_pods_are() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await told(pilot, engine, wire.Rows(run=1, rows=NODES, first=True, last=True))
        rows = app.screen.query_one("#nodes", Rows)
        assert names(rows) == ["w031", "w231", "w120", "w9", "w10"]  # the worst first
        assert app.store.state.phase is Phase.READING


async def test_the_note_explains_the_row_under_the_cursor() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await told(pilot, engine, *reading())
        note = app.screen.query_one("#note", Note)
        assert "shares 10.244.31.0/24 with w231" in note.text
        await pilot.press("j", "j")
        assert "its kubelet is silent" in note.text


async def test_the_cursor_stays_with_its_row_when_rows_change() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await told(pilot, engine, *reading())
        rows = app.screen.query_one("#nodes", Rows)
        await pilot.press("G")
        assert rows.row is not None
        assert rows.row.name == "w10"
        await told(pilot, engine, wire.Rows(run=1, rows=(node("w11"), node("w8", glyph="x")), last=True))
        assert rows.row.name == "w10"


async def test_filter_faults_and_escape() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await told(pilot, engine, *reading())
        rows = app.screen.query_one("#nodes", Rows)
        await pilot.press("slash", *"31.0")
        assert names(rows) == ["w031", "w231"]
        assert "2 of 5" in app.screen.query_one(HeadLine).text
        await pilot.press("enter")
        assert app.focused is rows
        await pilot.press("escape")  # clears the filter before it leaves the page
        assert len(names(rows)) == 5
        assert isinstance(app.screen, NodesPage)
        await pilot.press("f")
        assert names(rows) == ["w031", "w231", "w120"]
        assert "faults only" in shown(app)


async def test_letters_typed_into_the_filter_fire_nothing() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await told(pilot, engine, *reading())
        await pilot.press("slash", *"q17@rTxS")
        assert isinstance(app.screen, NodesPage)
        assert len(engine.asked) == 1
        assert app.screen.query_one("#nodes", Rows).table.written == "q17@rTxS"


async def test_sort_by_letter_then_arrows_then_again() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await told(pilot, engine, *reading())
        rows = app.screen.query_one("#nodes", Rows)
        before = shown(app).splitlines()
        await pilot.press("S")
        assert shown(app).splitlines()[-1].startswith(" sort by: letter shown")
        assert shown(app).splitlines()[2:-1] == before[2:-1]  # it covers no row
        await pilot.press("n")
        assert "sort by" not in shown(app)
        assert names(rows) == ["w9", "w10", "w031", "w120", "w231"]
        assert "NODE▲" in shown(app)
        await pilot.press("S", "N")
        assert names(rows)[0] == "w231"
        assert "NODE▼" in shown(app)
        await pilot.press("S", "right")
        assert "READY▲" in shown(app)


async def test_copy_cell_and_row() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await told(pilot, engine, *reading())
        await pilot.press("c")
        assert app.clipboard == "w031"
        await pilot.press("right", "right", "c")
        assert app.clipboard == "10.244.31.0/24"
        await pilot.press("C")
        assert app.clipboard == "w031\tyes\t10.244.31.0/24\t10.20.1.1\t10.20.1.1\tvxlan\t20\t210d"  # the columns in view
        await pilot.press("w", "C")
        assert app.clipboard.endswith("\trunning\tv0.28.10\t86:60:a4:2c:61:4d\t1\t110")


async def test_a_node_opens_with_all_its_values_and_its_findings() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await told(pilot, engine, *reading())
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, NodePage)
        text = shown(app)
        assert "held by another node too" in text
        assert "86:60:a4:2c:61:4d" in text
        assert "FLN101 w031 and w231 hold the same podCIDR" in text
        await pilot.press("enter")
        await pilot.pause()
        assert "why it matters" in shown(app)
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert len(app.screen_stack) == 1


async def test_a_finding_shows_evidence_command_and_remedy_to_copy() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("enter")
        await pilot.pause()
        document = app.screen.query_one(Document)
        for said in ("10.244.31.0/24", "spec.podCIDRs[0]", "$ kubectl get node w031", "kubectl delete node w231", "Deleting one"):
            assert said in document.text
        await pilot.press("j", "j", "c")
        assert app.clipboard == "kubectl get node w031 -o yaml"


async def test_a_finding_says_how_its_remedy_is_undone_where_that_is_known() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(100, 60)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading(findings=[TWINS, finding("FLN203", "w9", severity=1, undo="")]))
        await app.open("finding", TWINS.key)
        await pilot.pause()
        assert "how to undo it\n Create the Node again" in re.sub(" *\n", "\n", shown(app))
        await app.open("finding", "FLN203:w9")
        await pilot.pause()
        assert "undo" not in shown(app)


@pytest.mark.parametrize(
    ("line", "missing", "comes"),
    [
        ("cluster CIDR", (), "ConfigMap kubeadm-config networking.podSubnet"),
        ("flannel ", (), "Nodes  5 of 5"),
        ("not looked at", (("w9", "forbidden"),), "Node w9"),
        ("not looked at", (("", "pods is forbidden: list"),), "Requests  2"),
    ],
)
async def test_enter_on_a_line_of_the_overview_opens_what_it_is_about(
    line: str, missing: tuple[tuple[str, str], ...], comes: str
) -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.pause()
        lacking = CoverageLine(topic="pods", asked=1, answered=0, missing=missing)
        await told(pilot, engine, *reading(answer=overview(coverage=(lacking,))))
        document = app.screen.query_one(Document)
        while not document.blocks[document.cursor].spans[0][0].startswith(line):
            await pilot.press("j")
        await pilot.press("enter")
        await pilot.pause()
        assert comes in shown(app)
        assert app.clipboard == ""


async def test_what_could_not_be_read_leads_to_the_finding_that_names_the_right() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.pause()
        cannot_look = finding("FLN603", severity=1, slug="cannot-look", summary="May not list pods.")
        await told(pilot, engine, *reading(findings=[cannot_look]))
        await pilot.press("G", "enter")
        await pilot.pause()
        assert "May not list pods." in shown(app)
        assert "why it matters" in shown(app)


async def test_enter_where_nothing_opens_says_so_and_copies_nothing() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("enter")  # on the sentence of the finding
        await pilot.pause()
        assert "nothing opens from this line; c copies it" in app.screen.query_one(KeyLine).text
        assert app.clipboard == ""


async def test_what_the_server_does_not_have_is_no_failed_request() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        lease = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager"
        absent = RequestDone(method="GET", path=lease, status=404, received=90, seconds=0.01, at=NOON + 2, absent=True)
        await told(pilot, engine, wire.Requested(run=1, requests=(absent,)))
        await pilot.press("at")
        await pilot.pause()
        row = next(line for line in shown(app).splitlines() if "404" in line)
        assert row.startswith(" – ")
        await pilot.press("f")
        assert "403" in shown(app)
        assert "404" not in shown(app)


async def test_a_finding_that_no_longer_holds_stays_readable() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("enter")
        await pilot.pause()
        await told(pilot, engine, wire.Judged(run=1, overview=overview(), keys=()))
        assert "does not hold any more" in shown(app)
        assert "w031 and w231 hold" in shown(app)


async def test_several_findings_of_one_code_open_as_a_list() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        pairs = [finding("FLN101", f"w{n}", f"w{n + 200}") for n in range(31, 36)]
        await told(pilot, engine, *reading(findings=[*pairs, finding("FLN203", "w9", severity=1)]))
        assert "10 nodes" in shown(app)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, FindingsPage)
        assert len(app.screen.query_one("#findings", Rows).table.shown) == 5


async def test_checks_that_could_not_judge_stand_apart() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("7")
        await pilot.pause()
        assert "not looked at: 1 check could not judge" in shown(app)
        assert "FLN112" in shown(app)


async def test_an_error_says_what_where_and_what_to_do_and_r_tries_again() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        failed = wire.Failed(
            run=1, what="The server cannot be reached.", where="https://10.0.0.1:6443", do="Check the network or --context."
        )
        await told(pilot, engine, failed)
        for said in ("The server cannot be reached.", "https://10.0.0.1:6443", "Check the network", "r tries again"):
            assert said in shown(app)
        await pilot.press("2")
        assert "The server cannot be reached." in shown(app)
        await pilot.press("r")
        assert isinstance(engine.asked[-1], wire.Reread)
        assert app.store.state.phase is Phase.READING
        assert "cannot be reached" not in shown(app)


async def test_reading_can_be_stopped_and_what_is_known_stays() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("x")
        assert isinstance(engine.asked[-1], wire.Stop)
        assert "stale" in app.screen.query_one(HeadLine).text
        assert "2 nodes share one podCIDR" in shown(app)


async def test_an_engine_that_dies_is_told_and_started_again() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        engine.die("SIGKILL", "last words")
        while engine.starts < 2:
            await pilot.pause()
        assert isinstance(engine.asked[-1], wire.Start)
        assert "the engine ended (SIGKILL) and was started again" in shown(app)
        assert len(app.store.state.rows) == 5  # what was known stays in view


async def test_an_engine_that_keeps_dying_is_left_until_asked_for() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for death in range(1, 5):
            engine.die("exit 1", "ModuleNotFoundError")
            while len(app._ended) < death:
                await pilot.pause()
        assert engine.starts == 4
        assert "ended 4 times in a minute" in shown(app)
        await pilot.press("r")
        assert engine.starts == 5


async def test_the_request_log_opens_and_closes_with_its_key() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("2", "at")
        await pilot.pause()
        assert "/api/v1/nodes?limit=500" in shown(app)
        assert "403" in shown(app)
        assert len(REQUESTS) == 2
        await pilot.press("at")
        await pilot.pause()
        assert isinstance(app.screen, NodesPage)


async def test_nodes_without_podcidr_are_found_by_the_word_that_is_shown() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading(rows=[node("w001", "10.244.1.0/24"), node("w002", pod_cidrs=(), marks=())]))
        await pilot.press("2", "slash", "n", "o", "n", "e", "enter")
        assert "w002" in shown(app)
        assert "w001" not in shown(app)


async def test_escape_from_the_request_log_goes_back_to_where_it_was_opened() -> None:
    app = console(SaidEngine())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "at", "escape")
        assert app.current_mode == "nodes"


async def test_minus_goes_to_the_screen_before() -> None:
    app = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "7", "minus")
        assert app.current_mode == "nodes"
        await pilot.press("minus")
        assert app.current_mode == "findings"


@pytest.mark.parametrize(
    ("typed", "mode"), [("nodes /w9", "nodes"), ("findings", "findings"), ("o", "overview"), ("requests", "requests")]
)
async def test_the_command_line_goes_to_pages(typed: str, mode: str) -> None:
    app = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon")
        await pilot.pause()
        await pilot.press(*typed, "enter")
        await pilot.pause()
        assert app.current_mode == mode


async def test_the_command_line_completes_remembers_and_says_what_is_wrong() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("colon")
        await pilot.pause()
        await pilot.press(*"nod", "tab")
        assert ":node " in shown(app)
        await pilot.press("tab")
        assert ":nodes" in shown(app)
        await pilot.press("enter", "colon")
        await pilot.pause()
        await pilot.press("up")
        assert ":nodes" in shown(app)
        await pilot.press("escape", "colon")
        await pilot.pause()
        await pilot.press(*"rebuild", "enter")
        assert "no command rebuild" in shown(app)


async def test_digits_without_a_screen_say_so() -> None:
    app = console()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("5")
        await pilot.pause()
        assert "There is no screen 5 in this version." in shown(app)
        assert app.current_mode == "overview"
        assert "5 Matrix" not in shown(app)


async def test_q_at_the_top_asks_and_escape_stays() -> None:
    app = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q")
        await pilot.pause()
        assert "Quit flannelscope?" in shown(app)
        await pilot.press("escape")
        await pilot.pause()
        assert app.is_running
        await pilot.press("q", "q")
        await pilot.pause()
        assert app.return_code == 0


async def test_what_is_behind_the_question_stays_readable_in_the_terminals_own_colours() -> None:
    engine = SaidEngine()
    app = console(engine, environment={"LANG": "C.UTF-8", "TERM": "xterm"})
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("q")
        await pilot.pause()
        assert "FLN101" in app.export_screenshot()


async def test_room_that_is_left_is_given_to_what_would_be_cut() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        reason = "networks and routes of the machines were not read at all"  # longer than its column is at first
        await told(pilot, engine, *reading(answer=overview(unknown=(UnknownLine("FLN109", (), reason),))))
        await pilot.press("7")
        await pilot.pause()
        assert f"FLN109 {reason} cluster" in shown(app)


async def test_the_request_under_the_cursor_is_told_whole() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        refused = "Nobody listens."
        failed = RequestDone(method="GET", path="/version", status=0, received=0, seconds=0.1, at=NOON + 9, note=refused)
        await told(pilot, engine, wire.Requested(run=1, requests=(failed,)))
        await pilot.press("at")
        await pilot.pause()
        assert "! GET /version  Nobody listens." in shown(app)


@pytest.mark.parametrize("keys", [("7", "enter"), ("2", "slash"), ("colon",), ("question_mark",), ("q",), ("ctrl+p",)])
async def test_ctrl_q_leaves_at_once_from_everywhere(keys: tuple[str, ...]) -> None:
    """Nothing that changes anything is ever under way in this version, so there is nothing to ask."""
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press(*keys)
        await pilot.pause()
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert app.return_code == 0
    assert engine.closed.is_set()


async def test_times_in_utc_or_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("T")
        assert "api 11:12:44+08:00" in shown(app)
    monkeypatch.undo()
    time.tzset()


async def test_help_is_made_from_the_bindings() -> None:
    app = console()
    async with app.run_test(size=(120, 60)) as pilot:
        await pilot.press("2", "question_mark")
        await pilot.pause()
        assert "by column: then a" in shown(app)
        await pilot.press("escape")
        await pilot.pause()
        assert not app.screen.query("HelpPanel")
        assert isinstance(app.screen, NodesPage)


async def test_the_keys_that_move_scroll_the_help_while_it_is_open() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("2", "question_mark")
        await pilot.pause()
        panel, rows = app.screen.query_one("HelpPanel"), app.screen.query_one("#nodes", Rows)
        assert "remedy" not in shown(app)
        for key, moved in (("j", 1), ("pagedown", panel.size.height), ("G", panel.max_scroll_y), ("g", 0)):
            await pilot.press(key)
            await pilot.pause()
            assert panel.scroll_offset.y == moved
        await pilot.press("end")
        await pilot.pause()
        assert "remedy" in shown(app)  # the end of what is said of the last key
        assert rows.cursor == 0
        await pilot.press("escape", "j")
        assert rows.cursor == 1


async def test_after_a_sort_the_view_begins_at_the_top_unless_the_cursor_was_put_on_a_row() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading(rows=[node(f"w{n:03}", glyph="x" if n == 90 else ".") for n in range(100)]))
        await pilot.press("2", "S", "N")
        rows = app.screen.query_one("#nodes", Rows)
        assert (under(rows), rows.top) == ("w000", 0)
        await pilot.press("j", "S", "N")  # the other way round
        assert under(rows) == "w001"
        assert rows.top <= rows.cursor < rows.top + rows.page
        await pilot.press("g", "S", "N")
        assert (under(rows), rows.top) == ("w000", 0)


@pytest.mark.parametrize("width", [40, 60, 79, 80])
async def test_what_stands_left_and_right_in_the_first_line_never_touches(width: int) -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(width, 15)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        for key in ("1", "2", "7", "enter", "at"):
            await pilot.press(key)
            await pilot.pause()
            first = shown(app).splitlines()[0]
            assert first.endswith(("  api 03:12:44Z ", "  read-only · api 03:12:44Z ")), first


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 50)])
async def test_every_size_shows_the_frame_and_the_row_under_the_cursor(size: tuple[int, int]) -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        await pilot.press("2")
        await pilot.pause()
        text = shown(app)
        assert "w031" in text
        assert "Nodes  5 of 5" in text
        assert "? help" in app.screen.query_one(KeyLine).text
        assert all(len(line) == size[0] for line in text.splitlines())


async def test_a_resize_keeps_the_cursor_in_sight() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await told(pilot, engine, *reading(rows=[node(f"w{n:03}") for n in range(200)]))
        rows = app.screen.query_one("#nodes", Rows)
        for _ in range(30):
            rows.move(1)
        await pilot.resize_terminal(60, 14)
        await pilot.pause()
        assert rows.top <= rows.cursor < rows.top + rows.page
        assert "w030" in shown(app)


async def test_columns_scroll_while_the_first_stays() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(60, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await told(pilot, engine, *reading())
        assert "›" in shown(app).splitlines()[1]
        await pilot.press(*["right"] * 7)
        heading = shown(app).splitlines()[1]
        assert "AGE" in heading
        assert "NODE" in heading
        assert "‹" in heading


async def test_without_utf8_only_ascii_is_painted() -> None:
    engine = SaidEngine()
    app = console(engine, environment={"LANG": "C", "TERM": "xterm"})
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading(rows=[node("knöten-1")]))
        for key in ("1", "2", "7", "at", "question_mark"):
            await pilot.press(key)
            await pilot.pause()
            painted = "".join(s.text for strip in app.screen._compositor.render_strips() for s in strip)
            assert painted.isascii(), sorted({c for c in painted if not c.isascii()})


async def test_news_that_changes_nothing_draws_nothing() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        state = app.store.state
        await told(pilot, engine, wire.Hello(run=1, process=1), wire.Failed(run=0, what="late"))
        assert app.store.state is state


async def test_data_that_nothing_follows_any_more_turns_stale_once() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading())
        app._turn_stale(1)
        assert "stale" not in app.screen.query_one(HeadLine).text  # the watch brings what changes
        await told(pilot, engine, wire.WatchStates(run=1, states={"nodes": ("reconnecting", "connection refused")}))
        assert "nodes reconnecting" in app.screen.query_one(HeadLine).text
        app._turn_stale(1)
        await pilot.pause()
        assert "api 03:12:44Z stale" in app.screen.query_one(HeadLine).text


async def test_the_palette_finds_nodes_findings_and_commands() -> None:
    from tui.palette import Palette

    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading(rows=[node(f"w{n:03}") for n in range(300)]))
        provider = Palette(app.screen)
        found = {query: [hit.text async for hit in provider.search(query)] for query in ("w031", "FLN101", "reread", "w")}
        assert "node w031" in found["w031"]
        assert "FLN101 duplicate podCIDR" in found["FLN101"]
        assert "reread" in found["reread"]
        assert len(found["w"]) == 50
        assert {"overview", "nodes", "findings"} <= {hit.text async for hit in provider.discover()}
        assert TWINS.code == "FLN101"
