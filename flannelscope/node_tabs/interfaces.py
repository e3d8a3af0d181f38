"""Interfaces: devices with what they are made of, and their addresses."""

from __future__ import annotations

from collections.abc import Iterable

from flannelscope.facts import Facts
from flannelscope.model import Address, Kernel, Link
from flannelscope.node_tabs import line, listed, tab
from flannelscope.node_views import Line, TableView

HEAD = ("device", "kind", "state", "mtu", "mac", "addresses", "more")


@tab(1, "Interfaces")
def interfaces(facts: Facts, kernel: Kernel) -> Iterable[TableView]:
    """Devices that carry traffic first, the pods' ends of their cables last."""
    addresses: tuple[Address, ...] = kernel.facts.get("addresses") or ()
    of: dict[str, list[str]] = {}
    for address in addresses:
        of.setdefault(address.device, []).append(f"{address.address}/{address.length}")

    def lines(links: tuple[Link, ...]) -> Iterable[Line]:
        for link in sorted(links, key=lambda link: (link.kind == "veth", link.index)):
            yield line(link.name, link.kind, _state(link), link.mtu, link.mac, " ".join(of.get(link.name, ())), _more(link))

    yield listed(kernel, "links", "Devices", HEAD, lines)
    if "addresses" not in kernel.facts:
        yield listed(kernel, "addresses", "Addresses", (), lambda _: ())


def _state(link: Link) -> str:
    """Up or down as an operator means it; a device without carrier is up and useless."""
    if "UP" not in link.flags:
        return "down"
    return "up" if "LOWER_UP" in link.flags else "up, no carrier"


def _more(link: Link) -> str:
    parts = []
    if link.vxlan is not None:
        vxlan = link.vxlan
        parts.append(f"VNI {vxlan.vni} port {vxlan.port} local {vxlan.local or '-'} over {vxlan.parent or '-'}")
        parts += ["learning"] * vxlan.learning + ["gbp"] * vxlan.gbp
    elif link.parent:
        parts.append(f"on {link.parent}")
    if link.master:
        parts.append(f"in {link.master}")
    return ", ".join(parts)
