"""The console: one store, the screens found by name, and the engine in its child process."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.filter import LineFilter

from flannelscope import wire
from flannelscope.session import Settings
from tui import registry, themes
from tui.engine import FIRST_RUN, ChildEngine, Engine
from tui.log import log_events
from tui.messages import Arrived, EngineEnded
from tui.navigation import Navigation
from tui.page import Page
from tui.state import Phase, State, Store
from tui.take import begin, take_all, warm
from tui.waiting import read_again
from tui.words import AsciiFilter, speaks_utf8, to_ascii

if TYPE_CHECKING:
    from textual.command import Provider

STALE = 120.0  # seconds without a working watch after which data is called stale
RESTARTS = 3  # of the engine, within
RESTARTS_WITHIN = 60.0  # seconds; more often it is not started again by itself
OWN = {"page", "absent", "previous", "reread", "stop", "zone", "command", "help"}
Details = tuple[tuple[str, tuple[str, ...]], ...]
SCREENS = Binding.Group("screens", compact=True)
GO = Binding.Group("go")


def _first(key: str, action: str, means: str, tooltip: str, *, show: bool = False, **more: Any) -> Binding:
    """A key that is taken before the focused widget's, so that what is typed ahead (`/w118`) is taken in its order."""
    name = means.replace(" ", "-").lower()
    return Binding(key, action, means, show=show, id=f"app.{name}", tooltip=tooltip, priority=True, **more)


def _palette() -> type[Provider]:
    from tui.palette import Palette

    return Palette


