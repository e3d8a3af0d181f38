"""What is watched after it was listed: one stream for a kind, or for a selection of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from flannelscope.model import Topic
from flannelscope.sources.decode import Decoder, Odd
from flannelscope.sources.rights import Kind


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A list that can be watched. `query` are selectors; `decoder` makes (uid, value) of an object."""

    topic: Topic
    kind: Kind
    decoder: Decoder[tuple[str, Any]]
    namespace: str = ""
    query: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """Tells it from other streams of its topic."""
        return " ".join((self.namespace, *(value for _, value in self.query))).strip()

    @property
    def whole(self) -> bool:
        """Whether it is all of a kind, not a selection."""
        return not self.query and not self.namespace


class Start(msgspec.Struct, frozen=True):
    """Where a watch goes on: the list's resourceVersion, its values by uid, our monotonic clock when it was read.

    `odd` are the objects of the list that could not be read.
    """

    version: str
    values: Mapping[str, Any]
    at: float
    odd: tuple[Odd, ...] = ()


class Starts:
    """The lists that were read to their end, by topic and stream name."""

    def __init__(self) -> None:
        self._all: dict[tuple[Topic, str], tuple[Stream, Start]] = {}

    def put(self, stream: Stream, start: Start) -> None:
        """`stream` was listed."""
        self._all[stream.topic, stream.name] = (stream, start)

    def listed(self, stream: Stream, at: float) -> None:
        """`stream` was listed anew `at` this moment of our monotonic clock; its values are with whoever follows it."""
        self._all[stream.topic, stream.name] = (stream, Start("", {}, at))

    def newest(self) -> float:
        """Our monotonic clock when a whole kind was listed last; minus infinity when none was. From any thread."""
        return max((start.at for stream, start in self.items() if stream.whole), default=float("-inf"))

    def forget(self, topic: Topic) -> None:
        """The streams of a topic are chosen anew."""
        self._all = {key: value for key, value in self._all.items() if key[0] != topic}

    def items(self) -> tuple[tuple[Stream, Start], ...]:
        """All of them."""
        return tuple(self._all.values())
