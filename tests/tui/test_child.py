"""The engine in its real child process: it starts, tells, dies, is started again, and is gone when the console is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flannelscope import wire
from flannelscope.session import Settings
from tests.tui.world import UTF8, shown
from tui.app import FlannelScope
from tui.engine import ChildEngine, early
from tui.state import Phase


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    """Until it is so; the time limit of the test ends what never comes."""
    while not condition():
        await pilot.pause()


def alive(process: int) -> bool:
    """Whether a process of ours still runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("demo", ["healthy", "twins"])
async def test_a_demo_is_read_through_the_child(demo: str) -> None:
    app = FlannelScope(Settings(demo=demo), environment=UTF8)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.store.state.overview is not None and app.store.state.overview.complete)
        assert app.store.state.phase is Phase.FINISHED
        assert len(app.store.state.rows) == (app.store.state.overview.nodes if app.store.state.overview else None)
        assert bool([f for f in app.store.state.findings if f.severity == 3]) is (demo == "twins")
        assert f"demo {demo}" in shown(app)


async def test_a_killed_child_is_told_and_started_again() -> None:
    engine = ChildEngine()
    app = FlannelScope(Settings(demo="healthy"), engine=engine, environment=UTF8)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: app.store.state.phase is Phase.FINISHED)
        first = engine.process
        os.kill(first, signal.SIGKILL)
        await until(pilot, lambda: engine.process != first and app.store.state.phase is Phase.FINISHED)
        assert "ended (SIGKILL) and was started again" in shown(app)
        assert app.store.state.run == 2
    assert not alive(engine.process)


async def test_a_child_that_read_before_the_console_stood_is_asked_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.engine._processors", lambda: 2)
    settings = Settings(demo="healthy")
    engine = early(settings)
    assert engine is not None
    first = engine.process
    app = FlannelScope(settings, engine=engine, begun=True, environment=UTF8)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.store.state.phase is Phase.FINISHED)
        assert app.store.state.run == 1
        assert engine.process == first
        os.kill(first, signal.SIGKILL)
        await until(pilot, lambda: engine.process != first and app.store.state.phase is Phase.FINISHED)
        assert app.store.state.run == 2


def test_on_one_processor_the_console_is_drawn_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.engine._processors", lambda: 1)
    assert early(Settings(demo="healthy")) is None


async def test_an_unknown_demo_fails_with_a_sentence() -> None:
    app = FlannelScope(Settings(demo="no-such"), environment=UTF8)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.store.state.phase is Phase.FAILED)
        await pilot.pause()
        assert "there is no demo named no-such" in shown(app)


class Listening:
    """A child whose events are kept by a thread."""

    def __init__(self) -> None:
        self.engine = ChildEngine()
        self.events: list[wire.Event] = []
        self.arrived = threading.Condition()
        self.ended: tuple[str, str] | None = None
        self.engine.start()
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def _listen(self) -> None:
        self.ended = self.engine.listen(self._tell)
        with self.arrived:
            self.arrived.notify_all()

    def _tell(self, events: tuple[wire.Event, ...]) -> None:
        with self.arrived:
            self.events += events
            self.arrived.notify_all()

    def wait_for(self, kind: type[wire.Message], run: int) -> None:
        """Until such an event of that run came."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: any(isinstance(e, kind) and e.run == run for e in self.events), 30)


def test_an_interrupt_of_the_terminal_does_not_end_the_child_but_the_end_of_its_input_does() -> None:
    child = Listening()
    child.wait_for(wire.Hello, 0)
    os.kill(child.engine.process, signal.SIGINT)
    child.engine.ask(wire.Start(run=1, settings=Settings(demo="healthy")))
    child.wait_for(wire.Finished, 1)
    child.engine.close()
    child.thread.join(10)
    assert not child.thread.is_alive()
    assert child.ended is None  # closed, not died
    assert not alive(child.engine.process)


def test_reading_again_tells_all_under_a_new_number() -> None:
    child = Listening()
    child.engine.ask(wire.Start(run=1, settings=Settings(demo="healthy")))
    child.wait_for(wire.Finished, 1)
    child.engine.ask(wire.Reread(run=2))
    child.wait_for(wire.Finished, 2)
    child.wait_for(wire.Judged, 2)
    rows = [event for event in child.events if isinstance(event, wire.Rows) and event.run == 2]
    assert rows[0].first
    child.engine.close()
    child.thread.join(10)


def test_a_child_that_cannot_start_says_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    child = Listening()
    child.thread.join(30)
    assert child.ended is not None
    how, said = child.ended
    assert how == "exit 1"
    assert said
    child.engine.close()


POISONED = ("msgspec", "yaml", "urllib3", "kubernetes", "logging", "click", "textual", "tui", "screens", "flannelscope")


@pytest.fixture
def poisoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory is one where somebody left modules named as ours; the file that any of them writes."""
    touched = tmp_path / "touched"
    for name in POISONED:
        (tmp_path / f"{name}.py").write_text(f"open({str(touched)!r}, 'a').write({name!r})\nraise SystemExit(9)\n")
    monkeypatch.chdir(tmp_path)
    return touched


def test_nothing_is_imported_from_where_the_engine_is_started(poisoned: Path) -> None:
    child = Listening()
    child.engine.ask(wire.Start(run=1, settings=Settings(demo="healthy")))
    child.wait_for(wire.Finished, 1)
    child.engine.close()
    child.thread.join(10)
    assert not poisoned.exists()


def test_nothing_is_imported_from_where_the_command_is_typed(poisoned: Path) -> None:
    script = str(Path(sys.executable).with_name("flannelscope"))
    done = subprocess.run([script, "check", "--demo", "healthy"], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not poisoned.exists()


def test_a_secret_goes_in_by_the_pipe_only() -> None:
    child = Listening()
    child.engine.ask(wire.Start(run=1, settings=Settings(demo="healthy", login="a secret token")))
    child.wait_for(wire.Finished, 1)
    with open(f"/proc/{child.engine.process}/cmdline", "rb") as line, open(f"/proc/{child.engine.process}/environ", "rb") as env:  # noqa: PTH123
        assert b"a secret token" not in line.read() + env.read()
    assert not any(b"a secret token" in wire.encode(event) for event in child.events)
    child.engine.close()
    child.thread.join(10)
