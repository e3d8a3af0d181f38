"""Every kernel towards every peer, as bytes."""

from __future__ import annotations

from flannelscope.details import About, detail
from flannelscope.facts import Facts
from flannelscope.judge import Judgement
from flannelscope.mesh import LEGS, Grid, Mesh, State
from flannelscope.model import Topic
from flannelscope.node_views import MeshView, PairState
from flannelscope.text import clean

SHOWN = {
    State.NOT_WANTED: PairState.NOT_WANTED,
    State.OK: PairState.OK,
    State.MISSING: PairState.MISSING,
    State.DIFFERS: PairState.DIFFERS,
    State.EXTRA: PairState.EXTRA,
    State.SETTLING: PairState.SETTLING,
    State.UNKNOWN: PairState.UNKNOWN,
}
AS_SHOWN = bytes(SHOWN[State(code)] if code in SHOWN else 0 for code in range(256))  # for bytes.translate


@detail("mesh")
def mesh(facts: Facts, judgement: Judgement, about: About) -> MeshView:
    """The whole of it; where the nodes were not looked at, why."""
    reading = facts.snapshot.readings.get(Topic.KERNELS)
    found = facts.mesh
    if reading is None or found is None:
        return MeshView(note=clean(facts.snapshot.why_not(Topic.KERNELS), 300))
    legs = [_leg(found, leg) for leg in range(len(LEGS))]
    route, neighbour, fdb = legs
    return MeshView(
        names=tuple(map(clean, found.names)),
        states=bytes(map(max, *legs)) if found.names else b"",
        route=route,
        neighbour=neighbour,
        fdb=fdb,
        asked=reading.asked,
        answered=reading.answered,
        taken=reading.at,
    )


def _leg(found: Mesh, leg: int) -> bytes:
    """One kind of entry between all names: the worst of all networks and families."""
    names, size = found.names, len(found.names)
    states = bytearray([PairState.NOT_WANTED]) * (size * size)
    place = {name: number for number, name in enumerate(names)}
    for grid in found.grids:
        _lay(states, size, [place[name] for name in grid.names], grid, leg)
    for number in range(size):
        states[number * size + number] = PairState.SELF
    return bytes(states)


def _lay(states: bytearray, size: int, places: list[int], grid: Grid, leg: int) -> None:
    own = bytes(grid.states[leg]).translate(AS_SHOWN)
    if len(places) == size and places == list(range(size)):
        states[:] = bytes(map(max, states, own))
        return
    width = len(places)
    for row, line in enumerate(places):
        for column, cell in enumerate(places):
            at = line * size + cell
            states[at] = max(states[at], own[row * width + column])
