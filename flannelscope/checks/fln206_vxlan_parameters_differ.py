"""VXLAN packets of another network identifier or on another port are dropped by the receiver's kernel without a word.
flannel does not compare these: nodes with different ones accept each other and silently cannot talk.

How it is known

Alive members whose backend-data both have a VNI announce different ones; or announced ports differ (0 means the default,
8472, on Windows 4789), or GBP does. What is not announced is not compared: releases up to v0.13 write no VNI, and the port
usually stands nowhere but in the kernel.

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
from flannelscope.model import Evidence, Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import SHOWN, announced_data, installations_of, living, members, restart_flannel
from flannelscope.text import count, fold

Member = tuple[Node, Announcement]
_PORT, _WINDOWS_PORT = 8472, 4789


@check("FLN206", "vxlan-parameters-differ", Severity.CRITICAL, needs=(Topic.NODES,), swallows=("FLN407", "FLN414", *REACHABILITY))
def vxlan_parameters_differ(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Alive vxlan members with another VNI, port or GBP than the rest."""
    for network in facts.networks:
        alive = [m for m in members(facts, network) if m[1].backend_type == "vxlan" and living(facts, m[0])]
        for name, read in _PARAMETERS.items():
            values = [(member, value) for member in alive if (value := read(*member)) is not None]
            if len({value for _, value in values}) > 1:
                yield _finding(self, facts, network, name, values)


def _vni(_: Node, said: Announcement) -> int | None:
    return said.data.vni if said.data.vni is not None else said.v6_data.vni


def _port(node: Node, said: Announcement) -> int | None:
    announced = said.data.port if said.data.port is not None else said.v6_data.port
    if announced is None:
        return None
    return announced or (_WINDOWS_PORT if node.os == "windows" else _PORT)


def _gbp(_: Node, said: Announcement) -> int | None:
    return None if said.data.gbp is None else int(said.data.gbp)


_PARAMETERS: dict[str, Callable[[Node, Announcement], int | None]] = {"VNI": _vni, "Port": _port, "GBP": _gbp}


def _finding(self: Check, facts: Facts, network: Network, name: str, values: Sequence[tuple[Member, int]]) -> Finding:
    seen = Counter(value for _, value in values)
    asked = {i.net_conf.vni for i in installations_of(facts, network) if i.net_conf and not i.net_conf.broken and i.os == "linux"}
    configured = [value for value in asked if name == "VNI" and len(asked) == 1 and value in seen]
    right = configured[0] if configured else min(seen, key=lambda value: (-seen[value], value))
    odd = [(member, value) for member, value in values if value != right]
    names = [node.name for (node, _), _ in odd]
    others = ", ".join(str(value) for value in sorted({value for _, value in odd}))
    proofs = [announced_data(said, 4 if said.raw_data else 6) for (_, said), _ in odd[:SHOWN]]
    example = next(said for (_, said), value in values if value == right)
    return self.finding(
        f"{fold(names)} use {name} {others} where {count(seen[right], 'other node')} use {right}: the kernels drop each other's "
        "packets, no traffic between their pods.",
        tuple(node_subject(node) for node in names),
        evidence=(*proofs, announced_data(example, 4 if example.raw_data else 6), *_configured(facts, network)),
        remedy=Remedy(
            f"Set one {name} in net-conf.json and start flannel anew on the odd nodes.",
            restart_flannel([item for node in names[:SHOWN] for item in facts.flannel_on.get(node, ())]),
        ),
    )


def _configured(facts: Facts, network: Network) -> Iterator[Evidence]:
    for installation in installations_of(facts, network):
        held, conf = installation.config_map, installation.net_conf
        if held is not None and conf is not None and not conf.broken:
            yield Evidence(f"VNI by {held.namespace}/{held.name}", str(conf.vni), "ConfigMap, net-conf.json, Backend")
