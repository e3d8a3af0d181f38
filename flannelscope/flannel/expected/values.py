"""The words in which a backend says what it wants of a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from flannelscope.flannel.expected.peers import Peer
from flannelscope.model import Link, Value


class Device(Value, frozen=True, kw_only=True):
    """The tunnel of one node in one family. `address` is what it holds, as ADDRESS/LENGTH; `kind` as in Link."""

    name: str
    kind: str
    address: str = ""
    mac: str = ""
    vni: int | None = None
    port: int | None = None


class Wanted(Value, frozen=True, kw_only=True):
    """What a node needs to reach the pods of `peer`: a route, and where the tunnel asks for them a neighbour and an FDB entry.

    `device` "" is any that is no tunnel of flannel's. `whole`: no route of its own, the one for Network must lead to the
    tunnel. `mac` "" wants no neighbour and no FDB entry (what is left of them from before is tolerated).
    """

    peer: Peer
    gateway: str = ""
    device: str = ""
    onlink: bool = False
    whole: bool = False
    mac: str = ""

    def route(self) -> str:
        """The route in the words of ip-route(8)."""
        to = f" via {self.gateway}" if self.gateway else ""
        out = f" dev {self.device}" if self.device else ""
        return f"{self.peer.subnet}{to}{out}{' onlink' if self.onlink else ''}"


class Backend(Protocol):
    """A backend that is judged. `tunnels` says whether it has a device of its own, `straight` whether it can do without it for
    a peer on the same link, `repairs` whether it sets a route again that somebody removed (within ten seconds)."""

    name: str
    tunnels: bool
    straight: bool
    repairs: bool

    def device(self, own: Peer) -> Device | None:
        """The tunnel as it should be on the node that announces `own`."""

    def found(self, own: Peer, links: Sequence[Link]) -> str:
        """The name of the tunnel that is there, "" where none is."""

    def wanted(self, peer: Peer, device: str) -> Wanted:
        """What is needed through the tunnel `device`."""

    def direct(self, peer: Peer) -> Wanted:
        """What is needed for a peer on the same link, where `straight`."""
