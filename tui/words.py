"""How the console writes things: glyphs and their ASCII twins, times, amounts, names cut to fit.

All text that reaches the terminal goes through `spans` of the painted widgets, which clean it; nothing here makes markup.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from flannelscope.text import fold

GLYPHS = {"x": "✗", "!": "!", "i": "i", "?": "?", ".": "·", "-": "–"}
ROLES = {"x": "bad", "!": "warn", "i": "info", "?": "unknown", ".": "muted", "-": "muted"}
SEVERITIES = {3: "x", 2: "!", 1: "i"}
SEVERITY_NAMES = {3: "critical", 2: "warning", 1: "info"}
SETTINGS = {
    "cluster-cidr": "cluster CIDR",
    "node-cidr-mask-size": "node mask",
    "service-cidr": "services",
    "allocator": "allocator",
    "contradiction": "contradiction",
}
_BOXES = "".join(map(chr, range(0x2500, 0x2580)))  # what the toolkit draws frames with: corners and crossings but for these
_LEVEL, _UPRIGHT = "─━┄┅┈┉╌╍═╴╶╸╺╼╾", "│┃┆┇┊┋╎╏║╵╷╹╻╽╿"
TWINS = str.maketrans(
    {
        **dict.fromkeys(_BOXES, "+"), **dict.fromkeys(_LEVEL, "-"), **dict.fromkeys(_UPRIGHT, "|"),
        **dict.fromkeys("▏▎▍▌▋▊▉▐▕", "|"), **dict.fromkeys("▂▃▄▅▆▇▀", " "), **dict.fromkeys("█░▒▓", "#"), "▁": "_", "▔": "-",
        "✗": "x", "·": ".", "–": "-", "—": "-", "…": "~", "‹": "<", "›": ">", "▲": "^", "▼": "v", "•": "*", "●": "*",
        "→": ">", "←": "<", "↑": "^", "↓": "v", "⏎": "~", "↩": "~", "×": "x", "≥": "}", "🔎": "> ",
    }
)  # fmt: skip


_NUMBER = re.compile(r"\d+")


def glyph(letter: str) -> tuple[str, str]:
    """The glyph of a letter (x ! i ? . -) with its role."""
    return GLYPHS.get(letter, letter), ROLES.get(letter, "")


def speaks_utf8(environment: Mapping[str, str]) -> bool:
    """Whether the terminal can be sent UTF-8, as the locale says. The Linux console's font lacks most glyphs.

    Python itself sets LC_CTYPE=C.UTF-8 where the locale is C (PEP 538); that says nothing about the terminal.
    """
    if environment.get("TERM") == "linux":
        return False
    kind = environment.get("LC_CTYPE", "")
    told = environment.get("LC_ALL") or ("" if kind == "C.UTF-8" else kind) or environment.get("LANG", "")
    return "utf-8" in told.lower() or "utf8" in told.lower()


class AsciiFilter(LineFilter):
    """Turns all that is painted into ASCII, twin for glyph, cell for cell."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same line in ASCII."""
        return [s if s.control or s.text.isascii() else Segment(to_ascii(s.text), s.style) for s in segments]


def to_ascii(text: str) -> str:
    """`text` in ASCII, as wide as before."""
    return "".join(c if c.isascii() else "?" * cell_len(c) for c in text.translate(TWINS))


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells: padded, or cut with an ellipsis at the end."""
    size = cell_len(text)
    if size > width:
        return set_cell_size(text, max(width - 1, 0)) + "…" if width > 0 else ""
    return " " * (width - size) + text if right else text + " " * (width - size)


def middle(text: str, width: int) -> str:
    """A name in at most `width` cells, cut in the middle: both ends tell names apart (ip-10…-41)."""
    if cell_len(text) <= width:
        return text
    if width < 5:
        return fit(text, width)
    tail = (width - 1) // 2
    start = set_cell_size(text, width - 1 - tail).rstrip()
    end = text
    while cell_len(end) > tail:
        end = end[1:]
    return f"{start}…{end}"


def clock(at: float, *, utc: bool, now: float | None = None) -> str:
    """A time of day with its zone (03:12:44Z, 05:12:44+02:00); with its date where that is half a day or more from `now`."""
    if not at:
        return "-"
    then = time.gmtime(at) if utc else time.localtime(at)
    zone = "Z" if utc else time.strftime("%z", then)
    zone = zone if utc else f"{zone[:3]}:{zone[3:]}"
    distant = now is not None and abs(now - at) >= 12 * 3600
    return time.strftime("%Y-%m-%d %H:%M:%S" if distant else "%H:%M:%S", then) + zone


def age(seconds: float | None) -> str:
    """How long, as kubectl says it: 45s, 12m, 3h, 210d, 3y."""
    if seconds is None:
        return "-"
    seconds = max(seconds, 0)
    for size, letter, most in ((1, "s", 120), (60, "m", 120), (3600, "h", 48), (86400, "d", 1000)):
        if seconds < size * most:
            return f"{int(seconds // size)}{letter}"
    return f"{int(seconds // (365.25 * 86400))}y"


def amount(received: int) -> str:
    """Bytes in few letters: 812 B, 4.1 kB, 12 MB."""
    size = float(received)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


@lru_cache(1024)
def folded(names: tuple[str, ...], most: int) -> str:
    """Node names as ranges; kept, since the same are drawn again and again."""
    return fold(names, most)


@lru_cache(65536)
def sortable(name: str) -> str:
    """A text that sorts as people count: w9 before w10."""
    return _NUMBER.sub(lambda found: found[0].zfill(12), name)


def listed(texts: Iterable[str]) -> str:
    """Values of one cell side by side; "-" for none."""
    return ",".join(texts) or "-"
