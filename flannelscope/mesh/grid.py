"""All observers by all peers of one network and family: three bytes a pair, and what is known of each observer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import compress, count

from flannelscope.flannel.expected import Peer
from flannelscope.mesh.members import Held, Members
from flannelscope.mesh.reading import Reading, stale
from flannelscope.mesh.states import GRAVEST, LEGS, SETTLES, WRONG, Leg, State
from flannelscope.model import Kernel, Value

_STATES = tuple(State)
_PLACE = {leg: place for place, leg in enumerate(LEGS)}
_IS_WRONG = bytes(code in WRONG for code in range(256))  # for bytes.translate


class Problem(Value, frozen=True):
    """An entry that is not as wanted on `observer` towards `peer`."""

    observer: str
    peer: str
    family: int
    leg: Leg
    state: State


class Grid:
    """The states of one network and family, row by row; `names` are its members, rows and columns alike.

    `reasons` says of an observer why nothing is known of it (empty leg) or of one leg; `readings` are those of the observers
    with something to tell, by name, the newest; `firsts` the first ones of those that were read twice.
    """

    def __init__(self, members: Members, kernels: Mapping[str, Kernel], why_not: Callable[[str], str], held: Held) -> None:
        self.members = members
        self.held = held
        self.names = members.names
        size = len(self.names)
        self.states: tuple[bytearray, ...] = tuple(bytearray(size * size) for _ in LEGS)
        self.reasons: dict[tuple[str, Leg | None], str] = {}
        self.readings: dict[str, Reading] = {}
        self.firsts: dict[str, Reading] = {}
        for row, (name, peer) in enumerate(zip(self.names, members.peers, strict=True)):
            reading = self._read(name, peer, kernels.get(name), why_not)
            if reading is None:
                self._unknown(row, peer)
                continue
            for states, leg in zip(self.states, reading.legs, strict=True):
                states[row * size : (row + 1) * size] = leg
            self._note(name, reading)

    def _read(self, name: str, peer: Peer | None, kernel: Kernel | None, why_not: Callable[[str], str]) -> Reading | None:
        if peer is None:
            self.reasons[name, None] = self.members.unusable.get(name, "it announces nothing usable")
            return None
        backend = self.members.backend(peer)
        if isinstance(backend, str) or kernel is None:
            self.reasons[name, None] = backend if isinstance(backend, str) else why_not(name)
            return None
        return Reading(self.members, peer, backend, kernel)

    def _unknown(self, row: int, peer: Peer | None) -> None:
        """All that its backend wants is unknown; where it announces none, what the network's does."""
        size = len(self.names)
        backends = {one.backend for one in ((peer,) if peer is not None else self.members.peers) if one is not None}
        for states in self.states if "vxlan" in backends else self.states[:1]:
            states[row * size : (row + 1) * size] = bytes([State.UNKNOWN]) * size
            states[row * size + row] = State.NOT_WANTED

    def _note(self, name: str, reading: Reading) -> None:
        for leg, reason in reading.reasons.items():
            self.reasons[name, leg] = reason
        # The tables of a node that has what it should are not kept: there are N of them, with N entries each.
        odd = any(leg.translate(_IS_WRONG).find(1) >= 0 for leg in reading.legs) or reading.astray() or stale(reading, self.held)
        if odd:
            self.readings[name] = reading

    def again(self, kernels: Mapping[str, Kernel]) -> None:
        """Look at those that were read a second time: wrong is only what both readings show."""
        size = len(self.names)
        for name, kernel in kernels.items():
            row, first = self.members.number.get(name), self.readings.get(name)
            peer = self.members.peers[row] if row is not None else None
            backend = self.members.backend(peer) if peer is not None else ""
            if row is None or first is None or peer is None or isinstance(backend, str):
                continue
            second = Reading(self.members, peer, backend, kernel)
            for states, leg in zip(self.states, second.legs, strict=True):
                start = row * size
                states[start : start + size] = bytes(map(_both, states[start : start + size], leg))
            self.readings[name] = second
            self.firsts[name] = first
            self._note_again(name, row, first, second)

    def _note_again(self, name: str, row: int, first: Reading, second: Reading) -> None:
        """What the second reading lacks is as unknown as what the first one lacked; what it has is known after all."""
        size = len(self.names)
        for leg, states in zip(LEGS, self.states, strict=True):
            if leg in second.reasons:
                self.reasons[name, leg] = f"when read again: {second.reasons[leg]}"
            elif leg in first.reasons and states.find(State.UNKNOWN, row * size, (row + 1) * size) < 0:
                del self.reasons[name, leg]

    def yield_to(self, other: Grid) -> None:
        """Two networks on the same Nodes want routes to the same podCIDRs, and a kernel has room for one: either is right."""
        for observer, peer in list(self.in_state(State.DIFFERS, Leg.ROUTE)):
            if other.state(observer, peer, Leg.ROUTE) is State.OK:
                place = self.members.number[observer] * len(self.names) + self.members.number[peer]
                self.states[_PLACE[Leg.ROUTE]][place] = State.OK

    def settle(self, unsteady: Mapping[str, str]) -> None:
        """Nothing is wrong where an end changed meanwhile: that is settling."""
        size = len(self.names)
        columns = [number for name in unsteady if (number := self.members.number.get(name)) is not None]
        for states in self.states:
            for number in columns:
                row = slice(number * size, (number + 1) * size)
                states[row] = states[row].translate(SETTLES)
                column = slice(number, size * size, size)
                states[column] = states[column].translate(SETTLES)

    def state(self, observer: str, peer: str, leg: Leg) -> State:
        """One entry; NOT_WANTED for who is no member."""
        row, column = self.members.number.get(observer), self.members.number.get(peer)
        if row is None or column is None:
            return State.NOT_WANTED
        return _STATES[self.states[_PLACE[leg]][row * len(self.names) + column]]

    def gravest(self, observer: str, peer: str) -> State:
        """The worst of the three."""
        return min((self.state(observer, peer, leg) for leg in LEGS), key=GRAVEST.index)

    def problems(self) -> Iterator[Problem]:
        """Everything that is wrong, by leg."""
        size, names, family = len(self.names), self.names, self.members.family
        for leg, states in zip(LEGS, self.states, strict=True):
            for place in compress(count(), states.translate(_IS_WRONG)):
                row, column = divmod(place, size)
                yield Problem(names[row], names[column], family, leg, _STATES[states[place]])

    def wrong_rows(self, leg: Leg) -> Iterator[str]:
        """The observers with anything wrong in a leg."""
        size, states = len(self.names), self.states[LEGS.index(leg)].translate(_IS_WRONG)
        for row, name in enumerate(self.names):
            if states.find(1, row * size, (row + 1) * size) >= 0:
                yield name

    def in_state(self, state: State, leg: Leg) -> Iterator[tuple[str, str]]:
        """(observer, peer) of every entry in a state."""
        size, states = len(self.names), self.states[LEGS.index(leg)]
        place = states.find(state)
        while place >= 0:
            yield self.names[place // size], self.names[place % size]
            place = states.find(state, place + 1)


def _both(first: int, second: int) -> int:
    """What two readings say together: wrong is what is wrong in both; the second one tells how."""
    if first == State.UNKNOWN and second in WRONG:
        return first
    if (first in WRONG) == (second in WRONG) or second == State.UNKNOWN:
        return second
    return second if first in WRONG else int(State.SETTLING)
