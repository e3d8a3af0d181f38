"""NetworkPolicies: only whether there are any, so one is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.model import Snapshot
from flannelscope.sources import Answer, Part, wire
from flannelscope.sources.decode import Decoder
from flannelscope.sources.paging import head
from flannelscope.sources.reader import Reader
from flannelscope.sources.rights import NETWORK_POLICIES
from flannelscope.sources.streams import Starts

_NAMED: Decoder[str] = Decoder(wire.Named, lambda said: str(said.metadata.name))


def read(reader: Reader, known: Snapshot, starts: Starts) -> Iterator[Answer]:
    """How many there are: at least one where the server does not say how many more."""
    path = NETWORK_POLICIES.path()
    body = yield from reader.body(path, (("limit", "1"),))
    names, odd = _NAMED.page(body, path)
    count = len(names) + len(odd) + (head(body, path).remainingItemCount or 0)
    yield Part(reader.topic, {"network_policies": count}, reader.reading(count))
