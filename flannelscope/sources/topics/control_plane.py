"""The control plane as far as the API shows it: mirror pods of the controller manager and API server, the manager's Lease.

Managed control planes, k3s and RKE1 show no such pods; that is an empty answer, no Gap.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from flannelscope.errors import CannotRead
from flannelscope.events import RequestDone
from flannelscope.model import Gap, Lease, Pod, Snapshot, Topic
from flannelscope.sources import Answer, Part, wire
from flannelscope.sources.decode import Decoder, Odd
from flannelscope.sources.faults import Missing, Unauthorized
from flannelscope.sources.listing import keyed, listed, values
from flannelscope.sources.project.others import project_lease
from flannelscope.sources.project.pods import detailed_pod
from flannelscope.sources.reader import Listed, Reader, gap_of, gap_of_odd
from flannelscope.sources.rights import KUBE_SYSTEM, LEASES, MANAGER_LEASE, PODS
from flannelscope.sources.streams import Starts, Stream

LEASE: Decoder[Lease] = Decoder(wire.Lease, project_lease)
DETAILED = keyed(wire.Pod, detailed_pod)
STREAMS = tuple(
    Stream(
        topic=Topic.CONTROL_PLANE,
        kind=PODS,
        decoder=DETAILED,
        namespace=KUBE_SYSTEM,
        query=(("labelSelector", f"component={component}"),),
    )
    for component in ("kube-controller-manager", "kube-apiserver")
)


def read(reader: Reader, known: Snapshot, starts: Starts) -> Iterator[Answer]:
    """Pods and Lease. Raises Refused where the pods may not be listed; without the Lease the pods still tell."""
    pods: list[Pod] = []
    odd: list[Odd] = []
    for stream in STREAMS:
        for item in listed(reader, stream, starts):
            if isinstance(item, Listed):
                pods += values(item)
                odd += item.odd
            else:
                yield item
    gaps: list[Gap] = []
    leases = yield from manager_lease(reader, known, gaps)
    fields = {"control_plane_pods": tuple(pods), "leases": leases}
    yield Part(reader.topic, fields, reader.reading(len(pods), odd=len(odd)))
    yield from gaps
    yield from (gap_of_odd(reader.topic, item) for item in odd)


def manager_lease(reader: Reader, known: Snapshot, gaps: list[Gap]) -> Generator[RequestDone, None, tuple[Lease, ...]]:
    """The known Leases with the manager's read anew; a cluster without one (--leader-elect=false) has none."""
    others = tuple(lease for lease in known.leases if (lease.namespace, lease.name) != (KUBE_SYSTEM, MANAGER_LEASE))
    try:
        found = yield from reader.one(LEASES, KUBE_SYSTEM, MANAGER_LEASE, LEASE)
    except Unauthorized:
        raise
    except Missing:
        return others
    except CannotRead as fault:
        gaps.append(gap_of(reader.topic, fault))
        return others
    return (*others, found)
