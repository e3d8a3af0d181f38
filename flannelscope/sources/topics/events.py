"""Events that tell of addresses: the allocator has none, a sandbox could not be made, the network is not ready."""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.model import Event, Snapshot, Topic
from flannelscope.sources import Answer, Part, wire
from flannelscope.sources.decode import Odd
from flannelscope.sources.listing import keyed, listed, values
from flannelscope.sources.project.others import project_event
from flannelscope.sources.reader import Listed, Reader, gap_of_odd
from flannelscope.sources.rights import EVENTS
from flannelscope.sources.streams import Starts, Stream

REASONS = ("CIDRNotAvailable", "CIDRAssignmentFailed", "FailedCreatePodSandBox", "NetworkNotReady")
_EVENT = keyed(wire.Event, project_event)
STREAMS = tuple(
    Stream(topic=Topic.EVENTS, kind=EVENTS, decoder=_EVENT, query=(("fieldSelector", f"reason={reason}"),)) for reason in REASONS
)


def read(reader: Reader, known: Snapshot, starts: Starts) -> Iterator[Answer]:
    """Events of these reasons, in all namespaces."""
    events: list[Event] = []
    odd: list[Odd] = []
    for stream in STREAMS:
        for item in listed(reader, stream, starts):
            if isinstance(item, Listed):
                events += values(item)
                odd += item.odd
            else:
                yield item
    yield Part(reader.topic, {"events": tuple(events)}, reader.reading(len(events), odd=len(odd)))
    yield from (gap_of_odd(reader.topic, item) for item in odd)
