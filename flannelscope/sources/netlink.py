"""This machine's own devices, addresses, routes, rules, neighbours and FDB, asked of its kernel: no program has to be there.

The values are those of the probes, so that they can be held against each other. pyroute2 is imported when it is first needed: it
takes a quarter of a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flannelscope.errors import CannotRead
from flannelscope.model.kernel import Address, FdbEntry, Kernel, Link, Neighbour, Route, Rule, Vxlan
from flannelscope.probes import fdb as fdb_probe
from flannelscope.probes import framing
from flannelscope.probes import neighbours as neighbours_probe
from flannelscope.probes import routes as routes_probe
from flannelscope.sources import netlink_names as words

FAMILIES = {2: 4, 10: 6}
ORIGIN = "netlink, this machine"


class Netlink:
    """A connection to this machine's kernel; its methods raise CannotRead where the kernel refuses."""

    def __init__(self, connection: Any) -> None:
        self._kernel = connection
        messages = self._ask("get_links")
        self._links = messages
        self._names: dict[int, str] = {message["index"]: str(message.get("IFLA_IFNAME")) for message in messages}

    def _ask(self, method: str, *args: Any, **options: Any) -> list[Any]:
        from pyroute2 import NetlinkError

        try:
            return list(getattr(self._kernel, method)(*args, **options))
        except (NetlinkError, OSError) as error:
            raise CannotRead(f"the kernel does not tell {method.removeprefix('get_')}: {error}") from error

    def _device(self, index: int | None) -> str:
        return self._names.get(index, "") if index else ""

    def links(self) -> tuple[Link, ...]:
        """The network devices."""
        return tuple(self._link(message) for message in self._links)

    def _link(self, message: Any) -> Link:
        kind = str(message.get(("IFLA_LINKINFO", "IFLA_INFO_KIND")) or "")
        below = message.get("IFLA_LINK")
        vxlan = self._vxlan(message.get(("IFLA_LINKINFO", "IFLA_INFO_DATA"))) if kind == "vxlan" else None
        other = "" if kind in ("", "veth") or message.get("IFLA_LINK_NETNSID") is not None else self._device(below)
        return Link(
            index=message["index"],
            name=self._names[message["index"]],
            kind=kind,
            flags=words.link_flags(message["flags"]),
            mtu=message.get("IFLA_MTU") or 0,
            mac=framing.mac(message.get("IFLA_ADDRESS") or ""),
            operstate=message.get("IFLA_OPERSTATE") or "",
            master=self._device(message.get("IFLA_MASTER")),
            parent=vxlan.parent if vxlan else other,
            peer_index=below if kind == "veth" else None,
            vxlan=vxlan,
        )

    def _vxlan(self, data: Any) -> Vxlan:
        local = data.get("IFLA_VXLAN_LOCAL") or data.get("IFLA_VXLAN_LOCAL6") or ""
        return Vxlan(
            vni=data.get("IFLA_VXLAN_ID") or 0,
            port=data.get("IFLA_VXLAN_PORT") or 0,
            local=framing.address(local),
            parent=self._device(data.get("IFLA_VXLAN_LINK")),
            learning=bool(data.get("IFLA_VXLAN_LEARNING")),
            gbp=any(name == "IFLA_VXLAN_GBP" for name, _ in data["attrs"]),
        )

    def addresses(self) -> tuple[Address, ...]:
        """The addresses of all devices."""
        return tuple(
            Address(
                self._device(message["index"]),
                FAMILIES[message["family"]],
                framing.address(message.get("IFA_LOCAL") or message.get("IFA_ADDRESS") or ""),
                message["prefixlen"],
                words.SCOPES.get(message["scope"], str(message["scope"])),
            )
            for message in self._ask("get_addr")
            if message["family"] in FAMILIES
        )

    def routes(self) -> tuple[Route, ...]:
        """The routes of both families and all tables."""
        messages = [message for family in FAMILIES for message in self._ask("get_routes", family=family)]
        made = (self._route(message) for message in messages if not message["flags"] & words.CLONED)
        return tuple(route for route in made if route is not None)

    def _route(self, message: Any) -> Route | None:
        family, length = FAMILIES[message["family"]], message["dst_len"]
        table = message.get("RTA_TABLE") or message["table"]
        hops = [(_gateway(hop), self._device(hop.get("oif")), hop["flags"]) for hop in message.get("RTA_MULTIPATH") or ()]
        gateway, device, flags = hops[0] if hops else (_gateway(message), self._device(message.get("RTA_OIF")), 0)
        return routes_probe.route(
            family,
            f"{message.get('RTA_DST')}/{length}" if length else "default",
            gateway,
            device,
            tuple(words.names(message["flags"] | flags, words.HOP_FLAGS)),
            words.TABLES.get(table, str(table)),
            words.ROUTE_KINDS.get(message["type"], str(message["type"])),
            words.PROTOCOLS.get(message["proto"], str(message["proto"])),
            message.get("RTA_PRIORITY") or 0,
            message.get("RTA_PREFSRC") or "",
            tuple((via, name) for via, name, _ in hops[1:]),
        )

    def rules(self) -> tuple[Rule, ...]:
        """The policy routing rules of both families."""
        return tuple(_rule(message) for family in FAMILIES for message in self._ask("get_rules", family=family))

    def neighbours(self) -> tuple[Neighbour, ...]:
        """ARP and ND entries; not those that need none (NOARP), which iproute2 does not show either."""
        made = (
            neighbours_probe.neighbour(
                message.get("NDA_DST") or "",
                self._device(message["ifindex"]),
                message.get("NDA_LLADDR") or "",
                tuple(words.names(message["state"], words.NEIGHBOUR_STATES)),
            )
            for message in self._ask("get_neighbours", family=0)
            if message["family"] in FAMILIES and message["state"] & ~words.NOARP
        )
        return tuple(entry for entry in made if entry is not None)

    def fdb(self) -> tuple[FdbEntry, ...]:
        """Forwarding entries of bridges and VXLAN devices."""
        made = (
            fdb_probe.entry(
                message.get("NDA_LLADDR") or "",
                self._device(message["ifindex"]),
                message.get("NDA_DST") or "",
                "permanent" if message["state"] & words.PERMANENT else "",
            )
            for message in self._ask("fdb", "dump")
        )
        return tuple(entry for entry in made if entry is not None and entry is not fdb_probe.LISTENING)


