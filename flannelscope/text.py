"""The one sanitiser of text from the world: names, annotations, log lines, command output.

Whatever passes through `clean` holds no character that moves a cursor, rings, hides, reorders or colours: a hostile
annotation can then say only what it says. Front ends wrap the result so that it is never read as markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

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


LISTED = 12  # numbers in one bracket
_DIGITS = re.compile(r"(\d+)")
_NUMBERED = re.compile(r"(.*?)([0-9]+)([^0-9]*)", re.DOTALL)


@lru_cache(16_384)
def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts node9 before node10."""
    parts = _DIGITS.split(name)
    return tuple((1, int(p), p) if p.isascii() and p.isdigit() else (0, 0, p) for p in parts if p)


def fold(names: Iterable[str], most: int = 6, joint: str = " ") -> str:
    """Node names in few words: w[031-040] w118, w[012,077,203]; at most `most` groups, then how many names are left out."""
    unique = sorted(set(names), key=natural)
    padding = _padding(unique)
    groups: dict[tuple[str, str, int], list[int]] = {}
    shown: list[tuple[str, int]] = []
    for name in unique:
        found = _NUMBERED.fullmatch(name)
        if found is None or len(found[2]) > 9:
            shown.append((name, 1))
        else:
            padded = padding.get((found[1], found[3], len(found[2])), 0)
            groups.setdefault((found[1], found[3], padded), []).append(int(found[2]))
    for (prefix, suffix, width), numbers in groups.items():
        shown += _ranges(prefix, suffix, width, numbers)
    shown.sort(key=lambda group: natural(group[0]))
    rest = sum(number for _, number in shown[most:])
    return joint.join(text for text, _ in shown[:most]) + (f" and {rest} more" if rest > 0 else "")


def listed(names: Iterable[str]) -> str:
    """Node names inside of a sentence: w[031-040], w118."""
    return fold(names, joint=", ")


def _padding(names: Iterable[str]) -> dict[tuple[str, str, int], int]:
    """Numbers of one length are zero-padded when one of them starts with 0 (and is more than that 0)."""
    parts = (_NUMBERED.fullmatch(name) for name in names)
    return {(p[1], p[3], len(p[2])): len(p[2]) for p in parts if p is not None and len(p[2]) > 1 and p[2][0] == "0"}


def _ranges(prefix: str, suffix: str, width: int, numbers: list[int]) -> list[tuple[str, int]]:
    """Runs of three and more as ranges; what stands alone in one list, or by name where these are at most two.

    With each, how many names it holds.
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    shown = [(f"{prefix}[{run[0]:0{width}d}-{run[-1]:0{width}d}]{suffix}", len(run)) for run in runs if len(run) > 2]
    alone = [f"{number:0{width}d}" for run in runs if len(run) <= 2 for number in run]
    if len(alone) > 2:
        rest = f",… {len(alone) - LISTED} more" if len(alone) > LISTED else ""
        return [*shown, (f"{prefix}[{','.join(alone[:LISTED])}{rest}]{suffix}", len(alone))]
    return [*shown, *((f"{prefix}{number}{suffix}", 1) for number in alone)]


_TERMS = {
    "podcidr": "podCIDR",
    "cidr": "CIDR",
    "ip": "IP",
    "vtep": "VTEP",
    "mac": "MAC",
    "mtu": "MTU",
    "vxlan": "VXLAN",
    "cni": "CNI",
}


def spoken(slug: str) -> str:
    """A slug in words, with the field's terms as they are written: duplicate-podcidr is duplicate podCIDR."""
    return " ".join(_TERMS.get(word, word) for word in slug.split("-"))


def count(number: int, one: str, many: str = "") -> str:
    """1 node, 2 nodes, 1,019 pods."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
