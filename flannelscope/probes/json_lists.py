"""Lists of objects as iproute2 prints them with -j, decoded into small structs; one odd object does not spoil the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from flannelscope.probes import Parsed, Unparsable

E = TypeVar("E")
V = TypeVar("V")


class JsonList(Generic[E]):
    """How a list of entries of one struct is read. Empty output is an empty list: so iproute2 says that there is nothing."""

    def __init__(self, entry: type[E]) -> None:
        self.decoder = msgspec.json.Decoder(list[entry])  # type: ignore[valid-type]
        self.single = msgspec.json.Decoder(entry)

    def parse(self, output: bytes, value: Callable[[E], V | None]) -> Parsed[tuple[V, ...]]:
        """The values; what is None, or of another shape, is counted as not understood. Raises Unparsable where it is no list."""
        try:
            entries = self.decoder.decode(output) if output.strip() else []
        except UnicodeDecodeError:  # a device may have any bytes for a name
            return self.parse(output.decode("utf-8", "replace").encode(), value)
        except (msgspec.DecodeError, RecursionError) as error:
            return self._one_by_one(output, value, str(error))
        found = [value(entry) for entry in entries]
        if None not in found:
            return Parsed(tuple(found))  # type: ignore[arg-type]
        odd = (entry for entry, made in zip(entries, found, strict=True) if made is None)
        return Parsed(tuple(made for made in found if made is not None), tuple(_shown(entry) for entry in odd))

    def _one_by_one(self, output: bytes, value: Callable[[E], V | None], why: str) -> Parsed[tuple[V, ...]]:
        found: list[V] = []
        unparsed: list[str] = []
        for item in _items(output, why):
            try:
                made = value(self.single.decode(item))
            except (msgspec.DecodeError, RecursionError):
                made = None
            if made is None:
                unparsed.append(bytes(item).decode())
            else:
                found.append(made)
        return Parsed(tuple(found), tuple(unparsed))


_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def _items(output: bytes, why: str) -> list[msgspec.Raw]:
    try:
        return _ITEMS.decode(output.decode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        raise Unparsable(f"this is no list of JSON: {why}") from None


def _shown(item: object) -> str:
    return msgspec.json.encode(item).decode()
