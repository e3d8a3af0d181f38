"""When a run ends: what is open is closed at once, in whatever thread it is waited for."""

from __future__ import annotations

import math
import threading
import time
from typing import Protocol

_LOOK = 0.1  # seconds between looks at the run's stop event


class Closable(Protocol):
    """Something whose closing wakes up whoever waits for it."""

    def close(self) -> None:
        """Close it; further calls do nothing."""


class Ending:
    """Set with the run's `stop`, or by `set`: then everything attached is closed, and waiting is over.

    What is attached until a time is closed then. A thread looks after both until the end.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._own = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[Closable, float] = {}
        threading.Thread(target=self._look, name="flannelscope-ssh-clock", daemon=True).start()

    def is_set(self) -> bool:
        """Whether to end."""
        return self._own.is_set() or self._stop.is_set()

    def set(self) -> None:
        """End: close what is attached."""
        with self._lock:
            self._own.set()
            still_open, self._open = self._open, {}
        for one in still_open:
            one.close()

    def attach(self, one: Closable, until: float = math.inf) -> None:
        """Close `one` at the end, or at `until` (monotonic seconds); at once where that has come."""
        with self._lock:
            if not self._own.is_set():
                self._open[one] = until
                return
        one.close()

    def detach(self, one: Closable) -> None:
        """`one` outlives the end, or is closed already."""
        with self._lock:
            self._open.pop(one, None)

    def wait(self, seconds: float) -> bool:
        """Sleep that long, or until the end; whether it has come."""
        until = time.monotonic() + seconds
        while not self.is_set():
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._own.wait(min(left, _LOOK))
        return True

    def _look(self) -> None:
        while not self._own.wait(_LOOK):
            if self._stop.is_set():
                self.set()
                return
            now = time.monotonic()
            with self._lock:
                late = [one for one, until in self._open.items() if until <= now]
                for one in late:
                    del self._open[one]
            for one in late:
                one.close()
