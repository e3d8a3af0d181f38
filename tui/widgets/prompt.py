"""The line in which a filter or a command is typed; it lies over the last line and goes when it is done."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.getters import app, query_one
from textual.widgets import Input, Static

from flannelscope.text import clean
from tui import commandline
from tui.notices import Notices
from tui.table import Sieve
from tui.widgets.rows import Rows


class Prompt(Horizontal):
    """A sign, an input, and what is to be said about it."""

    SIGN = ""
    DEFAULT_CSS = """
    Prompt { dock: bottom; height: 1; background: $panel; }
    Prompt > .sign { width: 2; padding-left: 1; text-style: bold; }
    Prompt > .said { width: auto; max-width: 60%; color: $text-muted; padding: 0 1; }
    Prompt > .said.-wrong { color: $text-error; }
    Prompt > Input { width: 1fr; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "give up", show=False, id="prompt.give-up", tooltip="leave it as it was")
    ]
    scope = app(Notices)
    input = query_one(Input)
    said = query_one(".said", Static)

    def compose(self) -> ComposeResult:
        """The parts."""
        yield Static(self.SIGN, classes="sign", markup=False)
        field = Input(compact=True, select_on_focus=False)
        field.cursor_blink = False
        yield field
        yield Static("", classes="said", markup=False)

    def on_mount(self) -> None:
        """Begin to type at once."""
        self.screen.set_focus(self.input)
        self.scope.lay_last_line()

    def on_unmount(self) -> None:
        """The last line is free again."""
        self.scope.call_after_refresh(self.scope.lay_last_line)

    def say(self, text: str, wrong: bool = False) -> None:
        """Say something about what is typed."""
        self.said.update(clean(text))
        self.said.set_class(wrong, "-wrong")

    def action_give_up(self) -> None:
        """Go without doing anything."""
        self.leave()

    def leave(self) -> None:
        """Go; the table gets the focus back."""
        self.remove()
        for widget in self.screen.focus_chain:
            if widget is not self.input:
                self.screen.set_focus(widget)
                break


class FilterPrompt(Prompt):
    """Filters a table while it is typed."""

    SIGN = "/"

    def __init__(self, rows: Rows[object]) -> None:
        super().__init__()
        self.rows = rows

    def on_mount(self) -> None:
        """Go on from the filter there is."""
        super().on_mount()
        self.input.value = self.rows.table.written
        self.input.cursor_position = len(self.input.value)

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        """Show what is left."""
        event.stop()
        self.rows.sift(event.value)
        wrong = Sieve.of(event.value).error
        table = self.rows.table
        self.say(wrong or f"{len(table.shown):,} of {len(table.rows):,}   ! inverse   re: pattern", bool(wrong))

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Keep the filter."""
        event.stop()
        self.leave()
        self.screen.set_focus(self.rows)

    def action_give_up(self) -> None:
        """All rows again."""
        self.rows.sift("")
        self.leave()
        self.screen.set_focus(self.rows)


class CommandPrompt(Prompt):
    """Takes a command; Tab completes, up and down go through what was typed before."""

    SIGN = ":"

    def __init__(self) -> None:
        super().__init__()
        self.place = 0  # in the history, counted from its end
        self.stem = ""  # what Tab completes
        self.offers: list[str] = []

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        """Say what it could become."""
        event.stop()
        if event.value not in self.offers:
            self.offers = []
        found = commandline.complete(event.value, self.app)
        self.say("  ".join(word.rpartition(" ")[2] for word in found[:6]) + ("  …" if len(found) > 6 else ""))

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Do it."""
        event.stop()
        said = commandline.perform(event.value, self.app)
        if said:
            self.say(said, wrong=True)
        else:
            self.leave()

    def on_key(self, event: events.Key) -> None:
        """Tab, up and down."""
        if event.key not in ("tab", "up", "down"):
            return
        event.stop()
        event.prevent_default()
        if event.key == "tab":
            self._complete()
        else:
            self._recall(1 if event.key == "up" else -1)

    def _complete(self) -> None:
        if not self.offers:
            self.offers = commandline.complete(self.input.value, self.app)
            at = -1
        else:
            at = self.offers.index(self.input.value) if self.input.value in self.offers else -1
        if self.offers:
            self._fill(self.offers[(at + 1) % len(self.offers)])

    def _recall(self, step: int) -> None:
        history = commandline.history(self.app)
        self.place = min(max(self.place + step, 0), len(history))
        self._fill(history[-self.place] if self.place else "")

    def _fill(self, text: str) -> None:
        self.input.value = text
        self.input.cursor_position = len(text)
