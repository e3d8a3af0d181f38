"""A cluster, read through its API server: the Source of the real world.

Lists once, then watches. Everything goes through one transport that lets reads through and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from flannelscope.errors import CannotRead, Refused
from flannelscope.events import RequestDone
from flannelscope.model import Cluster, Gap, Node, Pod, SecondRead, Snapshot, Topic
from flannelscope.sources import Answer, Part
from flannelscope.sources.faults import Missing, Stopped, Unauthorized
from flannelscope.sources.follow import Follower
from flannelscope.sources.reader import Reader, gap_of
from flannelscope.sources.rights import NODES, target
from flannelscope.sources.streams import Starts
from flannelscope.sources.topics import (
    configuration,
    control_plane,
    daemonsets,
    events,
    flannel_pods,
    leases,
    nodes,
    pods,
    policies,
    services,
    version,
)
from flannelscope.sources.transport import Reach, Transport
from flannelscope.sources.watch import Pace

if TYPE_CHECKING:
    from flannelscope.session import Settings

Read = Callable[[Reader, Snapshot, Starts], Iterator[Answer]]

TOPICS: dict[Topic, Read] = {
    Topic.VERSION: version.read,
    Topic.NODES: nodes.read,
    Topic.DAEMONSETS: daemonsets.read,
    Topic.CONTROL_PLANE: control_plane.read,
    Topic.CONFIGURATION: configuration.read,
    Topic.FLANNEL_PODS: flannel_pods.read,
    Topic.LEASES: leases.read,
    Topic.SERVICES: services.read,
    Topic.EVENTS: events.read,
    Topic.POLICIES: policies.read,
    Topic.PODS: pods.read,
}


class KubeSource:
    """One API server. `pods` is none, suspect or all; `timeout` (seconds) holds for connecting and every wait for bytes."""

    kind = "api"

    def __init__(
        self, reach: Reach, *, pods: str = "all", timeout: float = 15.0, nodes_proxy: bool = False, pace: Pace | None = None
    ) -> None:
        self.transport = Transport(reach, timeout=timeout, nodes_proxy=nodes_proxy)
        self._pods = pods
        self._pace = pace or Pace()
        self._starts = Starts()
        self._refusals: list[Refused] = []
        self._granted = False  # whether any object of the cluster could be read
        self._closed = threading.Event()
        self._again = threading.Event()  # what is not watched is to be read again

    @classmethod
    def connect(cls, settings: Settings) -> KubeSource:
        """The cluster that these settings name. Raises NoCluster, UsageError."""
        from flannelscope.sources.kubeconfig import load

        return cls(load(settings), pods=settings.pods, timeout=settings.timeout, nodes_proxy=settings.nodes_proxy)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about how the server is reached, for the operator."""
        return self.transport.reach.warnings

    def now(self) -> float:
        """The API server's clock."""
        return self.transport.clock.now()

    def topics(self) -> Sequence[Topic]:
        """In the order in which they are most wanted; later ones build on earlier ones. Pods last: they are the most."""
        return tuple(topic for topic in TOPICS if topic != Topic.PODS or self._pods != "none")

    def read(self, topic: Topic, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """Read one topic. Raises CannotRead where nothing can be read: no connection, 401, or every topic refused."""
        reader = Reader(self.transport, topic, stop, self._pods)
        try:
            for answer in TOPICS[topic](reader, known, self._starts):
                if isinstance(answer, RequestDone):
                    self._granted = self._granted or _granted(answer)
                yield self._timed(answer, known.cluster) if isinstance(answer, Part) else answer
        except Stopped:
            return
        except Missing:
            yield Part(topic, {}, reader.reading(0, absent=True))
        except Unauthorized:
            raise
        except Refused as fault:
            self._refusals.append(fault)
            yield gap_of(topic, fault)
        except CannotRead as fault:
            if topic == Topic.VERSION:
                raise
            yield gap_of(topic, fault)
        if topic == self.topics()[-1] and self._refusals and not self._granted:
            raise self._refusals[0]

    def watch(self, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """Changes of what `read` listed, gathered, until `stop` is set. Raises CannotRead when the login was lost."""

        def read(topic: Topic, so_far: Snapshot) -> Iterator[Answer]:
            return self.read(topic, so_far, stop)

        follower = Follower(
            self.transport, known, self._starts, self._pace, stop, again=self._again, topics=self.topics(), read=read
        )
        cluster = known.cluster
        try:
            for answer in follower.run():
                if isinstance(answer, Part):
                    answer = self._timed(answer, cluster)
                    cluster = answer.fields["cluster"]
                yield answer
        except Stopped:
            return

    def refresh(self) -> bool:
        """Have `watch` read what is not watched, unless lists are old (Pace.relist)."""
        young = time.monotonic() < self._starts.newest() + self._pace.relist
        if not young or self._closed.is_set():
            return False
        self._again.set()
        return True

    def reread(self, names: Sequence[str], known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """Read these Nodes and their pods once more, into `second_reads`: what is there twice was no matter of the moment.

        The Part keeps the Reading of the pods: the second read is compared with the time of the first.
        """
        reader = Reader(self.transport, Topic.PODS, stop, self._pods)
        reading = known.readings.get(Topic.PODS) or reader.reading(0)
        seconds = dict(known.second_reads)
        gaps: list[Gap] = []
        for name in names:
            try:
                seconds[name] = yield from self._second(reader, name)
            except Stopped:
                return
            except CannotRead as fault:
                gaps.append(replace(gap_of(Topic.PODS, fault), node=name))
        yield self._timed(Part(Topic.PODS, {"second_reads": seconds}, reading, True), known.cluster)
        yield from gaps

    def close(self) -> None:
        """Give up connections."""
        self._closed.set()
        self.transport.close()

    def _timed(self, part: Part, cluster: Cluster) -> Part:
        """The Part with the server's clock in it, and what is known of the cluster."""
        cluster = part.fields.get("cluster", cluster)
        fields = {**part.fields, "cluster": replace(cluster, now=self.now())}
        return replace(part, fields=fields)

    def _second(self, reader: Reader, name: str) -> Generator[Answer, None, SecondRead]:
        node: Node | None = None
        with suppress(Missing):
            _, node = yield from reader.one(NODES, "", name, nodes.NODE)
        found: list[Pod] = []
        yield from pods.of_nodes(reader, (name,), found, [])
        return SecondRead(reader.now(), node, tuple(found))


def _granted(done: RequestDone) -> bool:
    """Whether an object or a list was answered: /version and discovery are open to everybody."""
    return 200 <= done.status < 300 and bool(target(done.path.partition("?")[0]).resource)
