"""A cluster in which every text is an attack: on every page it is text, and nothing of it moves, colours or crashes."""

from __future__ import annotations

import threading

import pytest
from textual.content import Content
from textual.widgets import Input

from flannelscope import wire
from flannelscope.collect import collect
from flannelscope.events import Grown, RequestDone
from flannelscope.facts import Facts
from flannelscope.judge import judge
from flannelscope.model import Gap, Snapshot, Topic
from flannelscope.outbox import Outbox
from flannelscope.present import node_rows, overview
from flannelscope.sources.simulated import SimulatedSource
from flannelscope.views import EvidenceLine, NodeRow, UnknownLine
from tests.engine.hostile import FORBIDDEN, TEXTS, hostile
from tests.tui.world import NOON, SaidEngine, console, finding, node, reading, shown, told
from tests.tui.world import overview as answer_of
from tui.app import FlannelScope

MARKUP = ("via 10.0.0.1 [proto 80]", "[fd00::1]:8472", "[ERROR] lost", "peer [/32] gone", "[@click=app.quit]press[/]")


def read_hostile() -> tuple[wire.Event, ...]:
    """What the engine says of the hostile cluster."""
    grown = [e for e in collect(SimulatedSource(hostile()), Snapshot(), threading.Event()) if isinstance(e, Grown)]
    facts = Facts(grown[-1].snapshot)
    judgement = judge(facts)
    seen = overview(facts, judgement, complete=True)
    return reading(rows=node_rows(facts, judgement), findings=seen.findings, answer=seen)


def check(app: FlannelScope) -> None:
    """Nothing forbidden is painted."""
    text = shown(app)
    assert not FORBIDDEN & set(text.replace("\n", "")), text
    assert app.is_running


async def test_the_hostile_cluster_on_every_page() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(160, 50), notifications=True) as pilot:
        await pilot.pause()
        await told(pilot, engine, *read_hostile())
        check(app)
        for key in ("2", "w", "7", "w", "question_mark", "escape", "at"):
            await pilot.press(key)
            await pilot.pause()
            check(app)
        for kind, keys in (
            ("node", list(app.store.state.rows)[::16]),
            ("finding", list({f.code: f.key for f in app.store.state.findings}.values())),
        ):
            for key in keys:
                await app.open(kind, key)
                await pilot.pause()
                check(app)
                await app.pop_screen()


@pytest.mark.parametrize("text", MARKUP)
async def test_what_looks_like_markup_is_shown_as_it_is(text: str) -> None:
    engine = SaidEngine()
    app = console(engine)
    row: NodeRow = node(text, "10.0.0.0/24", note=text, glyph="x", backend=text, flannel_state=text)
    bad = finding("FLN101", text, summary=text, why=text, remedy=text, commands=(text,), caution=text)
    seen = answer_of(verdict=text, context=text, flannel=(text,), unknown=(UnknownLine("FLN1", (text,), text),))
    request = RequestDone(method="GET", path=text, status=0, received=1, seconds=1.0, at=NOON, note=text)
    async with app.run_test(size=(160, 50), notifications=True) as pilot:
        await pilot.pause()
        await told(pilot, engine, *reading(rows=[row], findings=[bad], answer=seen))
        await told(pilot, engine, wire.Requested(run=1, requests=(request,)))
        for key in ("1", "2", "7", "at"):
            await pilot.press(key)
            await pilot.pause()
            assert text in shown(app)
        for kind, name in (("node", text), ("finding", bad.key)):
            await app.open(kind, name)
            await pilot.pause()
            assert text in shown(app)
            await app.pop_screen()
        await pilot.press("2", "c")  # the notice of what was copied
        await pilot.pause()
        assert app.clipboard == text
        await told(pilot, engine, wire.Failed(run=1, what=text, where=text, do=text))
        await pilot.press("1")
        await pilot.pause()
        assert text in shown(app)


@pytest.mark.parametrize("text", MARKUP)
async def test_markup_in_what_is_typed_and_in_the_palette(text: str) -> None:
    from tui.palette import Palette

    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.pause()
        await told(
            pilot, engine, *reading(rows=[node(text, note=text)], findings=[finding("FLN101", "a", summary=text, slug=text)])
        )
        hits = [hit async for hit in Palette(app.screen).search("node")]
        for hit in hits:
            Content.from_markup(hit.help or "")  # what the palette does with it
        await pilot.press("colon")
        await pilot.pause()
        app.screen.query_one(Input).value = text
        await pilot.press("enter")
        await pilot.pause()
        assert "no command" in shown(app)
        await pilot.press("escape", "2", "slash")
        await pilot.pause()
        app.screen.query_one(Input).value = text
        await pilot.pause()
        assert f"/{text}" in shown(app)


async def test_the_last_words_of_the_engine_are_text() -> None:
    engine = SaidEngine()
    app = console(engine)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.pause()
        engine.die("exit 1", "peer [/32] gone")
        while engine.starts < 2:
            await pilot.pause()
        await pilot.pause()
        assert "peer [/32] gone" in shown(app)


def test_what_leaves_the_engine_is_clean() -> None:
    import os

    outgoing, incoming = os.pipe()[::-1]
    outbox = Outbox(outgoing)
    outbox.begin(1)
    for text in TEXTS:
        outbox.gap(1, Gap(Topic.PODS, text[:1000], node=text[:1000]))
        outbox.request(
            1, RequestDone(method="GET", path=text[:1000], status=200, received=1, seconds=0.1, at=NOON, note=text[:9])
        )
        outbox.watch(1, "nodes", "reconnecting", text[:1000])
        outbox.flush()
    os.close(outgoing)
    with open(incoming, "rb") as stream:  # noqa: PTH123 - a descriptor
        for payload in wire.payloads(stream):
            match wire.decode_event(payload):
                case wire.Gaps(gaps=gaps):
                    assert not any(FORBIDDEN & set(gap.reason + gap.node) for gap in gaps)
                case wire.Requested(requests=requests):
                    assert not any(FORBIDDEN & set(request.path + request.note) for request in requests)
                case wire.WatchStates(states=states):
                    assert not FORBIDDEN & set(states["nodes"][1])


def test_evidence_lines_are_drawn_with_their_source() -> None:
    from screens.finding import _evidence

    line = EvidenceLine("what", "[fd00::1]:8472", "Node a", "kubectl get node a")
    said = "".join(text for block in _evidence([line]) for text, _ in block.spans)
    assert "[fd00::1]:8472" in said
    assert "Node a" in said
