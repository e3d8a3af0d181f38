"""One setting of the effective configuration: what is in effect, and everybody who says something of it."""

from __future__ import annotations

from collections.abc import Iterable

from flannelscope.views import EvidenceLine, SettingLine
from tui.detail import DocumentPage
from tui.state import State
from tui.widgets.document import Block
from tui.widgets.paint import Span
from tui.words import SETTINGS

SURENESS = {
    "yes": "read where it takes effect",
    "hint": "a hint: read where it is written down, which may be old",
    "estimate": "inferred from the cluster, written nowhere that was read",
    "unknown": "nothing that was read says it",
}


class SettingPage(DocumentPage):
    """A setting, opened."""

    OPENS = "setting"
    TITLE = "Setting"
    HELP = "What is in effect stands first. `c` copies a value or the command that shows it."

    def heading(self, state: State) -> list[Span]:
        """Its name."""
        return [("Setting ", ""), (SETTINGS.get(self.key, self.key), "title")]

    def draw(self, state: State) -> None:
        """Show it."""
        lines = state.overview.configuration if state.overview is not None else ()
        self.document.put(_blocks([line for line in lines if line.name == self.key], self.key != "contradiction"))


def _blocks(lines: list[SettingLine], judged: bool) -> Iterable[Block]:
    yield Block()
    if not lines:
        yield Block((("Nothing is known of it now.", "muted"),))
    for line in lines:
        yield Block(((line.value, "title"),), copy=line.value)
        if judged:
            yield Block(((SURENESS.get(line.sure, line.sure), "muted"),))
        for what in dict.fromkeys(source.what for source in line.sources):
            yield Block()
            yield Block(((what, "accent"),))
            for source in line.sources:
                if source.what == what:
                    yield from _source(source)


def _source(source: EvidenceLine) -> Iterable[Block]:
    yield Block((("· ", ""), (source.value, "title"), (f"   {source.origin}", "muted")), indent=2, copy=source.value)
    if source.command:
        yield Block((("  $ ", "muted"), (source.command, "muted")), indent=4, copy=source.command, command=True)


PAGE = SettingPage
