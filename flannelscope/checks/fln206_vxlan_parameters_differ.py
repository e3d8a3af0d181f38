"""VXLAN packets of another network identifier or on another port are dropped by the receiver's kernel without a word.
flannel does not compare these: nodes with different ones accept each other and silently cannot talk.

How it is known

Alive members whose backend-data both have a VNI announce different ones; or announced ports differ (0 means the default, 8472,
on Windows 4789), or GBP does. What is not announced is not compared: releases up to v0.13 write no VNI, and the port usually
stands nowhere but in the kernel: with --ssh it is read there, twice of those that differ. Where as many announce one value as
another and net-conf.json does not decide, both sides are named. A Node of which neither life nor death is known counts as
living, and is named as unknown.

How to see it

Other values of VNI, Port or GBP in the backend-data; on a node, `ip -details link show flannel.1`.

    kubectl get nodes -o yaml | grep -E '^    name:|flannel\\.alpha\\.coreos\\.com'  # each name stands below its annotations

What to do

Set one VNI and one Port in net-conf.json (Windows needs 4096 or more, and 4789) and start flannel anew on the odd nodes;
the device is made anew then.

How to undo it

Write the old values back and start flannel anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.facts import Facts, Network
from flannelscope.flannel.annotations import Announcement
from flannelscope.mesh.steady import SEEN_ONCE
from flannelscope.model import Evidence, Finding, Kernel, Link, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.pod_addresses import STANDS_STILL
from flannelscope.proofs import (
    SHOWN,
    announced_data,
    doubtful,
    heartbeat,
    installations_of,
    living,
    members,
    restart_flannel,
    why_doubtful,
)
from flannelscope.seen_twice import first_kernel, second_kernel
from flannelscope.text import count, fold

Member = tuple[Node, Announcement]
_PORT, _WINDOWS_PORT = 8472, 4789


@check("FLN206", "vxlan-parameters-differ", Severity.CRITICAL, needs=(Topic.NODES,), swallows=("FLN407", "FLN414", *REACHABILITY))
def vxlan_parameters_differ(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Alive vxlan members with another VNI, port or GBP than the rest; both sides where nothing says who is right."""
    unsure: dict[str, None] = {}
    for network in facts.networks:
        alive = [m for m in members(facts, network) if m[1].backend_type == "vxlan" and living(facts, m[0])]
        for name, read in _PARAMETERS.items():
            values = [(member, value) for member in alive if (value := read(facts, *member)) is not None]
            if len({value for _, value in values}) > 1:
                once = _seen_once(facts, network, name, values)
                if once:
                    yield self.unknown(SEEN_ONCE, once)
                    continue
                yield _finding(self, facts, network, name, values)
                unsure.update(dict.fromkeys(_deciding(facts, values)))
        if untold := tuple(node.name for node, said in alive if _untold(facts, node, said)):
            yield self.unknown("what their devices are made with was not told, nor do they announce their port", untold)
    if unsure:
        yield self.unknown(why_doubtful(facts), tuple(unsure))


def _untold(facts: Facts, node: Node, said: Announcement) -> bool:
    """Whether nobody tells the port of a device that was read."""
    kernel = second_kernel(facts, node.name)[0] or first_kernel(facts, node.name)
    links: tuple[Link, ...] = (kernel.facts.get("links") or ()) if kernel is not None else ()
    made = any(link.name.startswith("flannel") and link.kind == "vxlan" and link.vxlan is None for link in links)
    return made and _port(facts, node, said) is None


def _deciding(facts: Facts, values: Sequence[tuple[Member, int]]) -> tuple[str, ...]:
    """The doubtful Nodes that alone differ from those who surely live."""
    sure = {value for (node, _), value in values if facts.alive(node)}
    return doubtful(facts, (node for (node, _), value in values if value not in sure)) if len(sure) < 2 else ()


def _vni(_facts: Facts, _: Node, said: Announcement) -> int | None:
    return said.data.vni if said.data.vni is not None else said.v6_data.vni


def _port(facts: Facts, node: Node, said: Announcement) -> int | None:
    announced = said.data.port if said.data.port is not None else said.v6_data.port
    if announced is None:
        return _in_kernel(second_kernel(facts, node.name)[0] or first_kernel(facts, node.name), said)
    return announced or (_WINDOWS_PORT if node.os == "windows" else _PORT)


def _in_kernel(kernel: Kernel | None, said: Announcement) -> int | None:
    """The port of the device with the announced VNI."""
    links: tuple[Link, ...] = (kernel.facts.get("links") or ()) if kernel is not None else ()
    vni = said.data.vni if said.data.vni is not None else said.v6_data.vni
    made = (link.vxlan for link in links if link.name.startswith("flannel") and link.vxlan is not None)
    return next((vxlan.port for vxlan in made if vni is None or vxlan.vni == vni), None)


