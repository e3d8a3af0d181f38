"""Neighbours and FDB: to which MAC a base address leads, and to which host a MAC."""

from __future__ import annotations

from collections.abc import Iterable

from flannelscope.facts import Facts
from flannelscope.model import FdbEntry, Kernel, Neighbour
from flannelscope.node_tabs import line, listed, tab
from flannelscope.node_views import Line, TableView
from flannelscope.text import natural

TUNNEL = "flannel"


@tab(3, "Neighbours/FDB")
def entries(facts: Facts, kernel: Kernel) -> Iterable[TableView]:
    """flannel's devices first."""
    yield listed(kernel, "neighbours", "Neighbours (ARP, ND)", ("address", "device", "MAC", "state"), _neighbours)
    yield listed(kernel, "fdb", "Forwarding entries (FDB)", ("MAC", "device", "towards", "kind"), _fdb)


def _neighbours(found: tuple[Neighbour, ...]) -> Iterable[Line]:
    for item in sorted(found, key=lambda n: (not n.device.startswith(TUNNEL), n.device, natural(n.address))):
        role = "warn" if "FAILED" in item.states or "INCOMPLETE" in item.states else ""
        yield line(item.address, item.device, item.mac, " ".join(item.states), role=role)


def _fdb(found: tuple[FdbEntry, ...]) -> Iterable[Line]:
    for item in sorted(found, key=lambda e: (not e.device.startswith(TUNNEL), e.device, natural(e.destination), e.mac)):
        yield line(item.mac, item.device, item.destination, "permanent" if item.permanent else "learnt")
