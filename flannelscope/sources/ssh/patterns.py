"""The patterns of ssh_config(5) and known_hosts: * and ?, and ! before one that must not match."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern), re.DOTALL)


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether one of these matches, and none with a ! does."""
    found = False
    for pattern in patterns:
        if _compiled(pattern.removeprefix("!")).fullmatch(name):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def names(patterns: Iterable[str], name: str) -> bool:
    """Whether they match because of one that says more than `*`: a pattern made for names such as this."""
    patterns = list(patterns)
    telling = [pattern for pattern in patterns if pattern.startswith("!") or pattern.strip("*?.:")]
    return matches(telling, name)
