"""A screen that draws the store. Subclasses say what is on it and how a State is drawn, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from flannelscope.text import count
from flannelscope.views import Overview
from tui.state import Phase, State
from tui.widgets.lines import HeadLine, KeyLine
from tui.widgets.paint import Span
from tui.widgets.sifted import Sifted
from tui.words import amount, clock

if TYPE_CHECKING:
    from tui.app import FlannelScope


class Page(Screen[None]):
    """A page of the console, reached by its key or its name."""

    MODE: ClassVar[str] = ""  # its name, also on the command line
    KEY: ClassVar[str] = ""
    TITLE: ClassVar[str | None] = None
    DECORATION: ClassVar[int] = 0  # so many of the first spans of the heading may go where room is short
    SUMMARY: ClassVar[str] = ""  # what it shows, for help and palette

    BINDINGS: ClassVar[list[BindingType]] = [  # the toolkit's own, in words of ours
        Binding("tab", "app.focus_next", "next part", show=False, id="screen.next-part", tooltip="of this screen"),
        Binding("shift+tab", "app.focus_previous", "part before", show=False, id="screen.part-before", tooltip="of this screen"),
        Binding("ctrl+c,super+c", "screen.copy_text", "copy", show=False, system=True, id="screen.copy-marked"),
    ]

    @property
    def scope(self) -> FlannelScope:
        """The app."""
        from tui.app import FlannelScope

        assert isinstance(self.app, FlannelScope)
        return self.app

    def compose(self) -> ComposeResult:
        """The frame; what stands in it is `body`'s."""
        yield HeadLine()
        yield from self.body()
        yield KeyLine()

    def body(self) -> ComposeResult:
        """The widgets between the first line and the last."""
        raise NotImplementedError

    def draw(self, state: State) -> None:
        """Show the State."""
        raise NotImplementedError

    def wants(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The details that the engine is to tell while this is in view: the name of each, and what about."""
        return ()

    def heading(self, state: State) -> list[Span]:
        """The left part of the first line."""
        return [(str(self.TITLE), "title")]

    def on_screen_resume(self) -> None:
        """The store may have changed meanwhile."""
        self.scope.look(self.wants())
        self.show(self.scope.store.state)
        self.lay_last_line()

    def lay_last_line(self) -> None:
        """Draw the last line anew: something is said, or not any more."""
        for line in self.query(KeyLine):  # none while the page is still being made
            line.lay()

    def show(self, state: State) -> None:
        """Draw all of it."""
        self.draw(state)
        self.head(state)

    def head(self, state: State) -> None:
        """Draw the first line."""
        self.query_one(HeadLine).put(self.heading(state), freshness(state, self.scope.now()), self.DECORATION)

    async def ask_filter(self, sifted: Sifted) -> None:
        """Open the filter line for a table or a map."""
        from tui.widgets.prompt import FilterPrompt, Prompt

        if not self.query(Prompt):
            await self.mount(FilterPrompt(sifted))

    def clear_filter(self) -> bool:
        """Take away the filter of the table, if it has one; whether it had one."""
        for sifted in self.query(Sifted):
            if sifted.choosing or sifted.written:
                sifted.choosing = False
                sifted.sift("")
                return True
        return False


class Detail(Page):
    """A screen about one thing, opened from another."""

    OPENS: ClassVar[str] = ""  # the kind of thing
    BINDING_GROUP_TITLE = "Here"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.up", "back", id="detail.back", tooltip="to where this was opened")
    ]

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


def freshness(state: State, now: float) -> list[Span]:
    """The right part of the first line: mode, and either how far the reading is or the time of the data.

    That time is the newest answer's. While a watch is open, what it watches is as new; one that is not stands before the time.
    """
    spans: list[Span] = [("read-only · ", "muted")]
    overview = state.overview
    if state.judging:
        return [*spans, ("judging…", "accent")]
    if state.phase is Phase.READING:
        doing = next((p for p in state.progress.values() if not p.done), None)
        if doing is None:
            return [*spans, ("reading…" if state.progress or overview else "starting…", "accent")]
        far = f" of {doing.total:,}" if doing.total and doing.total > doing.read else ""
        return [*spans, (f"{amount(state.received)} · ", "muted"), (f"reading {doing.topic} {doing.read:,}{far}", "accent")]
    if overview is None:
        return [*spans, ("no data", "bad")]
    time = f"{overview.source} {clock(overview.taken, utc=not state.local, now=now)}"
    if state.stale:
        return [*spans, (f"{time} stale", "warn")]
    if state.refreshing:
        spans.append(("reading again · ", "accent"))
    trouble = next((f"{topic} {said} · " for topic, how in state.watches.items() if (said := _trouble(topic, how[0]))), "")
    return [*spans, (trouble, "warn"), (time, "")] if trouble else [*spans, (time, "")]


def _trouble(topic: str, state: str) -> str:
    """What is wrong with a watch. One that ended for good is said of the large kinds; that of others is a gap among gaps."""
    if state == "off":
        return "not followed" if topic in ("nodes", "pods") else ""
    return "" if state == "watching" else state


def count_nodes(overview: Overview, rows: int) -> str:
    """How many nodes there are; where none was read, nobody knows that there are none."""
    known = overview.nodes if overview.nodes is not None else rows or None
    return "nodes not read" if known is None else count(known, "node")
