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
        self._since_halved = 0
        self._changed = threading.Condition()

    def enter(self, ending: Ending) -> bool:
        """Wait for a turn; False where the run ended first."""
        with self._changed:
            while self._taken >= self.size:
                if ending.is_set():
                    return False
                self._changed.wait(_LOOK)
            self._taken += 1
        return True

    def leave(self, *, refused: bool) -> None:
        """End of a turn. Turns that began together are refused together: they halve the window once."""
        with self._changed:
            self._taken -= 1
            self._since_halved += 1
            if refused:
                self._good = 0
                self._halve()
            else:
                self._good += 1
                if self._good >= self.size and self.size < self.most:
                    self.size, self._good = self.size + 1, 0
            self._changed.notify_all()

    def _halve(self) -> None:
        if self.size == self.most or self._since_halved >= self.size:
            self.size, self._since_halved = max(self.size // 2, 1), 0
