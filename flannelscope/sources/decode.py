"""Bodies to values: a whole page at once, and object by object where one of them is not as it should be.

An odd object costs itself and nothing else: it becomes an Odd with its name, the fields and what was wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from flannelscope.model import Value
from flannelscope.sources import wire
from flannelscope.sources.faults import not_json
from flannelscope.text import clean

V = TypeVar("V")
BROKEN = (msgspec.DecodeError, UnicodeError, RecursionError)


class Odd(Value, frozen=True):
    """An object that could not be read: its name and uid where these could, and why."""

    name: str
    namespace: str
    reason: str
    uid: str = ""


class Decoder(Generic[V]):
    """Decodes objects of one kind into values: `shape` as they stand on the wire, `project` into the model."""

    def __init__(self, shape: type[Any], project: Callable[[Any], V]) -> None:
        self._items: msgspec.json.Decoder[Any] = msgspec.json.Decoder(wire.Items[shape])  # type: ignore[valid-type]
        self._one: msgspec.json.Decoder[Any] = msgspec.json.Decoder(shape)
        self._project = project

    def page(self, body: bytes | bytearray, where: str) -> tuple[list[V], Sequence[Odd]]:
        """The values of a list, and what could not be read. Raises ReadFailed when the body is no list."""
        project = self._project
        try:
            return [project(item) for item in self._items.decode(body).items or ()], ()
        except BROKEN:
            return self._each(body, where)

    def one(self, body: bytes | bytearray | msgspec.Raw, where: str) -> V:
        """One object. Raises ReadFailed when it is odd."""
        try:
            return self._project(self._one.decode(body))
        except BROKEN as error:
            raise not_json(where, error, bytes(body)) from error

    def try_one(self, body: bytes | msgspec.Raw) -> V | Odd:
        """One object, or what is odd about it."""
        try:
            return self._project(self._one.decode(body))
        except BROKEN as error:
            return odd(body, error)

    def _each(self, body: bytes | bytearray, where: str) -> tuple[list[V], Sequence[Odd]]:
        try:
            items = _RAW_ITEMS.decode(body).items or ()
        except BROKEN as error:
            raise not_json(where, error, body) from error
        read = [self.try_one(item) for item in items]
        return [v for v in read if not isinstance(v, Odd)], [v for v in read if isinstance(v, Odd)]


class _Anyone(wire.Wire):
    """An object of which nothing is taken for granted."""

    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


_RAW_ITEMS: msgspec.json.Decoder[Any] = msgspec.json.Decoder(wire.Items[msgspec.Raw])


def odd(body: bytes | msgspec.Raw, error: Exception) -> Odd:
    """What can be said of an object that could not be read."""
    try:
        said = msgspec.json.decode(body, type=_Anyone).metadata
    except BROKEN:
        said = {}
    name, namespace, uid = (text if isinstance(text := said.get(key), str) else "" for key in ("name", "namespace", "uid"))
    return Odd(name, namespace, clean(str(error), 160), uid)
