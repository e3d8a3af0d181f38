"""The bridge of a node's pods has the address of another podCIDR: it is the gateway of every pod there, so new pods cannot be
wired ("cni0" already has an IP address different from …), or they get addresses that no other node routes to this one.

How it is known

In two readings the CNI's bridge exists, has addresses of a family, and the first address of the Node's podCIDR is not among
them. Where the bridge plugin is told forceAddress it mends this with the next pod: a warning. No bridge is fine (no pod was
here yet), and so are Canal's interfaces without one.

How to see it

On the node, `ip address show cni0` beside the podCIDR.

    kubectl get node NODE -o jsonpath='{.spec.podCIDRs}'
    flannelscope check --ssh --only FLN409

What to do

Drain the node, delete the bridge, and let the pods come back: the bridge plugin makes it anew with the right address. Running
pods that have addresses of the former podCIDR have to be deleted in any case.

How to undo it

Uncordon the node; the bridge comes back with the first pod.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.here import Here, gateway
from flannelscope.model import Finding, Severity, Topic, Unknown
from flannelscope.proofs import pod_cidrs, quoted
from flannelscope.seen_twice import Complaint, on_node, seen_twice


@check(
    "FLN409",
    "bridge-address-wrong",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.KERNELS),
    swallows=("FLN111", "FLN114"),
)
def bridge_address_wrong(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each node whose bridge lacks the address that its podCIDR asks for."""
    yield from seen_twice(this, facts, _judge)


def _judge(here: Here) -> Iterator[Complaint]:
    bridge = here.bridge
    if not bridge or here.canal:
        return
    for family in here.families:
        own = here.own(family)
        has = [a for a in here.addresses if a.device == bridge and a.family == family and a.scope != "link"]
        if own is not None and has and gateway(own) not in {a.address for a in has}:
            yield _complaint(here, family, bridge, gateway(own), ", ".join(f"{a.address}/{a.length}" for a in has))


def _complaint(here: Here, family: int, bridge: str, wanted: str, found: str) -> Complaint:
    name = here.node.name
    command = f"ip -{family} address show {bridge}"
    return Complaint(
        key=f"{bridge} {family}",
        summary=f"{name}'s bridge {bridge} has {found} and not {wanted}, the gateway of its podCIDR: new pods cannot be wired "
        "there, or get addresses of another podCIDR.",
        severity=Severity.WARNING if _forced(here) else None,
        evidence=(here.proof(f"addresses of {bridge}", found, "addresses", command), pod_cidrs(here.node)),
        remedy=on_node(
            here.node.name,
            f"Drain {name}, delete {bridge} there, and let pods come back.",
            [f"ip link delete {bridge}"],
            [f"kubectl uncordon {quoted(name)}"],
            before=[f"kubectl drain {quoted(name)} --ignore-daemonsets --delete-emptydir-data"],
            caution="Draining moves the node's pods away.",
        ),
    )


def _forced(here: Here) -> bool:
    """Whether the CNI configuration lets the bridge plugin replace the address."""
    cni = here.kernel.facts.get("cni")
    text = "".join(file.content for file in cni.files[:1]) if cni is not None else ""
    return '"forceAddress":true' in "".join(text.split())