class FlannelScope(Navigation):
    """The application. `engine` and `now` are given by tests; `keys` replaces keys by the id of a binding."""

    TITLE = "flannelscope"
    DEFAULT_MODE = "overview"
    CSS_PATH = "flannelscope.tcss"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_palette}
    BINDING_GROUP_TITLE = "Everywhere"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "up", "back", show=False, id="app.back", tooltip="clears a filter first", group=GO),
        Binding("q", "up(True)", "back", show=False, id="app.quit", tooltip="at the top asks to quit", group=GO),
        Binding("ctrl+q", "quit", "quit", show=False, id="app.leave", tooltip="at once", group=GO, priority=True),
        Binding("ctrl+z", "suspend_process", "suspend", show=False, id="app.suspend", tooltip="back with fg"),
        _first("minus", "previous", "previous", "the screen before", group=GO),
        _first("at", "page('requests')", "requests", "every request, with its result"),
        _first("r", "reread", "read again", "now; data stays in view until replaced"),
        _first("x", "stop", "stop", "reading and following; r goes on"),
        _first("T", "zone", "UTC or local", "how times are shown"),
        _first("colon", "command", "go", "type where to go or what to do", show=True, key_display=":"),
        _first("question_mark,f1", "help", "help", "keys that work here", show=True, key_display="?"),
    ]

    def __init__(
        self,
        settings: Settings,
        *,
        engine: Engine | None = None,
        begun: bool = False,
        keys: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`begun`: `engine` runs already and was asked for run 1."""
        environment = os.environ if environment is None else environment
        self.ascii = None if speaks_utf8(environment) else AsciiFilter()
        self.pages = registry.pages()
        super().__init__(ansi_color=True if "NO_COLOR" in environment else None)
        self.settings = settings
        self.now = now
        self.store = Store(self._draw)
        self.commands: list[str] = []  # typed on the command line, oldest first
        self.engine: Engine = engine or ChildEngine()
        self._begun = begun
        self._ended: list[float] = []
        self._details: Details = ()
        self.register_theme(themes.THEME)
        self.theme = themes.choose(environment)
        for mode, page in self.pages.items():
            self.add_mode(mode, page)
        for binding in self._page_bindings():
            self._bindings.key_to_bindings.setdefault(binding.key, []).append(binding)
        if keys:
            self.set_keymap(dict(keys))

    def _page_bindings(self) -> Iterable[Binding]:
        keyed = {page.KEY: page for page in self.pages.values() if page.KEY.isdigit()}
        for digit in "1234567890":
            page = keyed.get(digit)
            if page is None:  # known to be a screen's key, so it says that there is none here
                yield Binding(digit, f"absent({digit})", show=False, system=True, id=f"app.absent-{digit}", priority=True)
            else:
                action, name = f"page('{page.MODE}')", f"page.{page.MODE}"
                yield Binding(digit, action, str(page.TITLE), id=name, tooltip=page.SUMMARY, group=SCREENS, priority=True)

    def get_key_display(self, binding: Binding) -> str:
        """Enter by its name: not every font has the sign."""
        return super().get_key_display(binding).replace("⏎", "enter")

    def get_line_filters(self) -> list[LineFilter]:
        """Textual's own, and ours that makes ASCII of everything where the terminal needs it."""
        return [*super().get_line_filters(), *([self.ascii] if self.ascii else [])]

    # the engine

    def on_mount(self) -> None:
        """Begin to read once the first frame is on its way."""
        self.call_after_refresh(self.launch)

    def launch(self) -> None:
        """Start the engine's process and a first reading."""
        if not gc.isenabled():  # the start was made without; what it left is not looked through again
            gc.freeze()
            gc.enable()
        begun, self._begun = self._begun, False
        if begun:
            self.store.set(begin(self.store.state, FIRST_RUN))
            self._ask_details(FIRST_RUN)
        else:
            self.engine.start()
            self._begin(lambda run: wire.Start(run=run, settings=self.settings))
        self._listen()

    def _begin(self, request: Callable[[int], wire.Request]) -> None:
        run = self.store.state.run + 1
        self.store.set(begin(self.store.state, run))
        self.engine.ask(request(run))
        self._ask_details(run)

    def look(self, details: Details) -> None:
        """From now on these are in view: the engine tells them as they stand, and again when they change."""
        if details == self._details:
            return
        self._details, before = details, self._details
        held = self.store.state.details
        self.store.state = replace(self.store.state, details={key: held[key] for key in details if key in held})
        if self.store.state.run and (before or details):
            self.engine.ask(wire.Look(run=self.store.state.run, details=details))

    def _ask_details(self, run: int) -> None:
        if self._details:
            self.engine.ask(wire.Look(run=run, details=self._details))

    @work(thread=True, group="engine", description="what the engine says", exit_on_error=False)
    def _listen(self) -> None:
        import_module("tui.widgets.prompt")  # here, so that the first key that needs it does not wait
        ended = self.engine.listen(self._heard)
        if ended is not None:
            self.post_message(EngineEnded(*ended))

    def _heard(self, events: tuple[wire.Event, ...]) -> None:
        log_events(events)
        warm(events)
        self.post_message(Arrived(events))

    @on(Arrived)
    def arrived(self, message: Arrived) -> None:
        """Take what the engine said into the store."""
        before = self.store.state
        self.store.set(take_all(before, message.events))
        after = self.store.state
        for event in message.events:
            if event.run == before.run:
                self._answered(event)
        if before.followed != after.followed or before.phase is not after.phase:
            self._watch_freshness()

    def _answered(self, event: wire.Event) -> None:
        """What the operator should hear of on whatever screen."""
        match event:
            case wire.Refreshed(failed=failed):
                said = read_again(self.store.state, event)
                self.notify(said, severity="warning" if failed else "information", markup=False, timeout=8)
                self._watch_freshness()
            case wire.Declined():
                self._begin(lambda run: wire.Reread(run=run))
            case wire.Asked():
                self._ask(event)
            case wire.Withdrawn(id=question):
                self._answered_late(question)
            case wire.Finished():
                self._answered_late()
            case wire.Failed(what=what) if self.current_mode != "overview":  # which says it in full
                self.notify(f"{what} Press r to read again.", severity="error", markup=False)
            case _:
                pass

    def _ask(self, asked: wire.Asked) -> None:
        """Put a question of the engine to the operator."""
        from tui.widgets.asking import Asking

        run = asked.run
        self.push_screen(Asking(asked), lambda said: self.engine.ask(wire.Reply(run=run, id=asked.id, text=said)))

    def _answered_late(self, question: str = "") -> None:
        """The engine goes on without an answer that did not come in time; without any, once it has read all."""
        from tui.widgets.asking import Asking

        late = [screen for screen in self.screen_stack if isinstance(screen, Asking) and question in ("", screen.asked.id)]
        for screen in late:
            screen.withdraw()
        if late:
            self.notify("Nobody answered in time. Press r to be asked again.", severity="warning", markup=False)

    def _watch_freshness(self) -> None:
        """One timer, only where nothing follows a live cluster any more; so an idle console paints nothing."""
        state = self.store.state
        if state.phase is Phase.FINISHED and not state.followed and state.watches:
            run = state.run
            self.set_timer(STALE, lambda: self._turn_stale(run))

    def _turn_stale(self, run: int) -> None:
        state = self.store.state
        if state.run == run and not state.followed and not state.stale and state.phase is Phase.FINISHED:
            self.store.put(stale=True)

    @on(EngineEnded)
    def engine_ended(self, message: EngineEnded) -> None:
        """Say it, and start the engine again, unless it keeps ending."""
        now = time.monotonic()
        self._ended = [at for at in self._ended if now - at < RESTARTS_WITHIN] + [now]
        said = f" Its last words: {message.said}" if message.said else ""
        if len(self._ended) > RESTARTS:
            what = f"The engine ended {len(self._ended)} times in a minute ({message.how}).{said}"
            run = self.store.state.run
            self.store.set(take_all(self.store.state, [wire.Failed(run=run, what=what, do="Press r to try again.")]))
            return
        self.notify(f"The engine ended ({message.how}) and was started again.{said}", severity="warning", markup=False)
        self.launch()
        self.store.put(notice=f"the engine ended ({message.how}) and was started again")

    async def action_quit(self) -> None:
        """Leave; the engine is ended on the way."""
        self.exit(0)

    def on_unmount(self) -> None:
        """End the engine, so that the thread that listens to it ends too."""
        self.engine.close()

    def _draw(self, state: State) -> None:
        """The screen in view; one under it, or not made yet, draws when it comes into view."""
        if isinstance(self.screen, Page) and self.screen.is_mounted:
            self.screen.show(state)

    # what screens and keys ask for

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is typed, a question is open, or a column is awaited, keys are not ours."""
        focused = self.focused
        taken = focused is not None and (focused.check_consume_key("a", "a") or getattr(focused, "choosing", False))
        return not (action in OWN and (taken or self.screen.is_modal))

    def action_reread(self) -> None:
        """Read again: while changes are followed what no watch tells of, if the engine can; else everything."""
        state = self.store.state
        if state.phase is Phase.FAILED and len(self._ended) > RESTARTS:
            self._ended.clear()
            self.launch()
        elif state.phase is Phase.READING:
            self.notify("Still reading. x stops it.", markup=False, timeout=3)
        elif state.phase is not Phase.FINISHED:
            self._begin(lambda run: wire.Reread(run=run))
        elif not state.refreshing:
            self.store.put(refreshing=True)
            self.engine.ask(wire.Refresh(run=state.run))

    def action_stop(self) -> None:
        """End reading and following; what is known stays."""
        run = self.store.state.run + 1
        self.engine.ask(wire.Stop(run=run))
        self.store.put(run=run, phase=Phase.STOPPED, refreshing=False, stale=self.store.state.overview is not None)
        self.notify("Stopped. Press r to read again.", markup=False, timeout=3)

    def action_zone(self) -> None:
        """Times in UTC, or in the zone of this machine."""
        self.store.put(local=not self.store.state.local)

    def action_help(self) -> None:
        """Open the help panel, or close it."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            from tui.widgets.help import Help

            self.screen.mount(Help())

    async def action_command(self) -> None:
        """Open the command line."""
        from tui.widgets.prompt import CommandPrompt, Prompt

        if not self.screen.query(Prompt):
            await self.screen.mount(CommandPrompt())


def run(
    settings: Settings, engine: Engine | None = None, *, keys: Mapping[str, str] | None = None, report_on_exit: bool = False
) -> int:
    """Open the console and stay until the operator leaves. Returns the exit code. `engine` is one that `begin` started.

    `report_on_exit` writes a short report to standard output after the screen was given back.
    """
    app = FlannelScope(settings, engine=engine, begun=engine is not None, keys=keys)
    code = app.run(mouse=False)
    if report_on_exit:
        from tui.leaving import summary

        said = summary(app.store.state)
        sys.stdout.write("\n".join(map(to_ascii, said.split("\n"))) if app.ascii else said)
    return app.return_code or code or 0
