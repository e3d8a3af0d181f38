"""The one store. Written on the UI thread only, by the app's message handlers; every value in it is frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from flannelscope.events import RequestDone
from flannelscope.node_views import AnyDetail
from flannelscope.views import FindingView, NodeRow, Overview
from flannelscope.wire import Failed, Progressed

MOST_REQUESTS = 2000


class Phase(StrEnum):
    """What the engine is at."""

    READING = "reading"
    FINISHED = "finished"  # everything was read once; changes are followed where the source can be followed
    FAILED = "failed"
    STOPPED = "stopped"  # by the operator


@dataclass(frozen=True, eq=False)
class State:
    """All that screens draw. `run` numbers the reading; `rows` are by name, in the order of the source.

    `refreshing` says that what no watch tells of is being read again. `stale` says that the data is old and nothing brings
    newer. `local` shows times in the zone of this machine.
    """

    run: int = 0
    phase: Phase = Phase.READING
    overview: Overview | None = None
    findings: tuple[FindingView, ...] = ()
    rows: Mapping[str, NodeRow] = field(default_factory=dict)
    known: Mapping[str, FindingView] = field(default_factory=dict)  # all findings sent so far, by key
    progress: Mapping[str, Progressed] = field(default_factory=dict)
    requests: tuple[RequestDone, ...] = ()
    watches: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()
    details: Mapping[tuple[str, tuple[str, ...]], AnyDetail | None] = field(default_factory=dict)  # what is in view asked for
    failed: Failed | None = None
    notice: str = ""  # what happened to the engine, until the next answer
    refreshing: bool = False
    stale: bool = False
    local: bool = False

    @property
    def judging(self) -> bool:
        """Whether everything was read, and the answer about all of it is still to come."""
        return self.phase is Phase.FINISHED and (self.overview is None or not self.overview.complete)

    @property
    def followed(self) -> bool:
        """Whether changes of the nodes reach us as they happen."""
        return self.watches.get("nodes", ("", ""))[0] == "watching"

    @property
    def received(self) -> int:
        """Bytes received in this reading."""
        return max((p.received for p in self.progress.values()), default=0)

    @property
    def asked(self) -> int:
        """Requests made in this reading."""
        return max((p.requests for p in self.progress.values()), default=0)

    def finding(self, key: str) -> FindingView | None:
        """A finding that holds."""
        return next((finding for finding in self.findings if finding.key == key), None)


class Store:
    """Holds the State and has every new one drawn before anything else is done: what is seen is what is known."""

    def __init__(self, draw: Callable[[State], None]) -> None:
        self.state = State()
        self._draw = draw

    def put(self, **changes: Any) -> None:
        """Change some fields."""
        self.set(replace(self.state, **changes))

    def set(self, state: State) -> None:
        """Take another State."""
        if state is not self.state:
            self.state = state
            self._draw(state)
