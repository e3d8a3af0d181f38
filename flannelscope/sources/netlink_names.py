"""How iproute2 writes the kernel's numbers (include/uapi/linux of the kernel, and iproute2's own tables)."""

from __future__ import annotations

from collections.abc import Iterator

# In the order in which they are printed.
LINK_FLAGS = (
    (0x8, "LOOPBACK"),
    (0x2, "BROADCAST"),
    (0x10, "POINTOPOINT"),
    (0x1000, "MULTICAST"),
    (0x80, "NOARP"),
    (0x200, "ALLMULTI"),
    (0x100, "PROMISC"),
    (0x400, "MASTER"),
    (0x800, "SLAVE"),
    (0x4, "DEBUG"),
    (0x8000, "DYNAMIC"),
    (0x4000, "AUTOMEDIA"),
    (0x2000, "PORTSEL"),
    (0x20, "NOTRAILERS"),
    (0x1, "UP"),
    (0x10000, "LOWER_UP"),
    (0x20000, "DORMANT"),
    (0x40000, "ECHO"),
)
UP, RUNNING = 0x1, 0x40
NEIGHBOUR_STATES = (
    (0x1, "INCOMPLETE"),
    (0x2, "REACHABLE"),
    (0x4, "STALE"),
    (0x8, "DELAY"),
    (0x10, "PROBE"),
    (0x20, "FAILED"),
    (0x40, "NOARP"),
    (0x80, "PERMANENT"),
)
NOARP, PERMANENT = 0x40, 0x80
HOP_FLAGS = ((0x1, "dead"), (0x4, "onlink"), (0x2, "pervasive"), (0x8, "offload"), (0x20, "trap"), (0x10, "linkdown"))
CLONED = 0x200  # of a route: made from another one for a destination, no entry of its own
ROUTE_KINDS = {
    1: "unicast",
    2: "local",
    3: "broadcast",
    4: "anycast",
    5: "multicast",
    6: "blackhole",
    7: "unreachable",
    8: "prohibit",
    9: "throw",
    10: "nat",
    11: "xresolve",
}
PROTOCOLS = {
    0: "unspec",
    1: "redirect",
    2: "kernel",
    3: "boot",
    4: "static",
    8: "gated",
    9: "ra",
    10: "mrt",
    11: "zebra",
    12: "bird",
    13: "dnrouted",
    14: "xorp",
    15: "ntk",
    16: "dhcp",
    17: "mrouted",
    18: "keepalived",
    42: "babel",
    186: "bgp",
    187: "isis",
    188: "ospf",
    189: "rip",
    192: "eigrp",
}
TABLES = {253: "default", 254: "main", 255: "local"}
SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
RULE_ACTIONS = {3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
TO_TABLE, GOTO = 1, 2
INVERTED = 0x2  # of a rule: not


def link_flags(flags: int) -> tuple[str, ...]:
    """The names of a device's flags; one that is up and does not run has no carrier."""
    first = ("NO-CARRIER",) if flags & UP and not flags & RUNNING else ()
    return (*first, *names(flags, LINK_FLAGS))


def names(value: int, known: tuple[tuple[int, str], ...]) -> Iterator[str]:
    """The names of the bits that are set."""
    return (name for bit, name in known if value & bit)
