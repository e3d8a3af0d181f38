"""Whether flannel has set on a node what it is to set for its peers: routes and ARP from /proc, which starts no process."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterable
from pathlib import Path

from tests.lab.lab import Lab
from tests.lab.processes import LabFailed, checked

TUNNEL = "flannel.1"
VIA_GATEWAY = 0x2  # RTF_GATEWAY
COMPLETE = 0x2  # ATF_COM


def lacking(lab: Lab, node: str, peers: Iterable[str]) -> str:
    """What a node lacks of routes to these IPv4 podCIDRs, and of ARP and FDB entries for those that go through the tunnel.

    "" when nothing is. The node is a machine of the lab, which runs.
    """
    net = Path(f"/proc/{lab.process(node)}/net")
    found = routes(net)
    missing = [peer for peer in peers if peer not in found]
    if missing:
        return f"{len(missing)} routes, that to {missing[0]} among them"
    tunnelled = {peer.partition("/")[0] for peer in peers if found[peer] == TUNNEL}
    neighbours = tunnelled - arp(net)
    if neighbours:
        return f"{len(neighbours)} ARP entries, that of {min(neighbours)} among them"
    if tunnelled:
        entries = checked(["bridge", "-n", lab.places.network(node), "fdb", "show", "dev", TUNNEL]).count(" dst ")
        if entries < len(tunnelled):
            return f"{len(tunnelled) - entries} FDB entries"
    return ""


def routes(net: Path) -> dict[str, str]:
    """Destination and device of each route with a gateway."""
    found = {}
    for line in _lines(net / "route"):
        device, destination, _, flags, _, _, _, mask, *_ = line.split()
        if int(flags, 16) & VIA_GATEWAY:
            found[f"{_address(destination)}/{int(mask, 16).bit_count()}"] = device
    return found


def arp(net: Path) -> set[str]:
    """Addresses with a complete ARP entry on the tunnel."""
    entries = (line.split() for line in _lines(net / "arp"))
    return {entry[0] for entry in entries if entry[5] == TUNNEL and int(entry[2], 16) & COMPLETE}


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()[1:]
    except OSError as error:
        raise LabFailed(f"{file}: {error.strerror}; the machine is gone") from error


def _address(little_endian: str) -> str:
    return str(ipaddress.IPv4Address(socket.ntohl(struct.unpack("!I", bytes.fromhex(little_endian))[0])))
