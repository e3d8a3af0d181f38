"""What the checks on addresses say in the same way: who holds what, and what is in effect."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from flannelscope.addresses import PodCidr
from flannelscope.effective import Claim, Sureness
from flannelscope.facts import Facts
from flannelscope.flannel.annotations import gates
from flannelscope.model import Evidence, Node
from flannelscope.proofs import SHOWN, when

MANAGER_COMMAND = "kubectl -n kube-system get pods -l component=kube-controller-manager -o yaml"


def held(facts: Facts, item: PodCidr) -> Evidence:
    """A Node's podCIDR, how old the Node is, and whether flannel announces it."""
    node = facts.nodes[item.node]
    announced = "not announced by flannel"
    for prefix in gates(node):
        backend, address = node.annotations.get(f"{prefix}backend-type"), node.annotations.get(f"{prefix}public-ip")
        announced = f"announced as {backend or 'udp'} at {address or 'no IPv4 address'}"
    return Evidence(
        f"podCIDR of {item.node}",
        f"{item.text}, Node created {when(node.created)}, {announced}",
        f"Node {item.node}, spec.podCIDRs[{item.index}]",
        f"kubectl get node {shlex.quote(item.node)} -o jsonpath='{{.spec.podCIDRs}}'",
    )


def held_by(facts: Facts, items: Sequence[PodCidr]) -> tuple[Evidence, ...]:
    """As `held` for the first of many; the subjects of a finding name all."""
    if len(items) <= SHOWN:
        return tuple(held(facts, item) for item in items)
    rest = f"{len(items) - SHOWN + 1} more, of the Nodes named above"
    more = Evidence("further podCIDRs", rest, "podCIDRs of all Nodes", "flannelscope nodes")
    return (*(held(facts, item) for item in items[: SHOWN - 1]), more)


_SHOWS = {
    "cluster-cidr": MANAGER_COMMAND,
    "node-cidr-mask-size": MANAGER_COMMAND,
    "service-cidr": "kubectl get servicecidrs; kubectl -n kube-system get pods -l component=kube-apiserver -o yaml",
}
_NAMES = {"cluster-cidr": "cluster CIDR", "node-cidr-mask-size": "node mask", "service-cidr": "service range"}
_HOW_SURE = {Sureness.SURE: "", Sureness.HINT: " (a hint, may be stale)", Sureness.ESTIMATE: " (an estimate)"}


def settings(facts: Facts, *names: str) -> tuple[Evidence, ...]:
    """What is in effect of these settings, each with who says so."""
    return tuple(
        Evidence(_NAMES[claim.setting], claim.value + _HOW_SURE[claim.sure], claim.origin.path, shows(claim))
        for name in names
        for claim in facts.configuration.claims
        if claim.setting == name and claim.chosen
    )


def shows(claim: Claim) -> str:
    """The command that shows who says so, "" where there is none (an option, a file)."""
    kind, _, rest = claim.origin.path.partition(" ")
    place = rest.split(" ")[0]
    if kind == "Node":
        return f"kubectl get node {shlex.quote(place)} -o jsonpath='{{.metadata.annotations}}'"
    if kind == "ServiceCIDR":
        return f"kubectl get servicecidr {shlex.quote(place)} -o yaml"
    if kind in ("Pod", "ConfigMap", "Service") and "/" in place:
        namespace, _, name = place.partition("/")
        return f"kubectl -n {shlex.quote(namespace)} get {kind.lower()} {shlex.quote(name)} -o yaml"
    return _SHOWS.get(claim.setting, "") if claim.origin.source == "api" else ""


def age_order(nodes: Iterable[Node]) -> list[Node]:
    """Oldest first; those of unknown age last."""
    return sorted(nodes, key=lambda n: (n.created is None, n.created or 0.0, n.name))


def unknown_allocator(facts: Facts) -> str:
    """Why a check that compares with the cluster CIDR in effect cannot judge; "" when it can, or when nobody hands out any."""
    configuration = facts.configuration
    if configuration.known or configuration.allocator == "off" or not facts.pod_cidrs:
        return ""
    return f"which range the allocator hands out from is not known: {configuration.allocator_reason}"
