"""One node's kernel beside what its backend wants of it, in one family."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from flannelscope.cidr import BITS, contains, parse_address
from flannelscope.flannel.expected import Backend, Peer, Wanted
from flannelscope.lookup import MAIN, Tables, steps
from flannelscope.mesh.members import Held, Members
from flannelscope.mesh.states import Leg, State
from flannelscope.model import FdbEntry, Kernel, Link, Neighbour, Prefix, Route, Rule

OK, MISSING, DIFFERS, EXTRA, UNKNOWN = State.OK, State.MISSING, State.DIFFERS, State.EXTRA, State.UNKNOWN
_PROTOCOLS = ("", "boot")  # netlink's own, which flannel leaves as it is
_METRICS = (0, 1024)  # none; what the kernel makes of none for IPv6


class Reading:
    """What one node has, and the three states towards each member. `reasons` says by leg why nothing is known of it."""

    def __init__(self, members: Members, own: Peer, backend: Backend, kernel: Kernel) -> None:
        self.members = members
        self.own = own
        self.backend = backend
        self.kernel = kernel
        self.reasons: dict[Leg, str] = {}
        self.links = {link.name: link for link in cast("Sequence[Link]", kernel.facts.get("links") or ())}
        self.device = backend.found(own, tuple(self.links.values()))
        wanted, self.plan = members.row(backend, self.device)
        self.wanted: dict[int, Wanted] = wanted
        self.beside = members.beside(own)
        self.tables = self._tables()
        self.straight = self._straight()
        self.neighbours: dict[str, str] = {}
        self.fdb: dict[str, str] = {}
        self.doubled: dict[str, tuple[str, ...]] = {}  # MACs with several destinations in the FDB, which all get every packet
        size = len(members.names)
        self.route, self.neighbour, self.forwarding = bytearray(size), bytearray(size), bytearray(size)
        self._compare_routes()
        if backend.name == "vxlan":
            self._compare_tunnel()
        for number in self.beside:
            self.route[number] = self.neighbour[number] = self.forwarding[number] = State.NOT_WANTED

    @property
    def legs(self) -> tuple[bytearray, bytearray, bytearray]:
        """The states, in the order of LEGS."""
        return self.route, self.neighbour, self.forwarding

    def _fact(self, probe: str, leg: Leg) -> Any:
        value = self.kernel.facts.get(probe)
        if value is None:
            self.reasons.setdefault(leg, self.kernel.missing.get(probe, f"{probe} not looked at"))
        return () if value is None else value

    def _tables(self) -> Tables:
        rules = cast("Iterable[Rule]", self._fact("rules", Leg.ROUTE))
        routes = cast("Iterable[Route]", self._fact("routes", Leg.ROUTE))
        if self.kernel.facts.get("links") is None and self.backend.tunnels:
            self.reasons[Leg.ROUTE] = self.kernel.missing.get("links", "links not looked at")
        return Tables(routes, steps(rules, self.own.family, self.own.prefix), self.own.family, self.members.blocks)

    def _straight(self) -> dict[int, Wanted]:
        """Peers to which it goes, or should go, without the tunnel (DirectRouting).

        The ConfigMap may be newer than what flannel runs with: both ways are right where DirectRouting is on or not known,
        and where it is off a node that goes straight to most of those on its link runs with it on.
        """
        if not self.backend.straight:
            return {}
        exact, on, found = self.tables.exact, self.members.direct, dict[int, Wanted]()
        going = 0
        for number, wanted in self.wanted.items():
            peer = wanted.peer
            route = exact.get(peer.subnet)
            if route is not None and route.gateway == peer.address and route.device != self.device and not route.onlink:
                going += 1  # the kernel took the gateway only because it is on link
                found[number] = self.backend.direct(peer)
            elif on and (route is None or route.gateway != wanted.gateway) and self._on_link(number):
                found[number] = self.backend.direct(peer)
        if on is False and not (going > 1 and 2 * going > self._linked()):
            return {}
        return found

    def _on_link(self, number: int) -> bool:
        address = self.members.address(number)
        return address is not None and bool(self.tables.on_link(address))

    def _linked(self) -> int:
        return sum(1 for number in self.wanted if number not in self.beside and self._on_link(number))

    def _compare_routes(self) -> None:
        if Leg.ROUTE in self.reasons:
            for number in self.wanted:
                self.route[number] = UNKNOWN
            return
        tables, found, device = self.tables, self.route, self.device
        get = tables.exact.get
        for number, subnet, gateway, _, _, _ in self.plan:
            route = get(subnet)
            if route is None:
                found[number] = MISSING
            elif route.gateway == gateway and (route.device == device or not device) and not route.further:
                found[number] = OK
            else:
                found[number] = DIFFERS
        apart = {*self.straight, *tables.instead, *tables.parts, *tables.doubt}
        if self.backend.name in ("wireguard", "udp"):
            apart.update(self.wanted)
        apart.update(number for number, state in enumerate(found) if state == DIFFERS)
        for number in apart:
            if number in self.wanted:
                found[number] = self._route_state(number)

    def want(self, number: int) -> Wanted | None:
        """What is wanted towards a member, None where nothing is."""
        return None if number in self.beside else self.straight.get(number, self.wanted.get(number))

    def _route_state(self, number: int) -> State:
        wanted = self.straight.get(number, self.wanted[number])
        taken = self.taken(number)
        if any(not self._fits(route, wanted) for route in self.tables.parts.get(number, ())):
            return DIFFERS
        if taken is None or (not wanted.whole and taken.destination != wanted.peer.subnet and number not in self.tables.instead):
            return MISSING
        if not self._fits(taken, wanted):
            return MISSING if wanted.whole and taken.destination in ("0.0.0.0/0", "::/0") else DIFFERS
        return UNKNOWN if self._doubtful(number, wanted) else OK

    def _doubtful(self, number: int, wanted: Wanted) -> bool:
        doubt = self.tables.doubt.get(number)
        if doubt is None or (isinstance(doubt, Route) and self._fits(doubt, wanted)):
            return False
        self.reasons.setdefault(Leg.ROUTE, "which of its routing rules the packets of pods meet is not known (ip rule)")
        return True

    def taken(self, number: int) -> Route | None:
        """The route by which packets for a member's podCIDR leave, parts of it apart."""
        peer = self.members.peers[number]
        if peer is None:
            return None
        return self.tables.instead.get(number) or self.tables.exact.get(peer.subnet) or self.tables.covering(peer.prefix)

    def _fits(self, route: Route, wanted: Wanted) -> bool:
        """Whether a route leads where it should; of twins, to any of them."""
        if route.kind != "unicast" or route.further:
            return False
        if route.device != wanted.device if wanted.device else route.device and route.device == self.device:
            return False
        if wanted.whole or route.gateway == wanted.gateway:
            return True
        twins = self.members.blocks.index.get(wanted.peer.subnet, ())
        offered = (self.straight.get(n, self.wanted[n]) for n in twins if n in self.wanted)
        return any(other.gateway == route.gateway for other in offered)

    def _compare_tunnel(self) -> None:
        device, straight, members = self.device, self.straight, self.members
        entries = cast("Iterable[Neighbour]", self._fact("neighbours", Leg.NEIGHBOUR))
        forwarding = cast("Iterable[FdbEntry]", self._fact("fdb", Leg.FDB))
        self.neighbours = neighbours = {entry.address: entry.mac for entry in entries if entry.device == device}
        told = [(entry.mac, entry.destination) for entry in forwarding if entry.device == device and entry.destination]
        self.fdb = fdb = dict(told)
        if len(fdb) != len(told):
            self._double(told)
        found, behind = self.neighbour, self.forwarding
        doubled = self.doubled
        for number, _, _, base, mac, address in self.plan:
            there = neighbours.get(base)
            found[number] = OK if there == mac else DIFFERS if there else MISSING
            to = fdb.get(mac)
            behind[number] = OK if to == address or address in doubled.get(mac, ()) else DIFFERS if to else MISSING
        self._twins(found, members.by_base, lambda peer: neighbours.get(peer.base), "mac")
        self._twins(behind, members.by_mac, lambda peer: fdb.get(peer.mac), "address")
        for leg, states in ((Leg.NEIGHBOUR, found), (Leg.FDB, behind)):
            for number in self.wanted if leg in self.reasons else ():
                states[number] = UNKNOWN
            for number in straight:
                states[number] = UNKNOWN if leg in self.reasons else EXTRA if states[number] != MISSING else State.NOT_WANTED

    def _double(self, told: Iterable[tuple[str, str]]) -> None:
        """The kernel sends to all destinations of a MAC (`bridge fdb append`), so the right one among them is enough."""
        several: dict[str, list[str]] = {}
        for mac, destination in told:
            several.setdefault(mac, []).append(destination)
        self.doubled = {mac: tuple(found) for mac, found in several.items() if len(found) > 1}

    def _beside(self, entry: FdbEntry) -> bool:
        """Whether an entry leads to where nobody with its MAC is, beside one that leads to somebody."""
        peers = (self.members.peers[number] for number in self.members.by_mac.get(entry.mac, ()))
        right = {peer.address for peer in peers if peer is not None}
        return entry.destination not in right and not right.isdisjoint(self.doubled[entry.mac])

    def _twins(self, states: bytearray, groups: dict[str, list[int]], there: Any, field: str) -> None:
        """Members that share a key share one entry: whose it is nobody is to blame for."""
        for numbers in groups.values():
            if len(numbers) > 1:
                sharing = [peer for number in numbers if (peer := self.members.peers[number]) is not None]
                right = {getattr(peer, field) for peer in sharing}
                for number in numbers:
                    peer = self.members.peers[number]
                    if states[number] == DIFFERS and peer is not None and there(peer) in right:
                        states[number] = OK

    def astray(self) -> tuple[Route, ...]:
        """Routes by which packets for the node's own pods leave it, instead of reaching its bridge."""
        number = self.members.number[self.own.node]
        taken = self.tables.instead.get(number) or self.tables.exact.get(self.own.subnet)
        return tuple(r for r in (*([taken] if taken else ()), *self.tables.parts.get(number, ())) if self._leaves(r))

    def _leaves(self, route: Route) -> bool:
        """A bridge's, a pod's or calico's route has no gateway and no tunnel; a route to nowhere holds the block together.

        The kernel itself routes the tunnel's own IPv6 address, the block's first, to the tunnel.
        """
        itself = f"{self.own.base}/{32 if self.own.family == 4 else 128}"
        if route.kind != "unicast" or (route.destination == itself and not route.gateway):
            return False
        return bool(route.gateway) or bool(self.device and route.device == self.device)

    def stale_routes(self, held: Held) -> tuple[Route, ...]:
        """flannel's routes to podCIDRs that nobody holds."""
        if self.backend.name in ("wireguard", "udp"):
            return ()
        used = {step.table for step in self.tables.chain}
        strange = (r for r in self.tables.others if r.gateway and r.kind == "unicast" and r.destination not in held.subnets)
        return tuple(route for route in strange if route.table in used and self._of_flannel(route))

    def _of_flannel(self, route: Route) -> bool:
        """Beside its tunnel's, flannel's routes are those without protocol and metric of their own, by a gateway on link."""
        if self.device and route.device == self.device:
            return True
        if route.protocol not in _PROTOCOLS or route.metric not in _METRICS or not self._near(route.gateway):
            return False
        network, prefix = self.members.network, self.members.blocks.parsed(route.destination)
        ours = self.backend.name == "host-gw" or bool(self.members.direct)
        if not ours or network is None or prefix is None:
            return False
        return contains(network, prefix) and prefix.length in self.members.lengths

    def _near(self, gateway: str) -> bool:
        address = parse_address(gateway)
        return address is not None and bool(self.tables.on_link(Prefix(*address, BITS[address[0]])))

    def off_link(self, number: int) -> bool:
        """Whether a member cannot be reached as the backend wants: the way goes straight, and its address is not on link."""
        wanted = self.want(number)
        straight = wanted is not None and wanted.gateway and not wanted.device and not wanted.onlink
        return bool(straight) and Leg.ROUTE not in self.reasons and not self._on_link(number)

    def stale_neighbours(self, held: Held) -> tuple[Neighbour, ...]:
        """Permanent entries on the tunnel for gateways that no podCIDR has."""
        strange = self.neighbours.keys() - held.bases
        entries = cast("Iterable[Neighbour]", self.kernel.facts.get("neighbours") or ()) if strange else ()
        return tuple(e for e in entries if e.device == self.device and e.address in strange and "PERMANENT" in e.states)

    def stale_fdb(self, held: Held) -> tuple[FdbEntry, ...]:
        """Permanent entries on the tunnel for MACs that nobody announces, or beside the one that leads to who does."""
        strange = self.fdb.keys() - held.macs
        entries = cast("Iterable[FdbEntry]", self.kernel.facts.get("fdb") or ()) if strange or self.doubled else ()
        ours = (e for e in entries if e.device == self.device and e.permanent and e.destination)
        return tuple(e for e in ours if e.mac in strange or (e.mac in self.doubled and self._beside(e)))


def stale(reading: Reading, held: Held) -> bool:
    """Whether it has any entry of a Node that is gone."""
    return bool(reading.stale_routes(held) or reading.stale_neighbours(held) or reading.stale_fdb(held))


def where(route: Route) -> str:
    """A route in the words of ip(8)."""
    kind = f"{route.kind} " if route.kind != "unicast" else ""
    via = f" via {route.gateway}" if route.gateway else ""
    device = f" dev {route.device}" if route.device else ""
    table = f" table {route.table}" if route.table not in ("", MAIN) else ""
    return f"{kind}{route.destination}{via}{device}{' onlink' if route.onlink else ''}{table}"
