"""A member whose announcement cannot be read is skipped by every peer, usually with one line in the log and no retry. Its
pods are unreachable from all other nodes.

How it is known

kube-subnet-manager is "true", and for an enabled family the public-ip is empty or no address, or backend-data cannot be
decoded as its backend type needs it (vxlan: VtepMAC, wireguard: PublicKey), or the podCIDR is still empty or no prefix.
An IPv6-only node announces 0.0.0.0 and null for IPv4: that is absence, and right. Node objects made by hand for load
balancers often carry JSON without quotes.

How to see it

The annotation that is named, as it stands on the Node.

    kubectl get node NODE -o yaml

What to do

Correct or remove the annotation that is named. If flannel runs on the node, delete its pod: it writes all of them anew. If
the Node object was made for a machine that runs no flannel, set what flannel would announce for it.

How to undo it

Write the former value back; peers act on every change of backend-data, backend-type or public-ip.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.cidr import parse
from flannelscope.facts import Facts
from flannelscope.flannel.annotations import Announcement, BackendData
from flannelscope.model import Evidence, Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import announced_address, announced_data, announced_type, members, pod_cidrs, restart_flannel, written

Fault = tuple[str, Evidence]


@check(
    "FLN208",
    "announcement-unusable",
    Severity.CRITICAL,
    needs=(Topic.NODES,),
    swallows=("FLN310", "FLN401", "FLN402", "FLN403", "FLN404", *REACHABILITY),
)
def announcement_unusable(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Members that no peer can take in."""
    for network in facts.networks:
        for node, said in members(facts, network):
            faults = _faults(facts, node, said)
            if faults:
                yield self.finding(
                    f"{node.name} is announced, but {' and '.join(words for words, _ in faults)}: every peer skips it.",
                    (node_subject(node.name),),
                    evidence=(*(proof for _, proof in faults), announced_type(said), *written(node)),
                    remedy=Remedy(
                        "Correct the value that is named, or start flannel anew on this node: it writes all of them.",
                        restart_flannel(facts.flannel_on.get(node.name, ())),
                    ),
                )


def _faults(facts: Facts, node: Node, said: Announcement) -> list[Fault]:
    faults: list[Fault] = []
    if not node.pod_cidrs:
        faults.append(("it has no podCIDR yet", pod_cidrs(node)))
    elif all(parse(text) is None for text in node.pod_cidrs):
        faults.append((f"its podCIDR {node.pod_cidrs[0]!r} is no prefix", pod_cidrs(node)))
    for family in sorted(facts.families):
        faults += _of_family(said, family)
    return faults


def _of_family(said: Announcement, family: int) -> Iterator[Fault]:
    address, raw = (said.public_ip, said.raw_public_ip) if family == 4 else (said.public_ipv6, said.raw_public_ipv6)
    name = "public-ip" if family == 4 else "public-ipv6"
    if not address:
        yield (f"its {name} {raw!r} is no usable address" if raw else f"its {name} is missing"), announced_address(said, family)
    problem = _undecodable(said.backend_type, said.data if family == 4 else said.v6_data)
    if problem:
        yield f"its {'backend-data' if family == 4 else 'backend-v6-data'} {problem}", announced_data(said, family)


def _undecodable(backend: str, data: BackendData) -> str:
    """What is wrong with backend-data for this backend; the other backends do not look into it."""
    if backend not in ("vxlan", "wireguard"):
        return ""
    if data.broken:
        return f"cannot be decoded ({data.broken})"
    if data.absent:
        return "is missing"
    if backend == "vxlan":
        return "" if data.vtep_mac else "has no VtepMAC"
    return "" if data.public_key else "has no PublicKey"
