"""One kernel towards one peer: the three entries, wanted and found, and the commands."""

from __future__ import annotations

from flannelscope.details import About, detail
from flannelscope.details.mesh import SHOWN
from flannelscope.facts import Facts
from flannelscope.judge import Judgement
from flannelscope.mesh import Cell, Entry, Leg
from flannelscope.node_views import CellView, EntryLine, PairState
from flannelscope.text import clean

KINDS = {Leg.ROUTE: "route", Leg.NEIGHBOUR: "neighbour", Leg.FDB: "FDB entry"}
LONGEST = 500  # characters of a value or command


@detail("cell")
def cell(facts: Facts, judgement: Judgement, about: About) -> CellView | None:
    """A pair (observer, peer), None where one of both is no member."""
    found = facts.mesh
    if found is None or len(about) != 2 or not set(about) <= set(found.names):
        return None
    pair = found.cell(*about)
    entries = tuple(_entry(entry, len({e.family for e in pair.entries}) > 1) for entry in pair.entries)
    state = max((entry.state for entry in entries), default=int(PairState.UNKNOWN if pair.reason else PairState.NOT_WANTED))
    return CellView(
        observer=clean(pair.observer), peer=clean(pair.peer), state=state, said=clean(_said(pair), LONGEST), entries=entries
    )


def _entry(entry: Entry, families: bool) -> EntryLine:
    kind = KINDS[entry.leg]
    return EntryLine(
        kind=f"{kind} (IPv{entry.family})" if families else kind,
        state=SHOWN[entry.state],
        wanted=clean(entry.wanted, LONGEST),
        found=clean(entry.found, LONGEST),
        shows=clean(entry.show, LONGEST),
        mends=tuple(clean(command, LONGEST) for command in entry.mend),
        origin=clean(entry.origin, LONGEST),
    )


def _said(pair: Cell) -> str:
    who = f"{pair.observer} towards {pair.peer}"
    wrong = [entry for entry in pair.entries if entry.state.wrong]
    if wrong:
        told = "; ".join(f"{KINDS[e.leg]} wanted {e.wanted}, found {e.found}" for e in wrong)
        return f"{who}: {told}"
    if pair.reason:
        return f"{who}: not judged: {pair.reason}"
    if not pair.entries:
        return f"{who}: nothing is wanted"
    return f"{who}: {', '.join(dict.fromkeys(KINDS[e.leg] for e in pair.entries))} as flannel would have set it"
