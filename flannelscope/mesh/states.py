"""The states of one entry of one kernel towards one peer, small enough for 250,000 pairs."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class State(IntEnum):
    """How what was found stands beside what is wanted. `EXTRA`: there, not wanted, harmless."""

    NOT_WANTED = 0
    OK = 1
    MISSING = 2
    DIFFERS = 3
    EXTRA = 4
    SETTLING = 5  # an end changed around the reading, or what was wrong at first was right a moment later
    UNKNOWN = 6

    @property
    def wrong(self) -> bool:
        """Whether something is to be mended."""
        return self in (State.MISSING, State.DIFFERS)


class Leg(StrEnum):
    """The three entries that a packet to a peer's pod needs, in its order."""

    ROUTE = "route"
    NEIGHBOUR = "neighbour"
    FDB = "fdb"


LEGS = tuple(Leg)
WRONG = frozenset((State.MISSING, State.DIFFERS))
GRAVEST = (State.MISSING, State.DIFFERS, State.UNKNOWN, State.SETTLING, State.OK, State.EXTRA, State.NOT_WANTED)
SETTLES = bytes(State.SETTLING if code in WRONG else code for code in range(256))  # for bytearray.translate
