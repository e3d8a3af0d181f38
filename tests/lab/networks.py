"""Machines' addresses and cables: switches, the router between two private subnets, and who has which card.

`priv` (172.30/16) and `priv2` (172.31/16) are private switches, `pub` (198.18/16) the public one; each is a bridge in a
namespace of its own. In the third octet, 0 holds the control plane, the bastion and the full nodes, 1 and more the light nodes.
Each lab has switches of its own, so that labs with the same addresses never meet.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tests.lab.places import Places
from tests.lab.processes import checked
from tests.lab.settings import CONTROL_PLANE, Settings

PRIVATE = ("172.30", "172.31")
PRIVATE6 = ("fd30", "fd31")
PUBLIC = "198.18"
BASTION = "172.30.0.250"
OUTSIDE = "outside"  # the machine that has a cable to the bastion and nothing else
OUTSIDE_ADDRESS = "203.0.113.2"
DOOR = "203.0.113.1"  # the bastion, seen from there
CONTROL_PLANE_ADDRESS = "172.30.0.10"
ROUTER = "router"
SWITCHES = ("priv", "priv2", "pub")


@dataclass(frozen=True)
class Machine:
    """One node, or the control plane's machine, as the network sees it. `card` is the private network card's name."""

    name: str
    host: str  # the last two octets
    card: str
    subnet: int = 0  # index in PRIVATE

    @property
    def private(self) -> str:
        """The address that the cluster knows."""
        return f"{PRIVATE[self.subnet]}.{self.host}"

    @property
    def private6(self) -> str:
        """The same in IPv6, where the cluster has both families."""
        third, last = self.host.split(".")
        return f"{PRIVATE6[self.subnet]}::{third}:{last}"

    @property
    def public(self) -> str:
        """The address on eth0, which has the default route."""
        return f"{PUBLIC}.{self.host}"

    @property
    def switch(self) -> str:
        """The private switch."""
        return SWITCHES[self.subnet]


def control_plane() -> Machine:
    """The machine that the control plane runs on."""
    return Machine(CONTROL_PLANE, "0.10", "eth1")


def bastion() -> Machine:
    """The bastion, as a machine that one logs in to; it is no node, and has no public card."""
    return Machine("bastion", BASTION.split(".", 2)[2], "eth0")


def full_nodes(settings: Settings) -> tuple[Machine, ...]:
    """n1, n2 …: cards are dealt out in turn; where there are two subnets, nodes change between them in pairs."""
    return tuple(_machine(settings, i, f"n{i}", f"0.{100 + i}") for i in range(1, settings.nodes + 1))


def light_nodes(settings: Settings) -> tuple[Machine, ...]:
    """l001, l002 …, 250 to a third octet; cards and subnets as for full nodes."""
    numbers = range(1, settings.light + 1)
    return tuple(_machine(settings, i, f"l{i:03d}", f"{1 + (i - 1) // 250}.{1 + (i - 1) % 250}") for i in numbers)


def _machine(settings: Settings, number: int, name: str, host: str) -> Machine:
    kind = settings.kind
    return Machine(name, host, kind.cards[(number - 1) % len(kind.cards)], (number - 1) // 2 % kind.subnets)


def make_switches(places: Places, settings: Settings) -> None:
    """The switches, the bastion, and the router where there are two private subnets."""
    switches = [*SWITCHES[: settings.kind.subnets], "pub"]
    routed = settings.kind.subnets > 1
    make_namespaces(places, [*switches, "bastion", *([ROUTER] if routed else [])])
    for switch in switches:
        batch(places, switch, ["link add br0 type bridge", "link set br0 up"])
    plug(places, "bastion", "priv", "eth0")
    batch(
        places,
        "bastion",
        [*_address(settings, "eth0", BASTION, "fd30::0:250"), "link set eth0 up", *_routes(settings, 0, "eth0")],
    )
    if routed:
        make_router(places, settings)


def make_router(places: Places, settings: Settings) -> None:
    """172.30.0.1 and 172.31.0.1 in one namespace that forwards; cards eth1 and eth2."""
    for index in (0, 1):
        card = f"eth{index + 1}"
        plug(places, ROUTER, SWITCHES[index], card)
        own = _address(settings, card, f"{PRIVATE[index]}.0.1", f"{PRIVATE6[index]}::1")
        batch(places, ROUTER, [*own, f"link set {card} up"])
    forward = "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"
    checked(["ip", "netns", "exec", places.network(ROUTER), "sh", "-ec", forward])


def make_outside(places: Places) -> None:
    """The machine outside and its cable: no route leads on from there."""
    make_namespaces(places, [OUTSIDE])
    cable = f"link add eth1 type veth peer name eth0 netns {places.network(OUTSIDE)}"
    batch(places, "bastion", [cable, f"addr add {DOOR}/24 dev eth1", "link set eth1 up"])
    batch(places, OUTSIDE, [f"addr add {OUTSIDE_ADDRESS}/24 dev eth0", "link set eth0 up"])


def connect(places: Places, settings: Settings, machines: Sequence[Machine]) -> None:
    """Make machines' namespaces with both of their cards, the public one first, as the kernel lists them.

    The kernel has one lock for all networks: where there are hundreds of machines this wants to be done in few commands, and
    before flannel runs on any of them. Each command that has to take turns with theirs lasts for tens of milliseconds.
    """
    batch(places, "", [f"netns add {places.network(machine.name)}" for machine in machines])
    batch(places, "pub", [line for machine in machines for line in _cable(places, machine.name, "pub", "eth0")])
    for switch in sorted({machine.switch for machine in machines}):
        there = [machine for machine in machines if machine.switch == switch]
        batch(places, switch, [line for machine in there for line in _cable(places, machine.name, switch, machine.card)])
    for machine in machines:
        public = [f"addr add {machine.public}/16 dev eth0", "link set eth0 up", f"route add default via {PUBLIC}.0.1 dev eth0"]
        batch(places, machine.name, ["link set lo up", *public, *_private(settings, machine)])


def connect_private(places: Places, settings: Settings, machine: Machine, mac: str = "") -> None:
    """Give a machine its private card, with address and routes; `mac` is the one that it had, where it is made anew."""
    plug(places, machine.name, machine.switch, machine.card)
    known = [f"link set {machine.card} address {mac}"] if mac else []
    batch(places, machine.name, [*known, *_private(settings, machine)])


def _private(settings: Settings, machine: Machine) -> list[str]:
    own = _address(settings, machine.card, machine.private, machine.private6)
    ways = _routes(settings, machine.subnet, machine.card)
    return [*own, f"link set {machine.card} up", *ways]


def _address(settings: Settings, card: str, address: str, address6: str) -> list[str]:
    second = [f"addr add {address6}/64 dev {card} nodad"] if settings.kind.dual_stack else []
    return [f"addr add {address}/16 dev {card}", *second]


def _routes(settings: Settings, subnet: int, card: str) -> list[str]:
    """The way to the other private subnet."""
    if settings.kind.subnets == 1:
        return []
    second = (
        [f"-6 route add {PRIVATE6[1 - subnet]}::/64 via {PRIVATE6[subnet]}::1 dev {card}"] if settings.kind.dual_stack else []
    )
    return [f"route add {PRIVATE[1 - subnet]}.0.0/16 via {PRIVATE[subnet]}.0.1 dev {card}", *second]


def make_namespaces(places: Places, names: list[str]) -> None:
    """Network namespaces, each with its loopback up."""
    batch(places, "", [f"netns add {places.network(name)}" for name in names])
    for name in names:
        batch(places, name, ["link set lo up"])


def plug(places: Places, machine: str, switch: str, card: str, mtu: int = 1500) -> None:
    """A cable from a machine to a switch; on the switch its port is called after both."""
    batch(places, switch, _cable(places, machine, switch, card, mtu))


def _cable(places: Places, machine: str, switch: str, card: str, mtu: int = 1500) -> list[str]:
    port = f"{switch}-{machine}"[:15]
    return [
        f"link add {port} mtu {mtu} type veth peer name {card} mtu {mtu} netns {places.network(machine)}",
        f"link set {port} master br0 up",
    ]


def batch(places: Places, machine: str, lines: list[str]) -> None:
    """Many commands of `ip` at once, in a machine's namespace ("" is this machine's); raises LabFailed at the first failure."""
    where = ["-n", places.network(machine)] if machine else []
    checked(["ip", *where, "-batch", "-"], stdin="".join(f"{line}\n" for line in lines))


def names(places: Places) -> list[str]:
    """Names of the network namespaces of this lab that exist."""
    listed = json.loads(checked(["ip", "-j", "netns", "list"]) or "[]")
    return sorted(entry["name"] for entry in listed if entry["name"].startswith(places.network("")))
