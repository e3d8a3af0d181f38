"""The toolkit's help panel, made from the bindings, as one thing that is scrolled by the keys that move."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import HelpPanel, Static


class Help(HelpPanel):
    """Stands beside the page; the focus stays where it was, so that the keys shown are those that work there."""

    DEFAULT_CSS = """
    Help { width: 50%; min-width: 38; max-width: 64; overflow-y: auto; }
    Help .ways { text-style: bold; padding-left: 1; }
    Help #widget-help { margin-top: 0; max-height: 100vh; }
    Help #widget-help MarkdownBlock { padding-left: 1; padding-right: 1; }
    Help KeyPanel#keys-help { height: auto; overflow-y: hidden; }
    """

    def compose(self) -> ComposeResult:
        """How to go about in it, then the help of what has the focus, then the keys."""
        yield Static("j k, arrows, PgUp PgDn, g G scroll this; esc closes", classes="ways", markup=False)
        yield from super().compose()