def _seen_once(facts: Facts, network: Network, name: str, values: Sequence[tuple[Member, int]]) -> tuple[str, ...]:
    """The odd Nodes of which only one reading of the kernel tells the port."""
    if name != "Port" or facts.snapshot.source in STANDS_STILL:
        return ()
    right = _right(facts, network, name, Counter(value for _, value in values))
    odd = [(node, said) for (node, said), value in values if value != right]
    told = [node.name for node, said in odd if said.data.port is None and said.v6_data.port is None]
    return tuple(node for node in told if second_kernel(facts, node)[0] is None)


def _gbp(_facts: Facts, _: Node, said: Announcement) -> int | None:
    return None if said.data.gbp is None else int(said.data.gbp)


_PARAMETERS: dict[str, Callable[[Facts, Node, Announcement], int | None]] = {"VNI": _vni, "Port": _port, "GBP": _gbp}


def _finding(self: Check, facts: Facts, network: Network, name: str, values: Sequence[tuple[Member, int]]) -> Finding:
    right = _right(facts, network, name, Counter(value for _, value in values))
    if right is None:
        return _undecided(self, facts, network, name, values)
    odd = [(member, value) for member, value in values if value != right]
    names = [node.name for (node, _), _ in odd]
    others = ", ".join(str(value) for value in sorted({value for _, value in odd}))
    example = next(member for member, value in values if value == right)
    return self.finding(
        f"{fold(names)} use {name} {others} where {count(len(values) - len(odd), 'other node')} use {right}: the kernels drop "
        "each other's packets, no traffic between their pods.",
        tuple(node_subject(node) for node in names),
        evidence=(*_said(facts, name, [*(member for member, _ in odd[:SHOWN]), example]), *_configured(facts, network)),
        remedy=Remedy(
            f"Set one {name} in net-conf.json and start flannel anew on the odd nodes.",
            restart_flannel([item for node in names[:SHOWN] for item in facts.flannel_on.get(node, ())]),
        ),
    )


def _right(facts: Facts, network: Network, name: str, seen: Counter[int]) -> int | None:
    """What net-conf asks for where some announce that, else what most announce; None on a tie."""
    asked = {i.net_conf.vni for i in installations_of(facts, network) if i.net_conf and not i.net_conf.broken and i.os == "linux"}
    configured = [value for value in asked if name == "VNI" and len(asked) == 1 and value in seen]
    if configured:
        return configured[0]
    first, second = seen.most_common(2)
    return first[0] if first[1] > second[1] else None


def _undecided(self: Check, facts: Facts, network: Network, name: str, values: Sequence[tuple[Member, int]]) -> Finding:
    """As many announce one value as another, and net-conf decides nothing: nobody is called odd."""
    sides: dict[int, list[Member]] = {}
    for member, value in values:
        sides.setdefault(value, []).append(member)
    told = ", ".join(f"{value} by {fold(node.name for node, _ in side)}" for value, side in sorted(sides.items()))
    shown = [member for _, side in sorted(sides.items()) for member in side[: SHOWN // 2]]
    return self.finding(
        f"Different values of {name} are announced ({told}), and nothing says which is meant: the kernels drop each other's "
        "packets, no traffic between these sides' pods.",
        tuple(node_subject(node.name) for (node, _), _ in values),
        evidence=(*_said(facts, name, shown), *_configured(facts, network)),
        remedy=Remedy(
            f"Decide which {name} is meant and set it in net-conf.json; then start flannel anew on the nodes that use another."
        ),
    )


def _said(facts: Facts, name: str, shown: Sequence[Member]) -> Iterator[Evidence]:
    for node, said in shown:
        yield announced_data(said, 4 if said.raw_data else 6)
        kernel = second_kernel(facts, node.name)[0] or first_kernel(facts, node.name)
        if name == "Port" and kernel is not None and (port := _in_kernel(kernel, said)) is not None:
            command = "ip -details link show type vxlan"
            yield Evidence(f"port of the device on {node.name}", str(port), f"{kernel.origin}: {command}", command)
        if not facts.alive(node):
            yield heartbeat(facts, node)


def _configured(facts: Facts, network: Network) -> Iterator[Evidence]:
    for installation in installations_of(facts, network):
        held, conf = installation.config_map, installation.net_conf
        if held is not None and conf is not None and not conf.broken:
            yield Evidence(f"VNI by {held.namespace}/{held.name}", str(conf.vni), "ConfigMap, net-conf.json, Backend")
