"""Whether the machine that answered is the Node that was asked for: an address alone does not say so.

An address may be given to a new machine while the old Node is still there, and a kubelet may report whatever address it was
told to. A difference is said only where it is sure: a machine that started anew has another boot than its Node may show yet,
machines cloned from one image may share a machine-id, and what is not told on either side is not different.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from flannelscope.model import Kernel, Node
from flannelscope.probes import addresses, machine
from flannelscope.probes.machine import Machine
from flannelscope.text import fold


def not_a_machines(address: str) -> str:
    """Why nobody is dialled at this InternalIP, "" where it may be a machine's."""
    try:
        said = ip_address(address)
    except ValueError:
        return ""
    kinds = (
        (said.is_loopback, "a loopback address: whoever dials it reaches himself"),
        (said.is_link_local, "a link-local address"),
        (said.is_multicast, "a multicast address"),
        (said.is_unspecified, "no address of a machine"),
    )
    what = next((word for found, word in kinds if found), "")
    return f"its InternalIP {address} is {what}" if what else ""


def strange(node: Node, kernel: Kernel, nodes: Iterable[Node]) -> str:
    """Why what was said is not taken for this Node's among all `nodes`, in words; "" where nothing is against it."""
    said = machine.PROBE.of(kernel)
    everybody = tuple(nodes)
    own = _same(node, said)
    if own is False and said is not None:
        return f"another machine answered at its address: machine-id {said.machine_id}, and the Node's is {node.machine_id}"
    rivals = [other for other in everybody if other.name != node.name and _first(other) and _first(other) == _first(node)]
    return (_among(node, said, rivals) if rivals else "") or _misled(node, kernel, everybody)


def _first(node: Node) -> str:
    return node.internal_ips[0] if node.internal_ips else ""


def _same(node: Node, said: Machine | None) -> bool | None:
    """Whether it is the Node's machine; None where that is not known."""
    if said is None:
        return None
    boots = machine.boot_id(node.boot_id), said.boot_id
    machines = machine.machine_id(node.machine_id), said.machine_id
    if not all(boots):
        return None
    if boots[0] == boots[1]:
        return True
    return False if all(machines) and machines[0] != machines[1] else None


def _among(node: Node, said: Machine | None, rivals: Sequence[Node]) -> str:
    """Of several Nodes with one InternalIP only one can have answered."""
    names = fold([rival.name for rival in rivals])
    shared = f"its InternalIP {_first(node)} is that of {names} too"
    claims = [other.name for other in (node, *rivals) if _same(other, said)]
    if len(claims) != 1 and said is not None:
        claims = [other.name for other in (node, *rivals) if said.name in (other.name, _host(other))]
    if len(claims) != 1:
        return f"{shared}: which of their machines answered is not known"
    return "" if claims == [node.name] else f"{shared}, and it was the machine of {claims[0]} that answered"


def _host(node: Node) -> str:
    return node.labels.get("kubernetes.io/hostname", node.name)


def _misled(node: Node, kernel: Kernel, nodes: Sequence[Node]) -> str:
    """Whether the machine has the InternalIP of another Node, and none of its own."""
    held = {address.address for address in addresses.PROBE.of(kernel) or ()}
    if not held or not node.internal_ips or held & _written(node):
        return ""
    other = next((other for other in nodes if other.name != node.name and held & _written(other)), None)
    return f"the machine that answered has the InternalIP of {other.name}, and not this Node's" if other is not None else ""


def _written(node: Node) -> set[str]:
    found = set()
    for text in node.internal_ips:
        try:
            found.add(str(ip_address(text)))
        except ValueError:
            continue
    return found
