"""kube-node-lease: which kubelets are alive. Listed, not watched: every kubelet renews every ten seconds."""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.model import Lease, Snapshot
from flannelscope.sources import Answer, Part
from flannelscope.sources.reader import Listed, Reader, gap_of_odd
from flannelscope.sources.rights import LEASES, NODE_LEASES
from flannelscope.sources.streams import Starts
from flannelscope.sources.topics.control_plane import LEASE


def read(reader: Reader, known: Snapshot, starts: Starts) -> Iterator[Answer]:
    """The Leases of all kubelets, beside what is known of others."""
    others = tuple(lease for lease in known.leases if lease.namespace != NODE_LEASES)
    for item in reader.values(LEASES, LEASE, _name, namespace=NODE_LEASES, whole=True):
        if not isinstance(item, Listed):
            yield item
            continue
        reading = reader.reading(len(item.values), odd=len(item.odd))
        yield Part(reader.topic, {"leases": (*others, *item.values)}, reading)
        yield from (gap_of_odd(reader.topic, odd) for odd in item.odd)


def _name(lease: Lease) -> str:
    return lease.name
