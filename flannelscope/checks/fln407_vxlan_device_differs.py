"""A node's VXLAN device is not what its Node announces: peers address frames to another MAC, identifier, port or machine
than the kernel listens for, and it drops them without a word.

How it is known

In two readings the device's MAC or VNI differs from the node's own announcement, its port from what the network uses, its
local address is on no interface of the node (all it sends is lost), or the device it sends by is not the one that holds that
address. A local address other than the announced one is right where public-ip-overwrite says so (NAT).

How to see it

On the node, `ip -details link show flannel.1` beside the annotation backend-data.

    kubectl get node NODE -o yaml
    flannelscope check --ssh --only FLN407

What to do

Delete the device and start flannel anew on that node: it makes the device by its configuration and announces what it made.
Where the local address is not the node's, take --public-ip away first and use the annotation public-ip-overwrite.

How to undo it

There is nothing to undo: flannel makes the device again at each start.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.facts import Facts
from flannelscope.here import DEFAULT_PORT, Here, NotRead
from flannelscope.model import Evidence, Finding, Link, Remedy, Severity, Topic, Unknown, Vxlan
from flannelscope.proofs import announced_data, restart_flannel
from flannelscope.seen_twice import Complaint, on_node, seen_twice


@check(
    "FLN407",
    "vxlan-device-differs",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.KERNELS),
    swallows=("FLN403", "FLN404", *REACHABILITY),
)
def vxlan_device_differs(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each node whose VXLAN device is not what it announces."""
    yield from seen_twice(this, facts, _judge)


def _judge(here: Here) -> Iterator[Complaint]:
    if here.said.backend_type != "vxlan" or not here.up:
        return
    for family, name in here.tunnels:
        link = here.links.get(name)
        if link is not None:
            yield from _against_announcement(here, family, link)
            if link.vxlan is None:
                raise NotRead(f"what {name} is made with was not told")
            yield from _against_interfaces(here, family, link, link.vxlan)


def _against_announcement(here: Here, family: int, link: Link) -> Iterator[Complaint]:
    data = here.said.data if family == 4 else here.said.v6_data
    if data.vtep_mac and link.mac and link.mac != data.vtep_mac:
        yield _complaint(here, family, link, "MAC", link.mac, data.vtep_mac, "peers send frames for a MAC that nobody has")
    if link.vxlan is None:
        return
    if data.vni is not None and link.vxlan.vni != data.vni:
        yield _complaint(here, family, link, "VNI", str(link.vxlan.vni), str(data.vni), "the kernels drop each other's packets")
    port = _port(here, data.port)
    if port is not None and link.vxlan.port != port:
        yield _complaint(here, family, link, "port", str(link.vxlan.port), str(port), "peers' packets arrive at a closed port")


def _port(here: Here, announced: int | None) -> int | None:
    """The port of the network, None where only the kernels could tell it (FLN206 compares those)."""
    if announced is not None:
        return announced or DEFAULT_PORT
    try:
        written = here.running_conf.backend_options.get("port")
    except NotRead:
        return None
    return written or DEFAULT_PORT if isinstance(written, int) or written is None else None


def _against_interfaces(here: Here, family: int, link: Link, vxlan: Vxlan) -> Iterator[Complaint]:
    if not vxlan.local:
        return
    holder = here.holder(vxlan.local)
    if not holder:
        yield _complaint(here, family, link, "local address", vxlan.local, "an address of this node", "all it sends is lost")
    elif vxlan.parent and vxlan.parent != holder and not here.routed(holder):
        effect = f"its packets leave by another card than {vxlan.local} is on"
        yield _complaint(here, family, link, "parent device", vxlan.parent, holder, effect)


def _complaint(here: Here, family: int, link: Link, what: str, found: str, wanted: str, effect: str) -> Complaint:
    return Complaint(
        key=f"{link.name} {what}",
        summary=f"{here.node.name}'s {link.name} has the {what} {found} and not {wanted}: {effect}.",
        evidence=(
            here.proof(f"{what} of {link.name}", found, "links", f"ip -details link show {link.name}"),
            _wanted(here, family, what, wanted),
        ),
        remedy=_choose_address(here, family) if what == "local address" else _make_anew(here, link),
    )


def _make_anew(here: Here, link: Link) -> Remedy:
    return on_node(
        here.node.name,
        f"Delete {link.name} on {here.node.name} and start flannel anew there.",
        [f"ip link delete {link.name}"],
        restart_flannel((here.runs,) if here.runs else ()),
        caution="Until flannel runs again, the node's pods reach no other node.",
    )


def _choose_address(here: Here, family: int) -> Remedy:
    """flannel itself made the device with that address: made anew it is the same, until the option is gone that asks for it."""
    option, note = ("public-ip", "public-ip-overwrite") if family == 4 else ("public-ipv6", "public-ipv6-overwrite")
    return Remedy(
        f"Take --{option} from flannel on {here.node.name}, where it is given; a node behind NAT has its outer address in the "
        f"annotation {here.network.prefix}{note} instead. Then start flannel anew there: it makes the device with an address "
        "that the node has.",
        restart_flannel((here.runs,) if here.runs else ()),
        "As long as that option asks for the address, flannel makes the same device again.",
    )


def _wanted(here: Here, family: int, what: str, wanted: str) -> Evidence:
    if what in ("MAC", "VNI"):
        return announced_data(here.said, family)
    if what == "port":
        return Evidence("port of the network", wanted, "net-conf.json, Backend.Port, 8472 where absent", "")
    command = "ip -brief address"
    return here.proof(
        "addresses", ", ".join(sorted({a.address for a in here.addresses if a.scope == "global"})), "addresses", command
    )
