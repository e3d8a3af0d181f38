"""Where Services take their addresses from: ServiceCIDR objects (1.29 alpha, 1.31 beta, 1.33) and Service default/kubernetes."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import msgspec

from flannelscope.errors import CannotRead, Refused
from flannelscope.events import RequestDone, TopicProgress
from flannelscope.model import Gap, ServiceCidr, Snapshot
from flannelscope.sources import Answer, Part, wire
from flannelscope.sources.decode import BROKEN, Decoder
from flannelscope.sources.faults import Missing, Unauthorized
from flannelscope.sources.project.others import project_service_cidr, project_service_ips
from flannelscope.sources.reader import Listed, Reader, gap_of
from flannelscope.sources.rights import SERVICE_CIDRS, SERVICES, discovery_path
from flannelscope.sources.streams import Starts

_CIDR: Decoder[ServiceCidr] = Decoder(wire.ServiceCidr, project_service_cidr)
_IPS: Decoder[tuple[str, ...]] = Decoder(wire.Service, project_service_ips)


def read(reader: Reader, known: Snapshot, starts: Starts) -> Iterator[Answer]:
    """Ranges and the first Service's address. Raises Refused where the ranges exist and may not be listed."""
    gaps: list[Gap] = []
    ips = yield from _service(reader, gaps)
    cidrs: tuple[ServiceCidr, ...] | None = None
    for version in SERVICE_CIDRS.versions:
        cidrs = yield from _ranges(reader, version)
        if cidrs is not None:
            break
    fields = {"service_cidrs": cidrs or (), "kubernetes_service_ips": ips}
    yield Part(reader.topic, fields, reader.reading(len(cidrs or ()), absent=cidrs is None))
    yield from gaps


def _service(reader: Reader, gaps: list[Gap]) -> Generator[RequestDone, None, tuple[str, ...]]:
    try:
        return (yield from reader.one(SERVICES, "default", "kubernetes", _IPS))
    except Unauthorized:
        raise
    except Missing:
        return ()
    except CannotRead as fault:
        gaps.append(gap_of(reader.topic, fault))
        return ()


def _ranges(reader: Reader, version: str) -> Generator[RequestDone | TopicProgress, None, tuple[ServiceCidr, ...] | None]:
    """The ServiceCIDRs in one version of the API; None where the server does not have the kind in it."""
    try:
        for item in reader.values(SERVICE_CIDRS, _CIDR, lambda cidr: cidr.name, version=version, whole=True):
            if isinstance(item, Listed):
                return item.values
            yield item
    except Missing:
        return None
    except Unauthorized:
        raise
    except Refused:
        # RBAC comes before "no such kind": an old server refuses what it does not have to whom it was not granted.
        if (yield from _exists(reader, version)):
            raise
    return None


class _Resource(msgspec.Struct):
    name: str = ""


class _Resources(msgspec.Struct):
    resources: list[_Resource] | None = None


def _exists(reader: Reader, version: str) -> Generator[RequestDone, None, bool]:
    """Whether discovery names the kind; when discovery itself cannot be read, yes."""
    try:
        body = yield from reader.body(discovery_path(SERVICE_CIDRS, version))
        named = msgspec.json.decode(body, type=_Resources).resources or []
    except Missing:
        return False
    except (CannotRead, *BROKEN):
        return True
    return any(item.name == SERVICE_CIDRS.resource for item in named)
