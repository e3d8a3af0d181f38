"""Facts by which nodes are compared: what is the same on all of them, but for the odd ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from flannelscope.facts import Facts
from flannelscope.model import Address, Cni, FlannelProcess, Kernel, Link, Node, SavedTable, Value

Of = Callable[[Facts, Node, Kernel], str | None]


class Compared(Value, frozen=True):
    """A fact: its name, how it is told of a node (None: not read there), and what a difference means."""

    name: str
    of: Of
    why: str = ""


def _sysctl(path: str) -> Of:
    def of(facts: Facts, node: Node, kernel: Kernel) -> str | None:
        values: Mapping[str, str] | None = kernel.facts.get("sysctls")
        return None if values is None else values.get(path, "not there")

    return of


def _tunnels(kernel: Kernel) -> list[Link] | None:
    links: tuple[Link, ...] | None = kernel.facts.get("links")
    return None if links is None else sorted((x for x in links if x.name.startswith("flannel")), key=lambda x: x.name)


def _tunnel_mtu(facts: Facts, node: Node, kernel: Kernel) -> str | None:
    found = _tunnels(kernel)
    return None if found is None else ", ".join(f"{link.name} {link.mtu}" for link in found) or "no tunnel"


def _card(node: Node, kernel: Kernel) -> Link | None:
    """The device that holds the Node's InternalIP."""
    addresses: tuple[Address, ...] = kernel.facts.get("addresses") or ()
    device = next((a.device for a in addresses if a.address in node.internal_ips), "")
    links: tuple[Link, ...] = kernel.facts.get("links") or ()
    return next((link for link in links if link.name == device), None)


def _card_mtu(facts: Facts, node: Node, kernel: Kernel) -> str | None:
    card = _card(node, kernel)
    return None if card is None else str(card.mtu)


def _card_name(facts: Facts, node: Node, kernel: Kernel) -> str | None:
    card = _card(node, kernel)
    return None if card is None else card.name


def _uplink(facts: Facts, node: Node, kernel: Kernel) -> str | None:
    found = _tunnels(kernel)
    if found is None:
        return None
    return ", ".join(link.vxlan.parent or "-" for link in found if link.vxlan is not None) or "no VXLAN device"


def _arguments(facts: Facts, node: Node, kernel: Kernel) -> str | None:
    found: tuple[FlannelProcess, ...] | None = kernel.facts.get("flannel_process")
    if found is None:
        return None
    return " | ".join(sorted(" ".join(process.argv[1:]) or "none" for process in found)) or "no flanneld runs"


def _files(facts: Facts, node: Node, kernel: Kernel) -> str | None:
    found: Cni | None = kernel.facts.get("cni")
    return None if found is None else " ".join(file.name for file in found.files) or "none"


def _first_file(facts: Facts, node: Node, kernel: Kernel) -> str | None:
    found: Cni | None = kernel.facts.get("cni")
    return None if found is None else _digest(found.files[0].content) if found.files else "none"


def _rules(facts: Facts, node: Node, kernel: Kernel) -> str | None:
    """flannel's and the FORWARD chain's rules, with the node's own podCIDR by name, so that like nodes are alike."""
    found: tuple[SavedTable, ...] | None = kernel.facts.get("iptables")
    if found is None:
        return None
    told = []
    for table in found:
        for chain in table.chains.values():
            if chain.name.startswith(("FLANNEL", "FORWARD")):
                told.append(f"{table.flavour} {table.family} {table.name} {chain.name} {chain.policy}")
                told += [rule.text for rule in chain.rules]
    text = "\n".join(told)
    for cidr in node.pod_cidrs:
        text = text.replace(cidr, "PODCIDR")
    return _digest(text) if text else "no such chain"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


def _kernel(facts: Facts, node: Node, kernel: Kernel) -> str | None:
    version = kernel.facts.get("kernel_version")
    return None if version is None else str(getattr(version, "release", version))


COMPARED = (
    Compared("tunnel MTU", _tunnel_mtu, "Large packets are lost between nodes whose tunnels differ."),
    Compared("card MTU", _card_mtu, "The tunnel has to be smaller than the card under it."),
    Compared("card that holds the InternalIP", _card_name, "Harmless by itself; an interface rule has to name each of them."),
    Compared(
        "card under the tunnel", _uplink, "flannel's choice; see the interface rule where it is not the one that was meant."
    ),
    Compared("flanneld's arguments", _arguments, "A rollout that stopped half-way, or an edit by hand on one node."),
    Compared("CNI configurations", _files, "The runtime takes the first file in this order."),
    Compared("first CNI configuration (hash)", _first_file, "The same name with another content."),
    Compared("FORWARD and flannel's rules (hash)", _rules, "Another firewall on the node, or rules that somebody flushed."),
    Compared("kernel", _kernel),
    Compared("net.ipv4.ip_forward", _sysctl("net/ipv4/ip_forward"), "0: the node forwards nothing for its pods."),
    Compared(
        "net.ipv4.conf.all.rp_filter",
        _sysctl("net/ipv4/conf/all/rp_filter"),
        "1 drops what comes by another device than the route.",
    ),
    Compared(
        "net.bridge.bridge-nf-call-iptables",
        _sysctl("net/bridge/bridge-nf-call-iptables"),
        "Without it Services fail between pods of one node.",
    ),
    Compared(
        "net.ipv4.neigh.default.gc_thresh3",
        _sysctl("net/ipv4/neigh/default/gc_thresh3"),
        "The neighbour table has to hold every peer.",
    ),
)
