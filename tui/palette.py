"""The palette (Ctrl-P): pages, commands, nodes and findings, the best fifty of what matches."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Hits, Provider

from flannelscope.text import clean, natural, spoken
from tui.app import FlannelScope
from tui.commandline import COMMANDS, perform

MOST = 50


@dataclass(frozen=True)
class Entry:
    """One thing that can be chosen."""

    name: str
    help: str
    act: Callable[[], object]


class Palette(Provider):
    """The one provider of the console."""

    @property
    def scope(self) -> FlannelScope:
        """The app."""
        assert isinstance(self.app, FlannelScope)
        return self.app

    def _typed(self, command: str) -> Callable[[], None]:
        def act() -> None:
            perform(command, self.scope)

        return act

    def _commands(self) -> Iterator[Entry]:
        for mode, page in self.scope.pages.items():
            yield Entry(mode, page.SUMMARY, self._typed(mode))
        for name, (means, _, arguments) in COMMANDS.items():
            if arguments is None:
                yield Entry(name, means, self._typed(name))
        for theme in sorted(self.scope.available_themes):
            yield Entry(f"theme {theme}", "other colours", self._typed(f"theme {theme}"))

    def _things(self) -> Iterator[Entry]:
        state = self.scope.store.state
        for name in sorted(state.rows, key=natural):
            yield Entry(f"node {clean(name)}", state.rows[name].note, partial(self.scope.open, "node", name))
        for finding in state.findings:
            name = f"{finding.code} {spoken(finding.slug)}"
            yield Entry(clean(name), finding.summary, partial(self.scope.open, "finding", finding.key))

    async def discover(self) -> Hits:
        """What is offered before anything is typed."""
        for entry in self._commands():
            if not entry.name.startswith("theme"):
                yield DiscoveryHit(Text(entry.name), entry.act, text=entry.name, help=entry.help)

    async def search(self, query: str) -> Hits:
        """The best matches; yielding all of them would stall the loop."""
        matcher = self.matcher(query)
        scored = ((matcher.match(entry.name), entry) for entry in (*self._commands(), *self._things()))
        best = heapq.nlargest(MOST, ((s, e) for s, e in scored if s > 0), key=lambda pair: pair[0])
        for score, entry in best:
            yield Hit(score, Text(entry.name), entry.act, text=entry.name, help=_no_markup(entry.help))


def _no_markup(text: str) -> str:
    """The help of a hit is read as markup by the palette, so that no bracket may be in it."""
    return clean(text, 160).replace("[", "(").replace("]", ")")
