"""Prose and facts to read, line by line: paragraphs that wrap, and items among them that can be chosen or copied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import getters
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from tui.notices import Notices
from tui.widgets.command import wrap_command
from tui.widgets.moving import MOVE, Moving
from tui.widgets.paint import Painted, Span, cropped, wrap
from tui.widgets.rows import LOOK

SHORT = 16  # rows of the terminal below which blank lines are left out


@dataclass(frozen=True)
class Block:
    """A paragraph. `item` is what is chosen on Enter, `copy` what goes to the clipboard; one with neither is only read.

    `indent` hangs the lines after the first. A `folded` one shows only its first line until the cursor is on it, where the
    page does not hold all of it. A `command` is broken as a shell would take it. An empty one is a blank line.
    """

    spans: tuple[Span, ...] = ()
    indent: int = 0
    item: str = ""
    copy: str = ""
    folded: bool = False
    command: bool = False

    @property
    def live(self) -> bool:
        """Whether the cursor stops here."""
        return bool(self.item or self.copy)


def _alike(one: Block, other: Block) -> bool:
    """Whether both stand for the same thing: what is opened, or else what is copied."""
    return one.item == other.item if one.item else (one.item, one.copy) == (other.item, other.copy)


class Document(Painted, Moving, can_focus=True):
    """Blocks one below the other, as many lines as there are, with a cursor on the live ones."""

    BINDING_GROUP_TITLE = "Page"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "open", id="page.open", tooltip="what stands under the cursor"),
        Binding("c,C", "copy", "copy", id="page.copy", tooltip="what stands under the cursor, to the clipboard", group=LOOK),
        Binding("j,down", "move(1)", "down", show=False, id="page.down", tooltip="next entry or line", group=MOVE),
        Binding("k,up", "move(-1)", "up", show=False, id="page.up", tooltip="entry or line before", group=MOVE),
        Binding("ctrl+f,pagedown", "page(1)", "page down", show=False, id="page.page-down", tooltip="one page", group=MOVE),
        Binding("ctrl+b,pageup", "page(-1)", "page up", show=False, id="page.page-up", tooltip="one page", group=MOVE),
        Binding("g,home", "end(-1)", "top", show=False, id="page.first", tooltip="the beginning", group=MOVE),
        Binding("G,end", "end(1)", "bottom", show=False, id="page.last", tooltip="the end", group=MOVE),
    ]
    DEFAULT_CSS = "Document { height: 1fr; }"

    scope = getters.app(Notices)

    class Chosen(Message):
        """Enter was pressed on an item."""

        def __init__(self, item: str) -> None:
            super().__init__()
            self.item = item

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.blocks: tuple[Block, ...] = ()
        self.cursor = -1  # index of a block
        self.held = False  # the operator put the cursor on its item, so that it stays there whatever comes
        self.top = 0
        self._lines: list[tuple[list[Span], int]] = []

    def put(self, blocks: Iterable[Block]) -> None:
        """Show other blocks; the cursor stays with its item, or at the top where it was not moved yet."""
        held = self.blocks[self.cursor] if self.held and 0 <= self.cursor < len(self.blocks) else None
        blocks = tuple(blocks)
        if blocks == self.blocks:
            return
        self.blocks = blocks
        self.cursor = next((index for index, block in enumerate(blocks) if block.live), -1)
        if held is not None:
            self.cursor = next((i for i, b in enumerate(blocks) if b.live and _alike(b, held)), self.cursor)
        self._lay()

    @property
    def text(self) -> str:
        """All that stands here, as it is wrapped."""
        return "\n".join("".join(text for text, _ in spans) for spans, _ in self._lines)

    def _lay(self) -> None:
        short = self.app.size.height < SHORT
        shown = [(index, block) for index, block in enumerate(self.blocks) if block.spans or not short]
        self._lines = self._wrapped(shown, fold=False)
        if len(self._lines) > self.size.height:
            self._lines = self._wrapped(shown, fold=True)
        self.top = min(self.top, self._most)
        self.refresh()

    def _wrapped(self, shown: Iterable[tuple[int, Block]], *, fold: bool) -> list[tuple[list[Span], int]]:
        width = max(self.size.width - 2, 10)
        laid: list[tuple[list[Span], int]] = []
        for index, block in shown:
            lines = (wrap_command if block.command else wrap)(block.spans, width, block.indent)
            if fold and block.folded and index != self.cursor and len(lines) > 1:
                lines = [cropped(block.spans, width)]
            laid += ((line, index) for line in lines)
        return laid

    @property
    def _most(self) -> int:
        return max(len(self._lines) - max(self.size.height, 1), 0)

    def on_resize(self) -> None:
        """Wrap anew."""
        self._lay()

    def on_focus(self) -> None:
        """The cursor looks different."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor looks different."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line."""
        index = self.top + y
        if index >= len(self._lines):
            return self.paint((), self.size.width)
        spans, block = self._lines[index]
        under = ("cursor" if self.has_focus else "cursor-away") if block == self.cursor else ""
        return self.paint([(" ", ""), *spans], self.size.width, under)

    def move(self, rows: int) -> None:
        """To the next live block in that direction if it is near, else one line on."""
        places = range(self.cursor + 1, len(self.blocks)) if rows > 0 else range(self.cursor - 1, -1, -1)
        to = next((index for index in places if self.blocks[index].live), None)
        first = None if to is None else self._first_line(to)
        reach = self.top + self.size.height + 2 if rows > 0 else self.top - 3
        if to is None or first is None or (first > reach if rows > 0 else first < reach):
            self.top = min(max(self.top + rows, 0), self._most)
        else:
            self.cursor = to
            self.held = True
            self._lay()
            self._show(to)
        self.refresh()

    def _first_line(self, block: int) -> int:
        return next((number for number, (_, index) in enumerate(self._lines) if index == block), 0)

    def _show(self, block: int) -> None:
        places = [number for number, (_, index) in enumerate(self._lines) if index == block]
        if places:
            self.top = max(min(self.top, places[0]), min(places[-1] - self.size.height + 1, places[0]))

    def turn(self, pages: int) -> None:
        """Scroll by pages; the cursor follows into sight."""
        self.top = min(max(self.top + pages * max(self.size.height - 1, 1), 0), self._most)
        self.held = True
        seen = {index for _, index in self._lines[self.top : self.top + self.size.height]}
        if self.cursor not in seen:
            self.cursor = next((index for index in sorted(seen) if self.blocks[index].live), self.cursor)
        self.refresh()

    def jump(self, end: int) -> None:
        """To the beginning or the end."""
        self.top = 0 if end < 0 else self._most
        live = [index for index, block in enumerate(self.blocks) if block.live]
        if live:
            self.cursor = live[0 if end < 0 else -1]
        self.held = end > 0
        self.refresh()

    def action_choose(self) -> None:
        """Open the item under the cursor, or say that nothing is behind it."""
        block = self.blocks[self.cursor] if self.cursor >= 0 else None
        self.held = self.held or block is not None
        if block is not None and block.item:
            self.post_message(self.Chosen(block.item))
        elif block is not None:
            self.notify("nothing opens from this line; c copies it", markup=False, timeout=3)

    def action_copy(self) -> None:
        """What stands under the cursor, to the terminal's clipboard (OSC 52)."""
        block = self.blocks[self.cursor] if self.cursor >= 0 else None
        if block is None:
            return
        self.held = True
        text = block.copy or "".join(text for text, _ in block.spans).strip()
        self.scope.copy(text)
