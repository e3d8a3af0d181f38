"""One pair in full: what its three entries should be, what they are, the commands that show it and that would mend it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from flannelscope.cidr import last, show_address
from flannelscope.flannel.expected import Peer, Wanted
from flannelscope.mesh.reading import Reading, where
from flannelscope.mesh.states import LEGS, Leg, State
from flannelscope.model import Kernel, Route, Value
from flannelscope.moments import utc

_PROBES = {Leg.ROUTE: "routes", Leg.NEIGHBOUR: "neighbours", Leg.FDB: "fdb"}
NONE = "none"
_LONG = 60


class Entry(Value, frozen=True, kw_only=True):
    """One of the three, in words. `mend` are shown and never run; both kinds of command belong on the observer."""

    leg: Leg
    family: int
    state: State
    wanted: str
    found: str
    origin: str
    show: str
    mend: tuple[str, ...] = ()


class Cell(Value, frozen=True):
    """What one kernel has towards one peer. `reason` says why nothing, or not all, is known."""

    observer: str
    peer: str
    entries: tuple[Entry, ...]
    reason: str = ""


def entries(reading: Reading, number: int, states: tuple[State, ...]) -> Iterator[Entry]:
    """The entries towards a member in the order of LEGS; those neither wanted nor there are left out."""
    wanted, peer = reading.want(number), reading.members.peers[number]
    if peer is None:
        return
    for leg, state in zip(LEGS, states, strict=True):
        if state is not State.NOT_WANTED:
            yield Entry(
                leg=leg,
                family=peer.family,
                state=state,
                wanted=_wanted(leg, wanted),
                found=_found(reading, leg, number, peer),
                origin=origin(reading.kernel, _PROBES[leg]),
                show=_show(reading, leg, peer),
                mend=tuple(_mend(reading, leg, number, wanted)) if wanted is not None and state.wrong else (),
            )


def origin(kernel: Kernel, probe: str) -> str:
    """Where and when something was read: ssh ops@10.0.0.7: ip -j route, 03:12:40Z."""
    said = kernel.raw.get(probe)
    ran = f": {said.command}" if said is not None and len(said.command) <= _LONG and "\n" not in said.command else ""
    at = utc(kernel.at, "%H:%M:%SZ")
    return f"{kernel.origin or kernel.node}{ran}, {at}"


def _wanted(leg: Leg, wanted: Wanted | None) -> str:
    if wanted is None:
        return NONE
    if leg is Leg.ROUTE:
        return f"a route for all of Network dev {wanted.device}" if wanted.whole else wanted.route()
    if not wanted.mac:
        return "none (what is left from before does no harm)"
    peer = wanted.peer
    return f"{peer.base} lladdr {peer.mac}" if leg is Leg.NEIGHBOUR else f"{peer.mac} dst {peer.address}"


def _found(reading: Reading, leg: Leg, number: int, peer: Peer) -> str:
    if leg in reading.reasons:
        return f"not known: {reading.reasons[leg]}"
    if leg is Leg.NEIGHBOUR:
        mac = reading.neighbours.get(peer.base)
        return NONE if mac is None else f"{peer.base} lladdr {mac or 'unresolved'}"
    if leg is Leg.FDB:
        to = _destinations(reading, peer)
        return "; ".join(f"{peer.mac} dst {destination}" for destination in to) or NONE
    taken = reading.taken(number)
    whole = NONE if taken is None else where(taken)
    if taken is not None and taken.destination != peer.subnet:
        whole = f"none of its own, so {whole}"
    if number in reading.tables.ruled:
        rule = reading.tables.ruled[number]
        whole = f"{whole} (rule {rule.priority}: {rule.selector})"
    parts = [where(route) for route in reading.tables.parts.get(number, ())]
    return "; ".join((whole, *parts[:8]))


def _destinations(reading: Reading, peer: Peer) -> tuple[str, ...]:
    """Where the FDB sends a peer's MAC, in the kernel's order."""
    one = reading.fdb.get(peer.mac)
    return reading.doubled.get(peer.mac, () if one is None else (one,))


def ip(family: int) -> str:
    """The program with the option of the family."""
    return "ip" if family == 4 else "ip -6"


def _show(reading: Reading, leg: Leg, peer: Peer) -> str:
    if leg is Leg.NEIGHBOUR:
        return f"{ip(peer.family)} neigh show {peer.base}{_on_device(reading)}"
    if leg is Leg.FDB:
        return f"bridge fdb show{_on_device(reading)} | grep -i {peer.mac}"
    inside = show_address(peer.family, min(peer.prefix.base + 2, last(peer.prefix)))
    return f"{ip(peer.family)} route get {inside}; {ip(peer.family)} route show table all root {peer.subnet}"


def _on_device(reading: Reading) -> str:
    return f" dev {shlex.quote(reading.device)}" if reading.device else ""


def _mend(reading: Reading, leg: Leg, number: int, wanted: Wanted) -> Iterator[str]:
    peer, device = wanted.peer, _on_device(reading)
    here = f"  # on {reading.own.node}"
    if leg is Leg.ROUTE:
        yield from _mend_route(reading, number, wanted)
    elif not device:
        return  # which tunnel is meant is not known
    elif leg is Leg.NEIGHBOUR:
        yield f"{ip(peer.family)} neigh replace {peer.base} lladdr {peer.mac}{device} nud permanent{here}"
    else:
        # The kernel replaces the first destination of a MAC alone.
        further = _destinations(reading, peer)[1:]
        yield from (f"bridge fdb del {peer.mac} dst {other}{device} self{here}" for other in further)
        yield f"bridge fdb replace {peer.mac} dst {peer.address}{device} self permanent{here}"


def _mend_route(reading: Reading, number: int, wanted: Wanted) -> Iterator[str]:
    tables, here = reading.tables, f"  # on {reading.own.node}"
    yield from (remove(route, reading.own.node) for route in tables.parts.get(number, ()))
    if number in tables.ruled:
        yield from past_rule(reading, number)
    elif wanted.whole or (wanted.onlink and not wanted.device) or reading.off_link(number):
        return  # nothing of its own, no tunnel to lead it to, or a gateway that the kernel refuses
    elif not (tables.parts.get(number) and _own_is_right(reading, wanted)):
        yield f"{ip(wanted.peer.family)} route replace {wanted.route()}{here}"


def past_rule(reading: Reading, number: int) -> Iterator[str]:
    """How to see the rule that takes a member's podCIDR away from main, and a rule before it that gives it back.

    What the rule leads to is not flannel's to remove: it may be the machine's own way out.
    """
    rule, peer, here = reading.tables.ruled[number], reading.members.peers[number], f"  # on {reading.own.node}"
    if peer is None:
        return
    taken = where(reading.tables.instead[number])
    yield f"{ip(peer.family)} rule show{here}: {rule.priority} ({rule.selector}) comes before main and leads to {taken}"
    if rule.priority > 1:
        yield f"{ip(peer.family)} rule add to {peer.subnet} lookup main priority {rule.priority - 1}{here}"


def _own_is_right(reading: Reading, wanted: Wanted) -> bool:
    route = reading.tables.exact.get(wanted.peer.subnet)
    return route is not None and route.gateway == wanted.gateway


def remove(route: Route, node: str) -> str:
    """The command that removes a route."""
    return f"{ip(route.family)} route del {where(route).removesuffix(' onlink')}  # on {node}"
