"""Which server and which cluster: /version, the Date header, the uid of namespace kube-system."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flannelscope.errors import CannotRead, ReadFailed, Refused
from flannelscope.model import Cluster, Snapshot
from flannelscope.sources import Answer, Part, wire
from flannelscope.sources.decode import Decoder
from flannelscope.sources.faults import Missing, Unauthorized
from flannelscope.sources.project.others import project_uid
from flannelscope.sources.reader import Reader, gap_of
from flannelscope.sources.rights import KUBE_SYSTEM, NAMESPACES, VERSION_PATH
from flannelscope.sources.streams import Starts

_VERSION: Decoder[wire.Version] = Decoder(wire.Version, lambda said: said)
_UID = Decoder(wire.Named, project_uid)


def read(reader: Reader, known: Snapshot, starts: Starts) -> Iterator[Answer]:
    """The Cluster. Raises ReadFailed when there is no API server; a refusal of one of both questions is a Gap."""
    reach = reader.transport.reach
    said, uid = wire.Version(), ""
    gaps = [reader.gap(warning) for warning in reach.warnings]
    try:
        said = _VERSION.one((yield from reader.body(VERSION_PATH)), VERSION_PATH)
    except Missing as fault:
        do = "Look at the server in the kubeconfig."
        raise ReadFailed("This is no Kubernetes API server: it has no /version (404).", reach.server, do) from fault
    except Unauthorized:
        raise
    except Refused as fault:
        gaps.append(gap_of(reader.topic, fault))
    try:
        uid = yield from reader.one(NAMESPACES, "", KUBE_SYSTEM, _UID)
    except Unauthorized:
        raise
    except CannotRead as fault:
        gaps.append(gap_of(reader.topic, fault))
    cluster = Cluster(
        uid=uid,
        server=reach.server,
        context=reach.context,
        version=said.gitVersion or "",
        major=_number(said.major),
        minor=_number(said.minor),
        now=reader.now(),
    )
    yield Part(reader.topic, {"cluster": cluster}, reader.reading(1))
    yield from gaps


def _number(text: str | None) -> int:
    """The leading digits: some distributions write the minor version as "27+"."""
    found = re.match(r"[0-9]{1,6}", text or "")
    return int(found[0]) if found else 0
