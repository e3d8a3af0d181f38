"""The packet that is followed through the rules: the first of a new connection, with nothing special about it."""

from __future__ import annotations

from flannelscope.model import Prefix, Value

Sure = bool | None  # True: it matches, False: it does not, None: perhaps
EPHEMERAL = 40_000
UNUSUAL = 45_678  # a port that no rule for a service names


class Packet(Value, frozen=True, kw_only=True):
    """The first packet of a new connection. `source` and `destination` stand for any address of theirs.

    A rule about a part of them is not about this packet. `incoming` is "" for what the node sends itself, `outgoing` "" for
    what ends there. `marked` says that some rule before may have set a mark, `state` is conntrack's.
    """

    family: int
    source: Prefix
    destination: Prefix
    incoming: str = ""
    outgoing: str = ""
    protocol: str = "tcp"
    source_port: int = EPHEMERAL
    destination_port: int = UNUSUAL
    state: str = "new"
    marked: bool = False
    ends_here: bool = False  # its destination is the node itself

    def kind(self, side: str) -> str:
        """What kind of address its source or destination is to this node, in the words of addrtype and fib."""
        own = self.ends_here if side == "destination" else not self.incoming
        return "local" if own else "unicast"


def both(sures: list[Sure]) -> Sure:
    """Whether all of them hold."""
    if False in sures:
        return False
    return None if None in sures else True


def opposite(sure: Sure) -> Sure:
    """Whether it does not hold."""
    return None if sure is None else not sure


def within(asked: Prefix | None, held: Prefix) -> Sure:
    """Whether any address of `held` lies in `asked`; a part of them does not count."""
    if asked is None:
        return None
    if asked.family != held.family or asked.length > held.length:
        return False
    shift = (32 if held.family == 4 else 128) - asked.length
    return asked.base >> shift == held.base >> shift


def device(asked: str, name: str) -> bool:
    """Whether a device's name is the one asked for; a trailing + (iptables) or * (nft) stands for any rest."""
    if asked.endswith(("+", "*")):
        return bool(name) and name.startswith(asked[:-1])
    return asked == name
