"""Values that must not be seen: what holds them shows only its name, in a repr, a log and a traceback with locals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

HIDDEN = "[hidden]"
_TOKEN_LIKE = re.compile(r"eyJ[\w-]{6,}(?:\.[\w-]*){0,2}|k8s-aws-v1\.[\w-]+|[A-Za-z0-9+/_=-]{40,}")
_JOINTS = re.compile(r"""[\s=:,'"]+""")
_SHORTEST = 6  # shorter values would hide parts of ordinary words


class Hidden(msgspec.Struct, frozen=True, kw_only=True, eq=False, rename="kebab"):
    """A struct that keeps its fields out of every representation."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({HIDDEN})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("", HIDDEN)]


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secrets and without whatever looks like a token or a key.

    A short secret is hidden only where it stands as a word of its own.
    """
    known = {secret for secret in secrets if any(map(str.isalnum, secret))}
    patterns = [
        re.escape(secret) if len(secret) >= _SHORTEST else rf"(?<!\w){re.escape(secret)}(?!\w)"
        for secret in sorted(known, key=len, reverse=True)
    ]
    if patterns:
        text = re.sub("|".join(patterns), HIDDEN, text)
    return _TOKEN_LIKE.sub(HIDDEN, text)


def words_of(arguments: Iterable[str]) -> Iterator[str]:
    """All that a program may repeat of its arguments: each whole, its words, what is behind "=", and the parts of these."""
    for argument in arguments:
        for word in (argument, *argument.split()):
            yield from (word, word.lstrip("-"), word.partition("=")[2], *_JOINTS.split(word))
