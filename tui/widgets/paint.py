"""The base of what we draw ourselves, line by line: spans of text, each with a role, never markup.

A role is a word of meaning (bad, warn, info, good, unknown, muted, title, accent …); `tui.themes` gives it its look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from flannelscope.text import clean
from tui.themes import look

Span = tuple[str, str]  # text, role


class Painted(Widget):
    """A widget that paints spans."""

    def role_style(self, role: str) -> Style:
        """The look of a role in the present theme."""
        return look(self.app.current_theme, self.app.no_color)[role] if role else Style.null()

    def _over(self, base: Style, role: str) -> Style:
        """The look of a role there. On a reversed line a colour would fill the cells; the glyph says the same without it."""
        style = self.role_style(role)
        return Style(bold=style.bold, dim=style.dim) if base.reverse else style

    def paint(self, spans: Iterable[Span], width: int, under: str = "") -> Strip:
        """One line: spans over the widget's own style, or over that of the role `under`, cut or filled to `width` cells."""
        base = self.rich_style + (self.role_style(under) if under else Style.null())
        segments: list[Segment] = []
        left = width
        for text, role in spans:
            shown = clean(text)
            size = cell_len(shown)
            if size > left:
                shown, size = set_cell_size(shown, left), left
            if shown:
                segments.append(Segment(shown, base + self._over(base, role) if role else base))
            left -= size
            if not left:
                break
        if left > 0:
            segments.append(Segment(" " * left, base))
        return Strip(segments, width)


def width_of(spans: Iterable[Span]) -> int:
    """How many cells the spans take."""
    return sum(cell_len(clean(text)) for text, _ in spans)


def wrap(spans: Sequence[Span], width: int, indent: int = 0) -> list[list[Span]]:
    """Spans broken into lines of `width` cells between words; lines after the first begin with `indent` blanks.

    A word longer than a line is cut; blanks at a break are dropped.
    """
    lines: list[list[Span]] = [[]]
    left = max(width, indent + 8)
    room = left
    for text, role in spans:
        for word in _words(clean(text)):
            size = cell_len(word)
            if size > room and word.isspace():
                room = 0
                continue
            if size > room and room < left - indent:
                lines.append([(" " * indent, "")] if indent else [])
                room = left - indent
            while size > room:
                head = set_cell_size(word, room)
                cut = len(head.rstrip()) or 1
                lines[-1].append((word[:cut], role))
                word = word[cut:]
                size = cell_len(word)
                lines.append([(" " * indent, "")] if indent else [])
                room = left - indent
            if word.isspace() and room == left - indent and len(lines) > 1:
                continue
            _add(lines[-1], word, role)
            room -= size
    return lines


def _add(line: list[Span], word: str, role: str) -> None:
    if line and line[-1][1] == role:
        line[-1] = (line[-1][0] + word, role)
    else:
        line.append((word, role))


def _words(text: str) -> list[str]:
    found: list[str] = []
    for char in text:
        if found and (found[-1][0] == " ") == (char == " "):
            found[-1] += char
        else:
            found.append(char)
    return found


def cropped(cell: Sequence[Span], width: int) -> list[Span]:
    """The first `width` cells of spans that are longer, the last of them an ellipsis."""
    kept: list[Span] = []
    room = width - 1
    for text, role in cell:
        size = width_of([(text, role)])
        if size > room:
            kept.append((set_cell_size(text, room) + "…", role))
            break
        kept.append((text, role))
        room -= size
    return kept
