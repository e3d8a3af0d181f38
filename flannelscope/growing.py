"""What a source answers, taken into the Snapshot; and as which event it is told."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from flannelscope.changes import noticed
from flannelscope.events import Event, GapFound, Grown
from flannelscope.model import Gap, Snapshot, Topic
from flannelscope.sources import Answer, Part

REMEMBERED = 200  # changes of Nodes


def take(snapshot: Snapshot, answer: Answer) -> tuple[Snapshot, Event]:
    """The Snapshot with this answer in it, and the event that tells of it."""
    match answer:
        case Part():
            readings = {**snapshot.readings, answer.topic: answer.reading}
            gaps = snapshot.gaps
            if answer.reading.complete and not answer.change:  # a whole reading says itself, afterwards, what it could not read
                gaps = tuple(g for g in gaps if g.topic != answer.topic)
            gaps = _without(gaps, answer.healed)
            grown = replace(snapshot, taken=max(snapshot.taken, answer.reading.at), readings=readings, gaps=gaps, **answer.fields)
            grown = _remembering(snapshot, grown, answer.reading.at)
            return grown, Grown(grown, answer.topic)
        case Gap():
            grown = replace(snapshot, gaps=(*_without(snapshot.gaps, (answer,)), answer))
            return grown, GapFound(answer, grown)
        case _:
            return snapshot, answer


def _remembering(before: Snapshot, after: Snapshot, at: float) -> Snapshot:
    """With the Nodes that came, went or changed since all of them were read."""
    if after.nodes is before.nodes or not before.has(Topic.NODES) or not after.has(Topic.NODES):
        return after
    return replace(after, changes=(*before.changes, *noticed(before.nodes, after.nodes, at))[-REMEMBERED:])


def _without(gaps: tuple[Gap, ...], gone: tuple[Gap, ...]) -> tuple[Gap, ...]:
    """Gaps but for those of the same words: values do not compare by content."""
    said = {msgspec.structs.astuple(gap) for gap in gone}
    return tuple(gap for gap in gaps if msgspec.structs.astuple(gap) not in said) if said else gaps
