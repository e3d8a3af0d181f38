"""Values that must not be seen: what holds them shows only its name, in a repr, a log and a traceback with locals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

HIDDEN = "[hidden]"
_TOKEN_LIKE = re.compile(r"eyJ[\w-]{6,}(?:\.[\w-]*){0,2}|k8s-aws-v1\.[\w-]+|[A-Za-z0-9+/_=-]{40,}")
_SHORTEST = 6  # shorter values would hide ordinary words


class Hidden(msgspec.Struct, frozen=True, kw_only=True, eq=False, rename="kebab"):
    """A struct that keeps its fields out of every representation."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({HIDDEN})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("", HIDDEN)]


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secrets and without whatever looks like a token or a key."""
    for secret in sorted({s for s in secrets if len(s) >= _SHORTEST}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _TOKEN_LIKE.sub(HIDDEN, text)
