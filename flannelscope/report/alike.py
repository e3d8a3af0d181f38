"""Commands that are the same but for a few words: said once, and for all others only what differs.

A reader who has seen the twelve lines for one pair of Nodes needs for the next pair only the names, the block and the MAC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_WORD = re.compile(r"[\w:./\[\]-]+")


def differing(first: Sequence[str], other: Sequence[str]) -> dict[str, str] | None:
    """The words of `first` that are others in `other`, each with what stands in its place; None where more than words differs.

    Replacing them in `first` gives exactly `other`. Words that follow from shorter ones (w1.json from w1) are left out. None
    too where a word is both replaced and put in: who replaces one after the other would end with commands for another Node.
    """
    if len(first) != len(other):
        return None
    words: dict[str, str] = {}
    for one, another in zip(first, other, strict=True):
        if _WORD.split(one) != _WORD.split(another):
            return None
        for here, there in zip(_WORD.findall(one), _WORD.findall(another), strict=True):
            if words.setdefault(here, there) != there:
                return None
    changed = {here: there for here, there in words.items() if here != there}
    if changed.keys() & set(changed.values()):
        return None
    for longer in sorted(changed, key=len, reverse=True):
        rest = {here: there for here, there in changed.items() if here != longer}
        if written(first, rest) == list(other):
            changed = rest
    return changed if written(first, changed) == list(other) else None


def written(commands: Sequence[str], words: Mapping[str, str]) -> list[str]:
    """The commands with these words in the place of others. A name inside a longer one (w1 in w10) is left alone."""
    if not words:
        return list(commands)
    longest = sorted(words, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest))})(?![\w-])")
    return [pattern.sub(lambda found: words[found[0]], command) for command in commands]