def _gateway(message: Any) -> str:
    via = message.get("RTA_VIA")
    return str(message.get("RTA_GATEWAY") or (via.get("addr") if via else "") or "")


def _rule(message: Any) -> Rule:
    table = message.get("FRA_TABLE") or message["table"]
    action = message["action"]
    said = words.RULE_ACTIONS.get(action, "")
    if action == words.GOTO:
        said = f"goto {message.get('FRA_GOTO')}"
    return Rule(
        family=FAMILIES[message["family"]],
        priority=message.get("FRA_PRIORITY") or 0,
        selector=" ".join(_selector(message)),
        table=words.TABLES.get(table, str(table)) if action == words.TO_TABLE else "",
        action=said,
    )


def _selector(message: Any) -> Iterator[str]:
    """As iproute2 words which packets are meant."""
    if message["flags"] & words.INVERTED:
        yield "not"
    yield f"from {_end(message.get('FRA_SRC'), message['src_len'], message['family'])}"
    if message["dst_len"]:
        yield f"to {_end(message.get('FRA_DST'), message['dst_len'], message['family'])}"
    mark, mask = message.get("FRA_FWMARK"), message.get("FRA_FWMASK")
    if mark or (mask or 0) not in (0, 0xFFFFFFFF):
        yield f"fwmark {mark or 0:#x}" + (f"/{mask:#x}" if mask not in (None, 0xFFFFFFFF) else "")
    for name, word in (("FRA_IIFNAME", "iif"), ("FRA_OIFNAME", "oif")):
        if message.get(name):
            yield f"{word} {message.get(name)}"
    unset = 0xFFFFFFFF
    if message.get("FRA_SUPPRESS_PREFIXLEN", unset) not in (None, unset):
        yield f"suppress_prefixlength {message.get('FRA_SUPPRESS_PREFIXLEN')}"


def _end(address: str | None, length: int, family: int) -> str:
    if not length:
        return "all"
    return str(address) if length == (32 if family == 2 else 128) else f"{address}/{length}"


@contextmanager
def connected() -> Iterator[Netlink]:
    """This machine's kernel; raises CannotRead where it cannot be asked."""
    from pyroute2 import IPRoute

    try:
        connection = IPRoute()
    except OSError as error:
        raise CannotRead(f"netlink cannot be opened: {error}") from error
    try:
        yield Netlink(connection)
    finally:
        connection.close()


def kernel(node: str, clock: Callable[[], float] = time.time) -> Kernel:
    """What this machine's kernel says of itself, under the names of the probes; the other probes are not missed here."""
    at = clock()
    facts: dict[str, Any] = {}
    missing: dict[str, str] = {}
    with connected() as asked:
        questions: Mapping[str, Callable[[], object]] = {
            "links": asked.links,
            "addresses": asked.addresses,
            "routes": asked.routes,
            "rules": asked.rules,
            "neighbours": asked.neighbours,
            "fdb": asked.fdb,
        }
        for name, question in questions.items():
            try:
                facts[name] = question()
            except CannotRead as reason:
                missing[name] = str(reason)
    return Kernel(node=node, at=at, origin=ORIGIN, facts=facts, missing=missing)
