"""What the engine has to ask: leave to log in to nodes, a passphrase, what a jump host prompts. The answer goes to it alone."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import ScreenResume
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from flannelscope import wire
from flannelscope.questions import LEAVE, PASSPHRASE, YES

NO = "no"
TITLES = {LEAVE: "Log in to the nodes?", PASSPHRASE: "A key is encrypted"}
CANCEL, GO, FIELD = "cancel", "go", "answer"


class Asking(ModalScreen[str | None]):
    """One question; gives the answer, None where it is declined. What does nothing has the focus."""

    BINDING_GROUP_TITLE = "Question"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "decline", "decline", id="asking.decline", tooltip="nothing is done; it is told as a gap")
    ]
    DEFAULT_CSS = """
    Asking { align: center middle; background: $background 60%; }
    Asking > Vertical { width: 90%; max-width: 100; height: auto; max-height: 90%; background: $panel; padding: 0 1; }
    Asking > Vertical { border: round $warning; }
    Asking:ansi > Vertical { background: ansi_default; }
    Asking Static { height: auto; }
    Asking Horizontal { height: auto; margin-top: 1; align-horizontal: right; }
    Asking Button { margin-left: 2; }
    Asking Input { margin-top: 1; }
    """

    def __init__(self, asked: wire.Asked) -> None:
        super().__init__()
        self.asked = asked
        self._late = False

    @property
    def leave(self) -> bool:
        """Whether it is leave to log in that is asked for."""
        return self.asked.kind == LEAVE

    def compose(self) -> ComposeResult:
        """The words of the engine as they are, and what can be answered."""
        with Vertical():
            yield Static(Content.styled(TITLES.get(self.asked.kind, f"{self.asked.host} asks"), "bold"))
            yield Static(Content(self.asked.text))
            if not self.leave:
                yield Input(password=self.asked.secret, compact=True, id=FIELD)
            with Horizontal():
                yield Button("Cancel", id=CANCEL, compact=True)
                yield Button("Log in" if self.leave else "Answer", id=GO, variant="warning", compact=True)

    def on_mount(self) -> None:
        """Enter alone gives no leave; a field waits for what is typed."""
        self.query_one(f"#{CANCEL if self.leave else FIELD}").focus()

    def withdraw(self) -> None:
        """Go without an answer, at once or, under another question, when this one comes into view again."""
        self._late = True
        self._leave_if_late()

    @on(ScreenResume)
    def _leave_if_late(self) -> None:
        if self._late and self.app.screen is self:
            self.app.pop_screen()

    def action_decline(self) -> None:
        """No."""
        self.dismiss(NO if self.leave else None)

    @on(Button.Pressed)
    def pressed(self, message: Button.Pressed) -> None:
        """One of the two."""
        if message.button.id == CANCEL:
            self.action_decline()
        else:
            self._answer()

    @on(Input.Submitted)
    def submitted(self, message: Input.Submitted) -> None:
        """Enter in the field."""
        message.stop()
        self._answer()

    def _answer(self) -> None:
        self.dismiss(YES if self.leave else self.query_one(Input).value)
