"""How long to wait before another try: as the server asked, else exponentially; with jitter, never past a deadline."""

from __future__ import annotations

import random
from collections.abc import Callable
from email.utils import parsedate_to_datetime

FIRST = 0.4
MOST = 15.0
MOST_ASKED = 60.0


class Backoff:
    """Waiting times of one operation. `patience` is how many seconds it may go on in all."""

    def __init__(self, patience: float, jitter: Callable[[], float] = random.random) -> None:
        self._left = patience
        self._next = FIRST
        self._jitter = jitter
        self.tries = 0

    def next(self, asked: float | None = None) -> float | None:
        """Seconds to wait before the next try, or None when patience is at its end. `asked` is Retry-After.

        A server's wish is the least that is waited; up to a quarter more keeps clients from coming back all at once.
        """
        self.tries += 1
        base = min(asked, MOST_ASKED) if asked is not None else self._next
        wait = base * (1 + self._jitter() / 4) if asked is not None else base * (0.5 + self._jitter() / 2)
        self._next = min(self._next * 2, MOST)
        if wait > self._left:
            return None
        self._left -= wait
        return wait

    def spend(self, seconds: float) -> None:
        """Time used by a try counts too."""
        self._left -= seconds


def retry_after(text: str | None, now: float) -> float | None:
    """The seconds a Retry-After header asks for (RFC 9110 10.2.3: seconds or a date); None where there is no readable one."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(int(text)) if len(text) < 7 else MOST_ASKED
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (TypeError, ValueError, OverflowError):
        return None
