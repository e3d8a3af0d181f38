"""A command line of a shell over several lines of the screen, such that nobody takes its blanks for the screen's.

Between arguments a line ends in the shell's own backslash; inside an argument that is longer than a line the mark ↩ stands,
which is no part of it, and never beside a blank. What is copied is the command as it is, in one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len, set_cell_size

from flannelscope.text import clean
from tui.widgets.paint import Span, wrap

ON = " \\"
INSIDE = "↩"


def wrap_command(spans: Sequence[Span], width: int, indent: int) -> list[list[Span]]:
    """The command is the last span; what stands before it (a prompt) takes `indent` cells, and so does what other lines
    begin with."""
    *before, (text, role) = spans
    room = max(width - indent, 8)
    command, comment = _parts(clean(text))
    lines = [[(line, role)] for line in _filled(_arguments(command), room)]
    if comment and lines and cell_len(command) + 2 + cell_len(comment) <= room and len(lines) == 1:
        lines[0][0] = (f"{command}  {comment}", role)
    elif comment:
        said = wrap([(comment.removeprefix("#").strip(), role)], max(room - 2, 8))
        lines += [[("# ", role), *line] for line in said]
    return [[*(before if not number else [(" " * indent, "")]), *line] for number, line in enumerate(lines)]


def _quoted(text: str) -> list[bool]:
    """For every letter, whether it stands in quotes or behind a backslash (POSIX shell, 2.2 Quoting)."""
    marks: list[bool] = []
    quote, escaped = "", False
    for char in text:
        marks.append(bool(quote) or escaped)
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
    return marks


def _parts(text: str) -> tuple[str, str]:
    """The command, and the comment behind it."""
    quoted = _quoted(text)
    for place, char in enumerate(text):
        if char == "#" and not quoted[place] and (not place or text[place - 1] == " "):
            return text[:place].rstrip(), text[place:]
    return text, ""


def _arguments(command: str) -> list[str]:
    """Arguments and the blanks between them, in turn."""
    marked = zip(command, _quoted(command), strict=True)
    return ["".join(char for char, _ in run) for _, run in groupby(marked, key=lambda pair: pair[0] == " " and not pair[1])]


def _filled(parts: list[str], room: int) -> list[str]:
    """Lines of at most `room` cells, each with as many arguments as it holds."""
    lines: list[str] = []
    line = blanks = ""
    for part in parts:
        if part.isspace():
            blanks = part
            continue
        if line and cell_len(line + blanks + part) + len(ON) > room:
            lines.append(line + ON)
            line = ""
        if line:
            line += blanks + part
        else:
            *cut, line = _cut(part, room - len(ON))
            lines += cut
    return [*lines, line]


def _cut(argument: str, room: int) -> list[str]:
    """An argument in pieces of at most `room` cells, all but the last with the mark."""
    pieces: list[str] = []
    while cell_len(argument) > room:
        most = max(len(set_cell_size(argument, room - 1).rstrip()), 2)
        comma = argument.rfind(",", most // 2, most) + 1
        end = comma or most
        while end > 1 and " " in argument[end - 1 : end + 1]:
            end -= 1
        pieces.append(argument[:end] + INSIDE)
        argument = argument[end:]
    return [*pieces, argument]
