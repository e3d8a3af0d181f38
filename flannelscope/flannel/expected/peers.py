"""A member as its peers take it in: one subnet, one address, one key, in one family."""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern

from flannelscope.cidr import show, show_address
from flannelscope.flannel.annotations import Announcement
from flannelscope.model import Prefix, Value


class Peer(Value, frozen=True, kw_only=True):
    """What one member announces in one family. Texts are canonical; `base` is the first address of its subnet."""

    node: str
    family: int
    prefix: Prefix
    subnet: str
    base: str
    address: str
    backend: str
    mac: str = ""
    vni: int | None = None


def peer_of(said: Announcement, prefixes: Iterable[Prefix | None], family: int) -> Peer | str:
    """The member as peers see it, or why they take nothing in. `prefixes` are its Node's podCIDRs in their order."""
    prefix = next((p for p in prefixes if p is not None and p.family == family), None)
    if prefix is None:
        return f"it has no IPv{family} podCIDR"
    address = said.public_ip if family == 4 else said.public_ipv6
    data = said.data if family == 4 else said.v6_data
    if not address and said.backend_type in ("vxlan", "host-gw", "ipip"):
        return f"it announces no usable IPv{family} address"
    if said.backend_type == "vxlan" and not data.vtep_mac:
        return f"it announces no usable VtepMAC for IPv{family}"
    return Peer(
        node=said.node,
        family=family,
        prefix=prefix,
        subnet=intern(show(prefix)),
        base=intern(show_address(family, prefix.base)),
        address=intern(address),
        backend=said.backend_type,
        mac=intern(data.vtep_mac),
        vni=data.vni,
    )
