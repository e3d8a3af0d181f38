"""What the console says in passing. It stands in the last line in place of the keys, so that it covers no row of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.app import App
from textual.content import Content
from textual.message import Message

from flannelscope.text import clean
from tui.words import fit

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

GRAVITY = {"information": 0, "warning": 1, "error": 2}
SENT = "sent to the terminal's clipboard (OSC 52; else :copied)  "
LEAST = 12  # cells of a copied text that are shown
HELD = 5.0  # seconds, where nothing else is asked for


@dataclass(frozen=True, eq=False)
class Notice:
    """One thing said: its text (not yet cleaned), how grave it is (information, warning, error), for how many seconds."""

    text: str
    severity: str = "information"
    seconds: float = HELD


class Said(Message):
    """Something is to be said; may be posted from any thread."""

    def __init__(self, notice: Notice) -> None:
        super().__init__()
        self.notice = notice


class Notices(App[int]):
    """The part of the application that says things. `notices` are in view, the gravest first."""

    notices: tuple[Notice, ...] = ()

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Say it in the last line for `timeout` seconds. The toolkit's own messages are markup; ours never are."""
        text = Content.from_markup(message).plain if markup else message
        whole = f"{title} {text}" if title else text
        self.post_message(Said(Notice(whole, severity, HELD if timeout is None else timeout)))

    @on(Said)
    def say(self, message: Said) -> None:
        """Show it; what is graver stays beside it, the rest goes."""
        said = message.notice
        graver = tuple(notice for notice in self.notices if GRAVITY[notice.severity] > GRAVITY[said.severity])
        self._show((*graver, said))
        self.set_timer(said.seconds, lambda: self._show(tuple(notice for notice in self.notices if notice is not said)))

    def _show(self, notices: tuple[Notice, ...]) -> None:
        if notices != self.notices:
            self.notices = notices
            self.lay_last_line()

    def lay_last_line(self) -> None:
        """Draw the last line of the page in view anew; above it something may stand that is asked."""
        from tui.page import Page

        for screen in self.screen_stack:
            if isinstance(screen, Page):
                screen.lay_last_line()

    def copy(self, text: str) -> None:
        """Send text to the terminal's clipboard. Terminals do not answer, so that nothing more can be said than that."""
        if not text:
            self.notify("nothing to copy: there is no value here", markup=False)
            return
        self.copy_to_clipboard(text)
        shown, room = clean(text), max(self.size.width - len(SENT) - 2, LEAST)
        self.notify(SENT + (fit(shown, room) if len(shown) > room else shown), markup=False, timeout=8)
