"""Nodes, page by page, so that a table can fill while they come."""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.model import Snapshot, Topic
from flannelscope.sources import Answer, Part, wire
from flannelscope.sources.listing import keyed, listed, values
from flannelscope.sources.project.nodes import project_node
from flannelscope.sources.reader import Listed, Reader, gap_of_odd
from flannelscope.sources.rights import NODES
from flannelscope.sources.streams import Starts, Stream

NODE = keyed(wire.Node, project_node)
STREAM = Stream(topic=Topic.NODES, kind=NODES, decoder=NODE)


def read(reader: Reader, known: Snapshot, starts: Starts) -> Iterator[Answer]:
    """All Nodes; a Part after each page, the last of them complete."""
    for item in listed(reader, STREAM, starts, whole=False):
        if not isinstance(item, Listed):
            yield item
            continue
        reading = reader.reading(len(item.values), odd=len(item.odd), complete=not item.more)
        if item.remaining:
            reading = reader.reading(len(item.values), odd=len(item.odd) + item.remaining, complete=False)
        yield Part(reader.topic, {"nodes": values(item)}, reading)
        if not item.more:
            yield from (gap_of_odd(reader.topic, odd) for odd in item.odd)
