"""wireguard and udp: one route for all of Network into the tunnel; who is where is known inside (`wg show`, the process)."""

from __future__ import annotations

from collections.abc import Sequence

from flannelscope.cidr import BITS
from flannelscope.flannel.expected.peers import Peer
from flannelscope.flannel.expected.values import Device, Wanted
from flannelscope.model import Link


class Wireguard:
    """flannel-wg, and flannel-wg-v6 where Mode is "separate" (its default)."""

    name = "wireguard"
    tunnels = True
    straight = False
    repairs = False
    kind = "wireguard"
    names = ("flannel-wg", "flannel-wg-v6")

    def device(self, own: Peer) -> Device | None:
        """Its address is the base of the node's own subnet, alone."""
        return Device(name=self.names[own.family == 6], kind=self.kind, address=f"{own.base}/{BITS[own.family]}")

    def found(self, own: Peer, links: Sequence[Link]) -> str:
        """For IPv6 the second one, where it is."""
        there = {link.name for link in links}
        right = self.names[own.family == 6]
        return right if right in there or self.names[0] not in there else self.names[0]

    def wanted(self, peer: Peer, device: str) -> Wanted:
        """Whatever route covers the peer must lead into the tunnel."""
        return Wanted(peer=peer, device=device, whole=True)

    def direct(self, peer: Peer) -> Wanted:
        """Never asked: it knows no straight way."""
        return self.wanted(peer, "")


class Udp(Wireguard):
    """flannel0, a tun device, IPv4 alone."""

    name = "udp"
    kind = "tun"
    names = ("flannel0", "flannel0")

    def device(self, own: Peer) -> Device | None:
        """Its address is the base of the node's own subnet with the length of Network, which is not known here."""
        return Device(name="flannel0", kind="tun") if own.family == 4 else None
