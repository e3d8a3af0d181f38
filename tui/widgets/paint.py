"""The base of what we draw ourselves, line by line: spans of text, each with a role, never markup.

A role is a word of meaning (bad, warn, info, good, unknown, muted, title, accent); the style sheet gives it its look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from flannelscope.text import clean

Span = tuple[str, str]  # text, role
ROLES = ("bad", "warn", "info", "good", "unknown", "muted", "title", "accent", "key")


class Painted(Widget):
    """A widget that paints spans."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*(f"paint--{role}" for role in ROLES), "paint--cursor", "paint--cursor-away"}
    DEFAULT_CSS = """
    Painted {
        & > .paint--bad { color: $text-error; text-style: bold; }
        & > .paint--warn { color: $text-warning; }
        & > .paint--info { color: $text-primary; }
        & > .paint--good { color: $text-success; }
        & > .paint--unknown { color: $text-accent; }
        & > .paint--muted { color: $secondary; }
        & > .paint--title { text-style: bold; }
        & > .paint--accent { color: $text-accent; text-style: bold; }
        & > .paint--key { text-style: bold; }
        & > .paint--cursor { background: $surface-lighten-2; text-style: bold; }
        & > .paint--cursor-away { background: $surface; }
        &:ansi > .paint--muted { color: ansi_default; text-style: dim; }
        &:ansi > .paint--bad { color: ansi_red; }
        &:ansi > .paint--warn { color: ansi_yellow; }
        &:ansi > .paint--info { color: ansi_cyan; }
        &:ansi > .paint--good { color: ansi_green; }
        &:ansi > .paint--unknown { color: ansi_magenta; }
        &:ansi > .paint--accent { color: ansi_cyan; }
        &:ansi > .paint--cursor { background: ansi_default; text-style: reverse; }
        &:nocolor > .paint--cursor { text-style: reverse; }
    }
    """

    def role_style(self, role: str) -> Style:
        """The look of a role."""
        return self.get_component_rich_style(f"paint--{role}", partial=True) if role else Style.null()

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
                segments.append(Segment(shown, base + self.role_style(role) if role else base))
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
