"""What can be filtered by what is typed behind the slash: the table and the map."""

from __future__ import annotations

from textual.reactive import var

from tui.widgets.paint import Painted


class Sifted(Painted):
    """A widget that shows only what a text lets through."""

    choosing = var(False, init=False)  # a letter is awaited: the next key is no command

    @property
    def written(self) -> str:
        """The text in force."""
        raise NotImplementedError

    @property
    def let_through(self) -> tuple[int, int]:
        """How many it lets through, of how many."""
        raise NotImplementedError

    def sift(self, written: str) -> None:
        """Show only what the text lets through; all, where it is empty."""
        raise NotImplementedError
