"""vxlan: a route, a neighbour and an FDB entry for every peer; with DirectRouting only a route for one on the same link.

flannel sets neighbour, FDB entry, route, in this order, once per change of a peer's announcement, and never looks at them
again (pkg/backend/vxlan/vxlan_network.go). Left-over neighbours and FDB entries of a peer that became direct do no harm.
"""

from __future__ import annotations

from collections.abc import Sequence

from flannelscope.cidr import BITS
from flannelscope.flannel.expected.peers import Peer
from flannelscope.flannel.expected.values import Device, Wanted
from flannelscope.model import Link

DEFAULT_PORT = 8472


class Vxlan:
    """The backend with the settings of its net-conf. `port` None or 0 is the kernel's own."""

    name = "vxlan"
    tunnels = True
    straight = True
    repairs = False

    def __init__(self, vni: int = 1, port: int | None = None) -> None:
        self.vni = vni
        self.port = port or DEFAULT_PORT

    def device(self, own: Peer) -> Device:
        """flannel.VNI for IPv4, flannel-v6.VNI for IPv6; its address is the base of the node's own subnet, alone."""
        vni = own.vni if own.vni is not None else self.vni
        return Device(
            name=f"{_stem(own.family)}{vni}",
            kind="vxlan",
            address=f"{own.base}/{BITS[own.family]}",
            mac=own.mac,
            vni=vni,
            port=self.port,
        )

    def found(self, own: Peer, links: Sequence[Link]) -> str:
        """The device of the announced VNI, else the one that flannel had made with another."""
        right = self.device(own).name
        stem = _stem(own.family)
        there = [link.name for link in links if link.name.startswith(stem) and link.name[len(stem) :].isdigit()]
        return right if right in there or not there else there[0] if len(there) == 1 else ""

    def wanted(self, peer: Peer, device: str) -> Wanted:
        """The three entries."""
        return Wanted(peer=peer, gateway=peer.base, device=device, onlink=True, mac=peer.mac)

    def direct(self, peer: Peer) -> Wanted:
        """DirectRouting: one route by the peer's own address."""
        return Wanted(peer=peer, gateway=peer.address)


def _stem(family: int) -> str:
    return "flannel." if family == 4 else "flannel-v6."
