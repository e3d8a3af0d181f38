"""What several kinds share: times, containers, volumes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from flannelscope.model import Container
from flannelscope.sources import wire

FLANNEL_ENVIRONMENT = "FLANNELD_"


def seconds(text: str | None) -> float | None:
    """An RFC 3339 time as seconds since the epoch; None where there is none or it cannot be read.

    Time and MicroTime of the API: `2026-11-01T10:00:00Z`, `2026-11-01T10:00:00.000000Z`.
    """
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
        return when.timestamp() if when.tzinfo is not None else when.replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def ending(text: str | None) -> float | None:
    """A deletionTimestamp. An unreadable one still says that the object is being deleted: the epoch stands for it."""
    if text is None:
        return None
    said = seconds(text)
    return 0.0 if said is None else said


def container(said: wire.Container) -> Container:
    """A container; of its environment only what configures flannel."""
    limits = said.resources.limits if said.resources is not None else None
    return Container(
        name=said.name,
        image=said.image or "",
        command=tuple(said.command or ()),
        args=tuple(said.args or ()),
        env={e.name: e.value or "" for e in said.env or () if e.name.startswith(FLANNEL_ENVIRONMENT)},
        memory_limit=str(limits.memory) if limits is not None and limits.memory is not None else "",
    )


def containers(said: Sequence[wire.Container] | None) -> tuple[Container, ...]:
    """Several containers, in their order."""
    return tuple(container(c) for c in said or ())


def config_maps(volumes: Sequence[wire.Volume] | None) -> tuple[str, ...]:
    """Names of the ConfigMaps that volumes mount, each once."""
    names: dict[str, None] = {}
    for volume in volumes or ():
        projected = volume.projected.sources if volume.projected is not None else None
        for reference in (volume.configMap, *(source.configMap for source in projected or ())):
            if reference is not None and reference.name:
                names[reference.name] = None
    return tuple(names)
