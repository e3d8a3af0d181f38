"""Eyes: the only modules that read the world, all behind one protocol."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from flannelscope.events import Refreshed, RequestDone, TopicProgress, WatchState
from flannelscope.model import Gap, Node, Reading, Snapshot, Topic, Value
from flannelscope.questions import Question


class Part(Value, frozen=True):
    """What a source read of `topic`: values for fields of Snapshot, and how it was read.

    A topic may come in several Parts, each holding all that was read of it so far; only the last is `complete`.
    `change` marks what a watch saw: it adds to a reading, so what that one could not read (Gaps) is still missing,
    but for `healed`: Gaps that no longer hold.
    """

    topic: Topic
    fields: Mapping[str, Any]
    reading: Reading
    change: bool = False
    healed: tuple[Gap, ...] = ()


NodesNow = Callable[[], Mapping[str, Node]]
Answer = Part | Gap | RequestDone | TopicProgress | WatchState | Refreshed | Question


class Source(Protocol):
    """Something that can be read, topic by topic: a cluster, a file, a simulated cluster."""

    kind: str  # api, file, simulated

    def topics(self) -> Sequence[Topic]:
        """What can be read here, in the order in which it is best read."""

    def read(self, topic: Topic, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """Read one topic. What fails becomes a Gap; only a failure that ends everything is raised (CannotRead)."""

    def watch(self, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """Changes after `known`, gathered by time, until `stop` is set. Empty where nothing changes."""

    def close(self) -> None:
        """Give up connections; a read under way in another thread ends soon."""


@runtime_checkable
class Rereads(Protocol):
    """A source that moves while it is read: what was seen may have been a matter of the moment."""

    def reread(self, names: Sequence[str], known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """Read these Nodes and their pods once more, into Snapshot.second_reads."""


@runtime_checkable
class Sweeps(Protocol):
    """A source that reads the nodes themselves: Topic.KERNELS is read once with the others, and again whenever it is asked to."""

    def sweep(
        self, names: Sequence[str] | None, known: Snapshot, stop: threading.Event, nodes_now: NodesNow | None = None
    ) -> Iterator[Answer]:
        """Read the kernels of these Nodes into Snapshot.second_sweep; None: of all Nodes, into Snapshot.sweep.

        `nodes_now` tells the Nodes as they are when that is done; None: they are read again.
        """

    def wanted(self) -> bool:
        """Whether somebody asked (`refresh`) for the kernels to be read again since the last call."""


@runtime_checkable
class Refreshes(Protocol):
    """A source that follows what it listed: while its lists are young, reading again takes only what no watch tells of."""

    def refresh(self) -> bool:
        """Have `watch` read that; it ends with Refreshed. False: everything has to be read anew. From any thread."""
