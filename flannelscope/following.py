"""Following a cluster with eyes on its nodes: what the API's watches tell, and the kernels again after something changed.

After a Node came, went or changed, every other node has to follow; whether it has is looked up some seconds later, and again
at growing distances until nothing is suspicious any more. Sweeps run in a thread beside the watches.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from flannelscope.events import WatchState
from flannelscope.growing import take
from flannelscope.held import Held
from flannelscope.model import Gap, Node, Snapshot, Topic, Value
from flannelscope.sources import Answer, Part, Source, Sweeps
from flannelscope.suspects import APART, suspects

FOLLOWS = (10.0, 35.0, 60.0, 120.0, 300.0)  # seconds from a change, or from the sweep before, to the next one
LAG = 1.0  # seconds a watch may be behind
_LOOK = 0.1


class _Ended(Value, frozen=True):
    """One of the two has no more to say; `error` is what ended the watches."""

    sweep: bool
    error: Exception | None = None


class Following:
    """Goes on from `known`. `follows` and `apart` are seconds, as above."""

    def __init__(
        self,
        source: Source,
        known: Snapshot,
        stop: threading.Event,
        *,
        follows: tuple[float, ...] = FOLLOWS,
        apart: float = APART,
        lag: float = LAG,
    ) -> None:
        assert isinstance(source, Sweeps)
        self._source: Source = source
        self._eyes: Sweeps = source
        self._snapshot = known
        self._stop = stop
        self._follows = follows
        self._apart = apart
        self._lag = lag
        self._line: queue.Queue[Answer | _Ended] = queue.Queue(1000)
        self._watched = False
        self._sweeping = False
        self._first = True  # the sweep under way, or the last one, is of all nodes
        self._held = Held()
        self._second: frozenset[str] = frozenset()  # to be read again
        self._later: float | None = None  # when a change that came between two sweeps is to be looked up
        self._due: float | None = None
        self._turn = 0

    def run(self) -> Iterator[Answer]:
        """What watches and sweeps say, until `stop` is set. Raises what the watches raise."""
        self._start(lambda: self._source.watch(self._snapshot, self._stop), sweep=False)
        while not self._stop.is_set():
            said = self._next()
            if isinstance(said, _Ended):
                if said.error is not None:
                    raise said.error
                if not said.sweep:
                    return
                for answer in self._swept():
                    yield self._taken(answer)
            elif said is not None and not (_of_kernels(said) and self._held.take(said, self._snapshot)):
                before = self._snapshot
                yield self._taken(said)
                self._look_at(said, before)
            self._plan()

    def _taken(self, said: Answer) -> Answer:
        self._snapshot, _ = take(self._snapshot, said)
        return said

    def _next(self) -> Answer | _Ended | None:
        try:
            return self._line.get(timeout=_LOOK)
        except queue.Empty:
            return None

    def _look_at(self, said: Answer, before: Snapshot) -> None:
        if isinstance(said, WatchState) and said.topic is Topic.NODES:
            self._watched = said.state == "watching"
        if isinstance(said, Part) and said.topic is Topic.NODES and before.changes != self._snapshot.changes:
            self._again(self._follows[0])

    def _again(self, seconds: float) -> None:
        """A sweep of all nodes in so many seconds; what was planned is forgotten, but for the second look at what was found."""
        due = time.monotonic() + seconds
        if self._second or (self._sweeping and not self._first):
            self._later = due
        else:
            self._turn, self._due = 0, due

    def _plan(self) -> None:
        """Begin a sweep when it is time for one."""
        if self._eyes.wanted():
            self._again(0.0)
        if self._sweeping or self._due is None or time.monotonic() < self._due:
            return
        names = sorted(self._second) or None
        self._second, self._due, self._sweeping = frozenset(), None, True
        known = self._held.over(self._snapshot)
        now = self._nodes_now if self._watched else None
        self._start(lambda: self._eyes.sweep(names, known, self._stop, now), sweep=True)
        self._first = names is None

    def _nodes_now(self) -> Mapping[str, Node]:
        """The Nodes as the watch tells them, a moment after the sweep."""
        self._stop.wait(self._lag)
        return {node.name: node for node in self._snapshot.nodes}

    def _swept(self) -> Iterator[Answer]:
        """What comes after a sweep: the suspicious a second time; then, while any are, all of them later.

        A sweep of all is told together with the second look at it: until then the one before stands.
        """
        self._sweeping = False
        doubtful = suspects(self._held.over(self._snapshot))
        if self._first and doubtful:
            self._later, self._due = self._due, time.monotonic() + self._apart
            self._second = doubtful
            return
        yield from self._held.released()
        if self._later is not None:  # something changed meanwhile
            self._turn, self._due, self._later = 0, self._later, None
        elif self._due is None and (doubtful or self._turn == 0) and self._turn + 1 < len(self._follows):
            self._turn += 1
            self._due = time.monotonic() + self._follows[self._turn]

    def _start(self, answers: Callable[[], Iterable[Answer]], *, sweep: bool) -> None:
        threading.Thread(target=self._pump, args=(answers, sweep), name="sweep" if sweep else "watch", daemon=True).start()

    def _pump(self, answers: Callable[[], Iterable[Answer]], sweep: bool) -> None:
        error: Exception | None = None
        try:
            for answer in answers():
                self._put(answer)
        except Exception as raised:  # noqa: BLE001 - handed to the thread that follows, which raises it
            if sweep:  # the API is followed on
                self._put(Gap(Topic.KERNELS, f"the nodes could not be read again: {type(raised).__name__}: {raised}"))
            else:
                error = raised
        self._put(_Ended(sweep, error))

    def _put(self, said: Answer | _Ended) -> None:
        while not self._stop.is_set():
            try:
                self._line.put(said, timeout=_LOOK)
                return
            except queue.Full:
                continue


def _of_kernels(said: Answer) -> bool:
    return isinstance(said, (Part, Gap)) and said.topic is Topic.KERNELS
