"""From what the engine says to the next State: a pure function, so that it can be tested without a screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from flannelscope import wire
from tui.state import MOST_REQUESTS, Phase, State
from tui.words import sortable


def warm(events: Iterable[wire.Event]) -> None:
    """Work out, in the thread that listens, what the UI thread will need of every row."""
    for event in events:
        if isinstance(event, wire.Rows):
            for row in event.rows:
                sortable(row.name)


def take_all(state: State, events: Iterable[wire.Event]) -> State:
    """The State after `events`. What belongs to an older reading is dropped."""
    for event in events:
        if event.run == state.run:
            state = take(state, event)
    return state


def take(state: State, event: wire.Event) -> State:
    """The State after one event of the present reading."""
    match event:
        case wire.Rows():
            return _rows(state, event)
        case wire.Findings(findings=findings):
            return replace(state, known={**state.known, **{finding.key: finding for finding in findings}})
        case wire.Judged(overview=overview, keys=keys):
            held = {key: state.known[key] for key in keys if key in state.known}
            stale = state.stale and state.phase is not Phase.READING  # what is judged late is no newer for that
            return replace(state, overview=overview, known=held, findings=tuple(held.values()), notice="", stale=stale)
        case wire.Detailed(what=what, about=about, view=view):
            return replace(state, details={**state.details, (what, about): view})
        case wire.Progressed(topic=topic):
            return replace(state, progress={**state.progress, topic: event})
        case wire.Requested(requests=requests):
            return replace(state, requests=(*state.requests, *requests)[-MOST_REQUESTS:])
        case wire.WatchStates(states=states):
            after = replace(state, watches={**state.watches, **states})
            return replace(after, stale=state.stale and not (after.followed and after.phase is Phase.FINISHED))
        case wire.Gaps(gaps=gaps):
            return replace(state, gaps=(*state.gaps, *(f"{gap.topic}: {gap.reason}" for gap in gaps))[-MOST_REQUESTS:])
        case wire.Failed():
            return replace(state, failed=event, phase=Phase.FAILED, refreshing=False, stale=state.overview is not None)
        case wire.Finished():
            return replace(state, phase=Phase.FINISHED)
        case wire.Refreshed(failed=failed):
            listed = not failed and state.watches.get("nodes", ("", ""))[0] == "off"  # what cannot be followed was listed
            return replace(state, refreshing=False, stale=state.stale and not listed)
        case wire.Declined():
            return replace(state, refreshing=False)
        case wire.Hello() | wire.Asked() | wire.Withdrawn():
            return state


def _rows(state: State, event: wire.Rows) -> State:
    rows = {} if event.first else dict(state.rows)
    for row in event.rows:
        rows[row.name] = row
    for name in event.removed:
        rows.pop(name, None)
    return replace(state, rows=rows)


def begin(state: State, run: int) -> State:
    """The State when a reading begins: what was known stays in view until it is replaced."""
    return replace(state, run=run, phase=Phase.READING, refreshing=False, failed=None, progress={}, watches={}, gaps=())
