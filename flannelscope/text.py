"""The one sanitiser of text from the world: names, annotations, log lines, command output.

Whatever passes through `clean` holds no character that moves a cursor, rings, hides, reorders or colours: a hostile
annotation can then say only what it says. Front ends wrap the result so that it is never read as markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# ECMA-48 control sequences (CSI), operating system commands (OSC, DCS, SOS, PM, APC up to their terminator), and
# two-character escapes; in both the 7-bit (ESC x) and the 8-bit (C1) form.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# C0, DEL, C1; bidi marks, embeddings, overrides and isolates; zero-width and other invisible format characters; line and
# paragraph separators; surrogates; noncharacters; tags; variation selectors (they change the width of what stands before).
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_BLANK = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")


def clean(text: str, limit: int | None = None) -> str:
    """One line of `text` without control, escape, bidi or invisible characters; line breaks and tabs become one blank.

    `limit` cuts to so many characters and marks the cut with an ellipsis.
    """
    if text.isascii() and text.isprintable():
        shown = text
    else:
        shown = _HIDDEN.sub("\ufffd", _BLANK.sub(" ", _SEQUENCE.sub("\ufffd", text)))
    if limit is not None and len(shown) > limit:
        shown = shown[: max(limit - 1, 0)] + "…"
    return shown


def clean_lines(text: str) -> str:
    """`text` with its line breaks kept and every line cleaned."""
    return "\n".join(clean(line) for line in text.splitlines())


_DIGITS = re.compile(r"(\d+)")


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts node9 before node10."""
    parts = _DIGITS.split(name)
    return tuple((1, int(p), p) if p.isascii() and p.isdigit() else (0, 0, p) for p in parts if p)


def fold(names: list[str] | tuple[str, ...], most: int = 6) -> str:
    """Node names as ranges: w[031-040,077] w118; at most `most` groups, the rest counted."""
    if len(names) == 1:
        return names[0]
    groups: dict[tuple[str, str, int], list[int]] = {}
    single: list[str] = []
    padding = _padding(names)
    for name in sorted(set(names), key=natural):
        found = re.fullmatch(r"(.*?)(\d+)(\D*)", name)
        if found is None or len(found[2]) > 9:
            single.append(name)
            continue
        padded = padding.get((found[1], found[3], len(found[2])), 0)
        groups.setdefault((found[1], found[3], padded), []).append(int(found[2]))
    shown = [_range(prefix, suffix, width, numbers) for (prefix, suffix, width), numbers in groups.items()] + single
    shown.sort(key=natural)
    rest = len(shown) - most
    return " ".join(shown[:most]) + (f" and {rest} more" if rest > 0 else "")


def _padding(names: Iterable[str]) -> dict[tuple[str, str, int], int]:
    """Numbers of one length are zero-padded when one of them starts with 0 (and is more than that 0)."""
    parts = (re.fullmatch(r"(.*?)(\d+)(\D*)", name) for name in names)
    return {(p[1], p[3], len(p[2])): len(p[2]) for p in parts if p is not None and len(p[2]) > 1 and p[2][0] == "0"}


def _range(prefix: str, suffix: str, width: int, numbers: list[int]) -> str:
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [f"{run[0]:0{width}d}" if len(run) == 1 else f"{run[0]:0{width}d}-{run[-1]:0{width}d}" for run in runs]
    if len(numbers) == 1:
        return f"{prefix}{parts[0]}{suffix}"
    return f"{prefix}[{','.join(parts)}]{suffix}"


def count(number: int, one: str, many: str = "") -> str:
    """1 node, 2 nodes."""
    return f"{number} {one if number == 1 else many or one + 's'}"
