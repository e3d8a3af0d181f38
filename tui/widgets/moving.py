"""Keys that move are the help's while it is open, else those of the table or page under it."""

from __future__ import annotations

from textual.binding import Binding
from textual.widget import Widget

from tui.widgets.keys import KeysInOrder

MOVE = Binding.Group("move", compact=True)


class Moving(KeysInOrder):
    """A widget with a cursor. Subclasses move it in `move`, `turn` and `jump`."""

    def action_move(self, rows: int) -> None:
        """By so many rows or entries."""
        panel = self._help()
        if panel is None:
            self.move(rows)
        else:
            panel.scroll_relative(y=rows, animate=False)

    def action_page(self, pages: int) -> None:
        """By so many pages."""
        panel = self._help()
        if panel is None:
            self.turn(pages)
        else:
            panel.scroll_relative(y=pages * max(panel.size.height - 1, 1), animate=False)

    def action_end(self, end: int) -> None:
        """To the beginning (below 0) or the end."""
        panel = self._help()
        if panel is None:
            self.jump(end)
        elif end < 0:
            panel.scroll_home(animate=False)
        else:
            panel.scroll_end(animate=False)

    def _help(self) -> Widget | None:
        return next(iter(self.screen.query("HelpPanel").results(Widget)), None)

    def move(self, rows: int) -> None:
        """Move the cursor by so many rows or entries."""
        raise NotImplementedError

    def turn(self, pages: int) -> None:
        """Move by pages."""
        raise NotImplementedError

    def jump(self, end: int) -> None:
        """Move to the beginning (below 0) or the end."""
        raise NotImplementedError
