"""The line in which a filter or a command is typed; it lies over the last line and goes when it is done."""

from __future__ import annotations

import asyncio
import contextlib
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.getters import app, query_one
from textual.widgets import Input, Static

from flannelscope.text import clean
from tui import commandline
from tui.notices import Notices
from tui.table import Sieve
from tui.widgets.keys import KeysInOrder
from tui.widgets.sifted import Sifted

DRAIN = 1.0  # seconds after which keys typed before are not waited for: an input that is going works through no more


class Field(Input, KeysInOrder):
    """An input in which Ctrl-U, backspace and their like take only what was typed before them."""


class Prompt(Horizontal):
    """A sign, an input, and what is to be said about it.

    Its own keys are taken before those of the input, and what was typed before is waited for: so they are worked through in
    their order, and what is typed ahead reaches what has the focus after them.
    """

    SIGN = ""
    DEFAULT_CSS = """
    Prompt { dock: bottom; height: 1; background: $panel; }
    Prompt > .sign { width: 2; padding-left: 1; text-style: bold; }
    Prompt > .said { width: auto; max-width: 60%; color: $text-muted; padding: 0 1; }
    Prompt > .said.-wrong { color: $text-error; }
    Prompt > Input { width: 1fr; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "give up", show=False, id="prompt.give-up", tooltip="leave it as it was", priority=True),
        Binding("enter", "take", "take it", show=False, id="prompt.take", tooltip="filter so, or do so", priority=True),
    ]
    scope = app(Notices)
    input = query_one(Input)
    said = query_one(".said", Static)

    def compose(self) -> ComposeResult:
        """The parts."""
        yield Static(self.SIGN, classes="sign", markup=False)
        field = Field(compact=True, select_on_focus=False)
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

    async def typed(self) -> str:
        """What stands in the input once it has worked through all keys typed before."""
        done = asyncio.Event()
        if self.input.call_later(done.set):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), DRAIN)
        return self.input.value

    async def action_give_up(self) -> None:
        """Go without doing anything."""
        await self.typed()
        await self.leave()

    async def action_take(self) -> None:
        """Do what was typed, and go."""
        raise NotImplementedError

    async def leave(self) -> None:
        """Go; the table gets the focus back."""
        others = (widget for widget in self.screen.focus_chain if widget is not self.input)
        self.screen.set_focus(next(others, None))
        await self.remove()


class FilterPrompt(Prompt):
    """Filters a table or map while it is typed."""

    SIGN = "/"

    def __init__(self, sifted: Sifted) -> None:
        super().__init__()
        self.sifted = sifted

    def on_mount(self) -> None:
        """Go on from the filter there is."""
        super().on_mount()
        self.input.value = self.sifted.written
        self.input.cursor_position = len(self.input.value)

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        """Show what is left."""
        event.stop()
        self.sifted.sift(event.value)
        wrong = Sieve.of(event.value).error
        shown, every = self.sifted.let_through
        self.say(wrong or f"{shown:,} of {every:,}   ! inverse   re: pattern", bool(wrong))

    async def action_take(self) -> None:
        """Keep the filter."""
        await self._leave_with(await self.typed())

    async def action_give_up(self) -> None:
        """All rows again."""
        await self.typed()
        await self._leave_with("")

    async def _leave_with(self, written: str) -> None:
        self.sifted.sift(written)
        self.screen.set_focus(self.sifted)
        await self.remove()


class CommandPrompt(Prompt):
    """Takes a command; Tab completes, up and down go through what was typed before."""

    SIGN = ":"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "complete", show=False, id="prompt.complete", tooltip="again: the next", priority=True),
        Binding("up", "recall(1)", "before", show=False, id="prompt.before", tooltip="what was typed before", priority=True),
        Binding("down", "recall(-1)", "after", show=False, id="prompt.after", tooltip="what was typed after", priority=True),
    ]

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

    async def action_take(self) -> None:
        """Do it."""
        said = commandline.perform(await self.typed(), self.app)
        if said:
            self.say(said, wrong=True)
        else:
            await self.leave()

    async def action_complete(self) -> None:
        """The first of what it could become, then the next."""
        await self.typed()
        if not self.offers:
            self.offers = commandline.complete(self.input.value, self.app)
            at = -1
        else:
            at = self.offers.index(self.input.value) if self.input.value in self.offers else -1
        if self.offers:
            self._fill(self.offers[(at + 1) % len(self.offers)])

    async def action_recall(self, step: int) -> None:
        """What was typed before, or after that."""
        await self.typed()
        history = commandline.history(self.app)
        self.place = min(max(self.place + step, 0), len(history))
        self._fill(history[-self.place] if self.place else "")

    def _fill(self, text: str) -> None:
        self.input.value = text
        self.input.cursor_position = len(text)
