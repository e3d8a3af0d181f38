"""DaemonSets of all namespaces: flannel is found among them."""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.model import Snapshot, Topic
from flannelscope.sources import Answer, Part, wire
from flannelscope.sources.listing import keyed, listed, values
from flannelscope.sources.project.others import project_daemonset
from flannelscope.sources.reader import Listed, Reader, gap_of_odd
from flannelscope.sources.rights import DAEMON_SETS
from flannelscope.sources.streams import Starts, Stream

STREAM = Stream(topic=Topic.DAEMONSETS, kind=DAEMON_SETS, decoder=keyed(wire.DaemonSet, project_daemonset))


def read(reader: Reader, known: Snapshot, starts: Starts) -> Iterator[Answer]:
    """All DaemonSets."""
    for item in listed(reader, STREAM, starts):
        if not isinstance(item, Listed):
            yield item
            continue
        yield Part(reader.topic, {"daemonsets": values(item)}, reader.reading(len(item.values), odd=len(item.odd)))
        yield from (gap_of_odd(reader.topic, odd) for odd in item.odd)
