"""Lists that a watch can go on from: the same pages, with every value under its uid."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from flannelscope.events import RequestDone, TopicProgress
from flannelscope.sources.decode import Decoder
from flannelscope.sources.reader import Listed, Reader
from flannelscope.sources.streams import Start, Starts, Stream

V = TypeVar("V")


def keyed(shape: type[Any], project: Callable[[Any], V]) -> Decoder[tuple[str, V]]:
    """A Decoder of (uid, value)."""
    return Decoder(shape, lambda said: (said.metadata.uid or f"{said.metadata.namespace}/{said.metadata.name}", project(said)))


def listed(
    reader: Reader, stream: Stream, starts: Starts, *, whole: bool = True
) -> Iterator[RequestDone | TopicProgress | Listed[tuple[str, Any]]]:
    """List `stream` to its end and remember where its watch starts."""
    at = time.monotonic()
    pages = reader.values(stream.kind, stream.decoder, _uid, namespace=stream.namespace, query=stream.query, whole=whole)
    for item in pages:
        if isinstance(item, Listed) and not item.more:
            starts.put(stream, Start(item.version, dict(item.values), at, item.odd))
        yield item


def _uid(pair: tuple[str, Any]) -> str:
    return pair[0]


def values(item: Listed[tuple[str, V]]) -> tuple[V, ...]:
    """The values without their uids."""
    return tuple(value for _, value in item.values)
