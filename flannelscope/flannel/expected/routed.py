"""host-gw and ipip: one route for every peer, by its address. flannel looks at them every ten seconds and sets them again."""

from __future__ import annotations

from collections.abc import Sequence

from flannelscope.cidr import BITS
from flannelscope.flannel.expected.peers import Peer
from flannelscope.flannel.expected.values import Device, Wanted
from flannelscope.model import Link


class HostGw:
    """No tunnel at all: every peer must be on the same link."""

    name = "host-gw"
    tunnels = False
    straight = False
    repairs = True

    def device(self, own: Peer) -> Device | None:
        """None: it makes no device."""
        return None

    def found(self, own: Peer, links: Sequence[Link]) -> str:
        """No name, for there is no device."""
        return ""

    def wanted(self, peer: Peer, device: str) -> Wanted:
        """A route by the peer's address."""
        return Wanted(peer=peer, gateway=peer.address)

    def direct(self, peer: Peer) -> Wanted:
        """The same."""
        return self.wanted(peer, "")


class Ipip(HostGw):
    """The route leads into one tunnel whose far end is the gateway; with DirectRouting not for peers on the same link."""

    name = "ipip"
    tunnels = True
    straight = True

    def device(self, own: Peer) -> Device | None:
        """flannel.ipip, IPv4 alone."""
        return Device(name="flannel.ipip", kind="ipip", address=f"{own.base}/{BITS[4]}") if own.family == 4 else None

    def found(self, own: Peer, links: Sequence[Link]) -> str:
        """Its name is always the same."""
        return "flannel.ipip"

    def wanted(self, peer: Peer, device: str) -> Wanted:
        """On link by decree: the gateway is the far end of the tunnel."""
        return Wanted(peer=peer, gateway=peer.address, device=device, onlink=True)

    def direct(self, peer: Peer) -> Wanted:
        """A route by the peer's address, as with host-gw."""
        return Wanted(peer=peer, gateway=peer.address)
