"""How many nodes are worked on at a time through one door; narrower when servers turn connections away."""

from __future__ import annotations

import threading

from flannelscope.sources.ssh.ending import Ending

_LOOK = 0.1  # seconds between looks whether the run has ended


class Window:
    """At most `size` turns at a time. Half as many after a refusal; one more for each `size` turns without one."""

    def __init__(self, size: int) -> None:
        self.most = max(size, 1)
        self.size = self.most
        self._taken = 0
        self._good = 0
        self._era = 0  # how often it was halved
        self._changed = threading.Condition()

    def enter(self, ending: Ending) -> int | None:
        """Wait for a turn: its era, to be given back with `leave`; None where the run ended first."""
        with self._changed:
            while self._taken >= self.size:
                if ending.is_set():
                    return None
                self._changed.wait(_LOOK)
            self._taken += 1
            return self._era

    def leave(self, era: int, *, refused: bool) -> None:
        """End of a turn. Turns of one era are refused for one reason: they halve the window once."""
        with self._changed:
            self._taken -= 1
            if refused and era == self._era:
                self.size, self._good, self._era = max(self.size // 2, 1), 0, era + 1
            elif not refused:
                self._good += 1
                if self._good >= self.size and self.size < self.most:
                    self.size, self._good = self.size + 1, 0
            self._changed.notify_all()
