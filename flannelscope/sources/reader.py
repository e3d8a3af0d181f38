"""What the topics read with: lists and single objects of one server, in a thread that ends with `stop`."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from flannelscope.errors import CannotRead, Refused
from flannelscope.events import RequestDone, TopicProgress
from flannelscope.model import Gap, Reading, Topic, Value
from flannelscope.sources.background import Halt, background
from flannelscope.sources.decode import Decoder, Odd
from flannelscope.sources.faults import told
from flannelscope.sources.paging import LIMIT, ListMeta, Page, pages
from flannelscope.sources.rights import Kind
from flannelscope.sources.transport import Query, Transport

T = TypeVar("T")
V = TypeVar("V")


class Listed(Value, Generic[V], frozen=True, kw_only=True):
    """All of a list that is read so far. `version` is the resourceVersion a watch can start from."""

    values: tuple[V, ...]
    odd: tuple[Odd, ...] = ()
    version: str = ""
    more: bool = False
    remaining: int | None = None


class _Decoded(Generic[V]):
    """A page without its body."""

    def __init__(self, page: Page, values: list[V], odd: Sequence[Odd]) -> None:
        self.meta, self.restarted, self.loose = page.meta, page.restarted, page.loose
        self.values = values
        self.odd = odd


class Reader:
    """Reads one server for one topic. `key` of a value tells repetitions apart in a list that lost its consistency."""

    def __init__(self, transport: Transport, topic: Topic, stop: threading.Event, pods: str = "all") -> None:
        self.transport = transport
        self.topic = topic
        self.stop = stop
        self.pods = pods

    def now(self) -> float:
        """The API server's clock."""
        return self.transport.clock.now()

    def reading(self, answered: int, *, odd: int = 0, complete: bool = True, scope: str = "", absent: bool = False) -> Reading:
        """How this topic was read, as of this moment."""
        total = answered + odd
        return Reading(at=self.now(), asked=total, answered=answered, complete=complete, scope=scope, absent=absent)

    def gap(self, reason: str, node: str = "") -> Gap:
        """A Gap of this topic."""
        return Gap(self.topic, reason, node)

    def body(self, path: str, query: Query = ()) -> Generator[RequestDone, None, bytearray]:
        """The body of one GET. Raises what Transport.get raises."""
        reply = yield from background(lambda halt: self.transport.get(path, query, halt), self.stop)
        return reply.body

    def one(self, kind: Kind, namespace: str, name: str, decoder: Decoder[V]) -> Generator[RequestDone, None, V]:
        """One object by its name."""
        path = kind.path(namespace, name)
        return decoder.one((yield from self.body(path)), path)

    def values(
        self,
        kind: Kind,
        decoder: Decoder[V],
        key: Callable[[V], Hashable],
        *,
        namespace: str = "",
        query: Query = (),
        version: str = "",
        whole: bool = False,
    ) -> Iterator[RequestDone | TopicProgress | Listed[V]]:
        """A list to its end: what is read so far after each page (with `whole` only progress until all is there)."""
        path = kind.path(namespace, version=version)
        values: list[V] = []
        odd: list[Odd] = []
        began, loose = "", False

        def work(halt: Halt) -> Generator[RequestDone | _Decoded[V], None, None]:
            for item in pages(self.transport, path, query, halt):
                yield item if isinstance(item, RequestDone) else _Decoded(item, *decoder.page(item.body, item.where))

        with _no_collector(), _closing(background(work, self.stop)) as coming:
            for item in coming:
                if isinstance(item, RequestDone):
                    yield item
                    continue
                if item.restarted:
                    values, odd, began = [], [], ""
                values += item.values
                odd += item.odd
                loose = loose or item.loose
                began = began or item.meta.resourceVersion or ""
                yield from self._so_far(item.meta, values, odd, began, whole)
        if loose:
            values = list({key(value): value for value in values}.values())
        yield Listed(values=tuple(values), odd=tuple(odd), version=began)

    def _so_far(
        self, meta: ListMeta, values: list[V], odd: list[Odd], version: str, whole: bool
    ) -> Iterator[TopicProgress | Listed[V]]:
        left = meta.remainingItemCount
        more = bool(meta.continue_)
        if more or len(values) > LIMIT:
            yield TopicProgress(self.topic, len(values), len(values) + (left or 0) if left is not None or not more else None)
        if more and not whole:
            yield Listed(values=tuple(values), odd=tuple(odd), version=version, more=True, remaining=left)


@contextmanager
def _closing(made: Generator[T, None, None]) -> Iterator[Generator[T, None, None]]:
    try:
        yield made
    finally:
        made.close()


_collector = threading.Lock()
_paused = 0


@contextmanager
def _no_collector() -> Iterator[None]:
    """The cyclic collector would walk every object read so far, again and again, and find nothing (measured: half the time)."""
    global _paused
    with _collector:
        _paused += 1
        gc.disable()
    try:
        yield
    finally:
        with _collector:
            _paused -= 1
            if _paused == 0:
                gc.enable()


def gap_of(topic: Topic, fault: CannotRead) -> Gap:
    """The Gap that a fault stands for."""
    if isinstance(fault, Refused):
        return Gap(topic, str(fault.what), verb=fault.verb, resource=fault.resource)
    return Gap(topic, " ".join(part for part in (told(fault), fault.do) if part))


def gap_of_odd(topic: Topic, odd: Odd) -> Gap:
    """The Gap of one object that could not be read; Nodes and their Leases, which are named as they are, name the Node."""
    node = odd.name if topic in (Topic.NODES, Topic.LEASES) else ""
    named = "/".join(part for part in (odd.namespace, odd.name) if part) or "an object without a name"
    return Gap(topic, f"{named} cannot be read: {odd.reason}", node)
