"""What running code tells a watcher. Generators of these, with a stop event, are the whole interface to front ends."""

from __future__ import annotations

from flannelscope.model import Gap, Snapshot, Topic, Value
from flannelscope.questions import Question


class RequestDone(Value, frozen=True, kw_only=True):
    """One request to the API server, for the request log: `path` without query values that are not ours to show."""

    method: str
    path: str
    status: int  # 0 when no answer came
    received: int  # bytes of the body as transferred
    seconds: float
    at: float
    note: str = ""  # "retry 2: 429, waiting 1 s", "continue token expired", …
    absent: bool = False  # the answer: this object, or this version of a group, is not there

    @property
    def failed(self) -> bool:
        """Whether what was asked for did not come."""
        return not (200 <= self.status < 300 or self.absent)


class TopicProgress(Value, frozen=True):
    """`read` objects of `topic` so far; `total` where the server said how many remain."""

    topic: Topic
    read: int
    total: int | None = None


class TopicDone(Value, frozen=True):
    """`topic` was read to its end: how many objects, in how long."""

    topic: Topic
    count: int
    seconds: float


class GapFound(Value, frozen=True):
    """Something could not be read; the Snapshot holds the Gap with the others."""

    gap: Gap
    snapshot: Snapshot


class Grown(Value, frozen=True):
    """The Snapshot has a new part (`topic`), or a watch changed it."""

    snapshot: Snapshot
    topic: Topic


class WatchState(Value, frozen=True):
    """How the watch of a topic stands: `state` is watching, reconnecting, relisting or off; `reason` says why."""

    topic: Topic
    state: str
    reason: str = ""


class Refreshed(Value, frozen=True):
    """What no watch tells of was read again; a Gap says what of it could not be, `failed` why nothing of it could.

    What is watched may be listed again in `lists_in` seconds.
    """

    lists_in: float
    failed: str = ""


Event = RequestDone | TopicProgress | TopicDone | GapFound | Grown | WatchState | Refreshed | Question
