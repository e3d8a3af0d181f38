"""Going about in the console: pages by key or name, the screens of one thing, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import registry
from tui.notices import Notices
from tui.page import Page
from tui.state import Store

if TYPE_CHECKING:
    from textual.widget import AwaitMount


class Navigation(Notices):
    """The part of the application that shows screens. `store` is what they draw."""

    store: Store
    _before = ""  # the page before this one

    async def action_page(self, mode: str) -> None:
        """Go to a page; to the present one again, back to its beginning."""
        if mode != self.current_mode:
            self._before = self.current_mode
            await self.switch_mode(mode)
            return
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        if mode == "requests":  # its key opens and closes
            await self.action_previous()

    async def action_previous(self) -> None:
        """To the page before."""
        before = self._before or self.DEFAULT_MODE
        if before != self.current_mode:
            await self.action_page(before)

    def action_absent(self, digit: int) -> None:
        """A digit without a screen."""
        self.notify(f"There is no screen {digit} in this version.", markup=False, timeout=3)

    def open(self, kind: str, key: str) -> AwaitMount:
        """Open the screen of one thing: a node by name, a finding by key. May be awaited."""
        return self.push_screen(registry.details()[kind](key))

    def go(self, mode: str, written: str) -> None:
        """Go to a page and filter it, as soon as what is being handled is done."""
        self.call_next(self.narrow, mode, written)

    async def narrow(self, mode: str, written: str) -> None:
        """Go to a page whose table shows only what `written` lets through."""
        from tui.widgets.sifted import Sifted

        if mode != self.current_mode:
            await self.action_page(mode)
        for sifted in self.screen.query(Sifted).results():
            sifted.sift(written)
            return

    async def action_up(self, leave: bool = False) -> None:
        """Close what is open, clear the filter, or go back; at the top, `leave` asks whether to quit."""
        screen = self.screen
        if screen.query("HelpPanel"):
            self.action_hide_help_panel()
        elif isinstance(screen, Page) and screen.clear_filter():
            screen.head(self.store.state)
        elif len(self.screen_stack) > 1:
            await self.pop_screen()
        elif self.current_mode != self.DEFAULT_MODE:
            aside = isinstance(screen, Page) and not screen.KEY.isdigit()  # opened beside another screen, like the requests
            await (self.action_previous() if aside else self.action_page(self.DEFAULT_MODE))
        elif leave:
            from tui.widgets.leave import Leave

            self.push_screen(Leave(), lambda yes: self.exit(0) if yes else None)
