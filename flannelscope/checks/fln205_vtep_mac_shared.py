"""Peers tell nodes apart by the MAC of their VXLAN device (with wireguard: by their key). Of two nodes with one MAC, every
peer keeps a single entry, that of the last announcement, and sends the traffic for both there.

How it is known

Two or more members announce the same VtepMAC in one family, or the same wireguard key. Machines cloned from one image and
Node objects copied from a saved one look like that. With the same public-ip too and only one alive, it is one machine that
was renamed: its traffic works, but when the dead Node is deleted, peers drop the entry they share (FLN418). A Node of which
neither life nor death is known counts as living; where the verdict hangs on it, that is said as unknown.

How to see it

One VtepMAC (wireguard: PublicKey) in the backend-data of two Nodes; on a node, `ip -details link show flannel.1`.

    kubectl get nodes -o yaml | grep -E '^    name:|flannel\\.alpha\\.coreos\\.com'  # each name stands below its annotations

What to do

On a cloned machine remove the device and start flannel anew: clear the annotation backend-data, `ip link delete flannel.1`,
delete its flannel pod; then touch the other one's backend-data (the same JSON with other white space), for peers still send
what is for its MAC to the clone. For a renamed machine delete the dead Node, then touch the living one.

How to undo it

flannel writes its annotations anew at its next start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.exchange import touch
from flannelscope.facts import Facts, Network
from flannelscope.flannel.annotations import Announcement
from flannelscope.model import Evidence, Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import (
    SHOWN,
    announced_address,
    announced_data,
    deciding,
    heartbeat,
    living,
    members,
    objections,
    only_alive,
    quoted,
    restart_flannel,
    why_doubtful,
)
from flannelscope.text import fold

Member = tuple[Node, Announcement]
Key = tuple[int, str]  # family, MAC or key


@check(
    "FLN205",
    "vtep-mac-shared",
    Severity.CRITICAL,
    needs=(Topic.NODES,),
    swallows=("FLN403", "FLN404", "FLN407", *REACHABILITY),
)
def vtep_mac_shared(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Members that announce one VtepMAC or one wireguard key."""
    unsure: dict[str, None] = {}
    for network in facts.networks:
        told: set[frozenset[str]] = set()
        for (family, identity), sharing in _by_identity(facts, network).items():
            names = frozenset(node.name for node, _ in sharing)
            if len(names) > 1 and names not in told:  # the same nodes share it in both families: one cause
                told.add(names)
                yield _finding(self, facts, family, identity, sharing)
                unsure.update(dict.fromkeys(deciding(facts, [node for node, _ in sharing])))
    if unsure:
        yield self.unknown(why_doubtful(facts), tuple(unsure))


def _by_identity(facts: Facts, network: Network) -> dict[Key, list[Member]]:
    found: dict[Key, list[Member]] = {}
    for node, said in members(facts, network):
        for family in sorted(facts.families):
            data = said.data if family == 4 else said.v6_data
            if identity := data.vtep_mac or data.public_key:
                found.setdefault((family, identity), []).append((node, said))
    return found


def _finding(self: Check, facts: Facts, family: int, identity: str, sharing: Sequence[Member]) -> Finding:
    alive = [node.name for node, _ in sharing if living(facts, node)]
    names = [node.name for node, _ in sharing]
    one_machine = len({_address(said, family) for _, said in sharing}) == 1
    what = "wireguard key" if sharing[0][1].backend_type == "wireguard" else "VtepMAC"
    if len(alive) > 1:
        outcome = "peers keep one entry for all of them, and send the traffic for all to whichever announced last."
    elif alive and one_machine and facts.alive(facts.nodes[alive[0]]):
        outcome = f"only {alive[0]} is alive and the public-ip is the same, so this is a renamed machine; its traffic works."
    else:
        outcome = only_alive(facts, alive) + "."
    return self.finding(
        f"{fold(names)} announce one {what}, {identity}: {outcome}",
        tuple(node_subject(name) for name in names),
        severity=None if len(alive) > 1 else Severity.WARNING,
        evidence=_evidence(facts, family, sharing),
        remedy=_remedy(facts, [node for node, _ in sharing]),
    )


def _remedy(facts: Facts, sharing: Sequence[Node]) -> Remedy:
    """To delete a Node is spoken of only where one is known to be dead."""
    dead = [node for node in sharing if not living(facts, node)]
    if not dead:
        return _own_devices(facts, sharing)
    return Remedy(
        "Give each machine a device of its own; of a renamed machine delete the dead Node and then touch the living one's "
        "backend-data (the same JSON with other white space; in dual-stack both families).",
        (),
        objections(facts, dead)
        + "Deleting the dead Node alone makes running peers drop the entry that the living one uses (FLN418).",
    )


def _own_devices(facts: Facts, sharing: Sequence[Node]) -> Remedy:
    """All but the oldest get a new device. The oldest keeps the MAC, and peers must be told where it is once more."""
    oldest, *younger = sorted(sharing, key=lambda node: node.created or 0.0)
    commands = [line for node in younger[:SHOWN] for line in _new_device(facts, node)]
    return Remedy(
        f"Give each machine a device of its own: a new one to {fold(node.name for node in younger)}; {oldest.name}, the oldest, "
        "keeps the MAC. Peers still send what is for that MAC to whoever announced it last, so its annotation is touched then.",
        (*commands, *touch(facts, [oldest.name])) if commands else (),
        "Each line only after the one before has ended well: pods of a node reach nobody elsewhere while it has no device.",
    )


def _new_device(facts: Facts, node: Node) -> Iterator[str]:
    """The commands after which vxlan on a node starts with a MAC that nobody has; flannel takes its old one from the Node."""
    for network in facts.networks:
        said = network.members.get(node.name)
        if said is not None and said.backend_type == "vxlan":
            keys = [key for key, raw in (("backend-data", said.raw_data), ("backend-v6-data", said.raw_v6_data)) if raw]
            device = f"flannel.{said.data.vni or said.v6_data.vni or 1}"
            yield f"kubectl annotate node {quoted(node.name)} {' '.join(f'{said.prefix}{key}-' for key in keys)}"
            yield f"ip link delete {device}  # on {quoted(node.name)}"
            here = facts.flannel_on.get(node.name, ())
            yield from restart_flannel(here) or (f"# start flannel on {quoted(node.name)} anew",)
            sets = (facts.discovery.installations[item.installation].daemonset for item in here)
            yield from (f"kubectl -n {quoted(d.namespace)} rollout status daemonset {quoted(d.name)}" for d in sets if d)


def _address(said: Announcement, family: int) -> str:
    return said.public_ip if family == 4 else said.public_ipv6


def _evidence(facts: Facts, family: int, sharing: Sequence[Member]) -> tuple[Evidence, ...]:
    proofs: list[Evidence] = []
    for node, said in sharing[:SHOWN]:
        proofs += [announced_data(said, family), announced_address(said, family)]
        if not facts.alive(node):
            proofs.append(heartbeat(facts, node))
    return tuple(proofs)
