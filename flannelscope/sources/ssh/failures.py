"""Why a node was not reached, raised where it is found and made a Failed where the node is known."""

from __future__ import annotations

from flannelscope.text import clean

SHOWN = 400  # characters of text from the world in a sentence


class NotReached(Exception):
    """The node does not answer. `reason` is a sentence without its full stop, `do` the command that helps."""

    def __init__(self, reason: str, do: str = "") -> None:
        super().__init__(reason)
        self.reason = clean(reason, SHOWN)
        self.do = clean(do, 2 * SHOWN)


class TurnedAway(NotReached):
    """The server had too much to do just now (MaxStartups, MaxSessions, …): fewer at a time, and again later."""


class Ended(NotReached):
    """The run was told to stop."""

    def __init__(self) -> None:
        super().__init__("stopped")
