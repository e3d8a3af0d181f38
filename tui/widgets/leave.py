"""Asks whether to quit, in the last line; whatever is behind it stays readable."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui.widgets.lines import Note


class Leave(ModalScreen[bool]):
    """Quit or stay."""

    BINDING_GROUP_TITLE = "Quit"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,y,enter", "dismiss(True)", "quit", id="leave.yes", tooltip="leave flannelscope"),
        Binding("escape,n", "dismiss(False)", "stay", id="leave.no", tooltip="go on"),
    ]
    DEFAULT_CSS = """
    Leave { background: transparent; align: left bottom; }
    Leave Note { width: 100%; height: 1; background: $warning 20%; }
    Leave:ansi Note { text-style: reverse; }
    """

    def compose(self) -> ComposeResult:
        """One line."""
        note = Note()
        note.put([("Quit flannelscope?  ", "title"), ("q", "key"), (" or ", ""), ("enter", "key"), (" quits   ", "")])
        note.put([*note.spans, ("esc", "key"), (" stays", "")])
        yield note
