"""What the checks on addresses say in the same way: who holds what, what is in effect, and how a podCIDR is exchanged."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from flannelscope.addresses import PodCidr
from flannelscope.cidr import show
from flannelscope.effective import Claim, Sureness
from flannelscope.facts import Facts
from flannelscope.flannel.annotations import GATE, prefixes
from flannelscope.model import Evidence, Node, Remedy
from flannelscope.proofs import SHOWN, when
from flannelscope.targets import target

MANAGER_COMMAND = "kubectl -n kube-system get pods -l component=kube-controller-manager -o yaml"
CAUTION = (
    "A podCIDR cannot be changed in place. Deleting a Node lets every peer drop the routes to its podCIDR, also where "
    "another Node still uses it, and a k3s or RKE2 server leaves etcd with its Node. Do one Node at a time, and let no Node "
    "join meanwhile."
)


def held(facts: Facts, item: PodCidr) -> Evidence:
    """A Node's podCIDR, how old the Node is, and whether flannel announces it."""
    node = facts.nodes[item.node]
    announced = "not announced by flannel"
    for prefix in _gates(node):
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
    return tuple(held(facts, item) for item in items[:SHOWN])


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
        Evidence(_NAMES[claim.setting], claim.value + _HOW_SURE[claim.sure], claim.origin.path, _command(claim))
        for name in names
        for claim in facts.configuration.claims
        if claim.setting == name and claim.chosen
    )


def _command(claim: Claim) -> str:
    kind, _, rest = claim.origin.path.partition(" ")
    place = rest.split(" ")[0]
    if kind == "Node":
        return f"kubectl get node {shlex.quote(place)} -o jsonpath='{{.metadata.annotations}}'"
    if kind in ("Pod", "ConfigMap") and "/" in place:
        namespace, _, name = place.partition("/")
        return f"kubectl -n {shlex.quote(namespace)} get {kind.lower()} {shlex.quote(name)} -o yaml"
    return _SHOWS[claim.setting] if claim.origin.source == "api" else ""


def touch(facts: Facts, names: Iterable[str]) -> tuple[str, ...]:
    """The writes after which every peer sets its entries for these members again: the same backend-data, another blank."""
    commands = []
    for name in names:
        node = facts.nodes[name]
        for key in (prefix + key for prefix in _gates(node) for key in ("backend-data", "backend-v6-data")):
            raw = node.annotations.get(key)
            if raw is not None:
                other = raw[1:] if raw.startswith(" ") else " " + raw
                commands.append(f"kubectl annotate --overwrite node {shlex.quote(name)} {shlex.quote(f'{key}={other}')}")
    return tuple(commands)


def _gates(node: Node) -> Iterator[str]:
    """The annotation prefixes under which the Node is a member."""
    return (prefix for prefix in prefixes(node) if node.annotations[prefix + GATE] == "true")


def exchange(facts: Facts, name: str, survivors: Sequence[str] = ()) -> tuple[str, ...]:
    """The commands that give a Node another podCIDR, in their order; `survivors` keep the one it leaves."""
    wanted = ",".join(map(show, target(facts, name))) or "a free podCIDR (flannelscope cidr free)"
    node = shlex.quote(name)
    return (
        f"kubectl cordon {node} && kubectl drain {node} --ignore-daemonsets --delete-emptydir-data",
        f"kubectl get node {node} -o json > {shlex.quote(name + '.json')}"
        f"  # set spec.podCIDR and spec.podCIDRs to {wanted}; remove uid, resourceVersion, managedFields",
        f"systemctl stop kubelet  # on {node} (k3s, RKE2: its agent); running containers stay",
        f"kubectl delete node {node}",
        f"kubectl create -f {shlex.quote(name + '.json')}",
        *touch(facts, survivors),
        f"ip link delete cni0; rm -rf /var/lib/cni/networks/cbr0 /run/flannel/subnet.env  # on {node}",
        f"systemctl start kubelet  # on {node}, then delete its flannel pod, so that flannel starts anew",
        f"kubectl uncordon {node}",
    )


def exchange_remedy(facts: Facts, summary: str, name: str, survivors: Sequence[str] = ()) -> Remedy:
    """Another podCIDR for a Node, as a Remedy. A manager that runs on may hand out what a deletion cleared: it is restarted."""
    return Remedy(f"{summary} After the deletion, restart the controller manager.", exchange(facts, name, survivors), CAUTION)


def age_order(nodes: Iterable[Node]) -> list[Node]:
    """Oldest first; those of unknown age last."""
    return sorted(nodes, key=lambda n: (n.created is None, n.created or 0.0, n.name))


def unknown_allocator(facts: Facts) -> str:
    """Why a check that compares with the cluster CIDR in effect cannot judge; "" when it can, or when nobody hands out any."""
    configuration = facts.configuration
    if configuration.known or configuration.allocator == "off" or not facts.pod_cidrs:
        return ""
    return f"which range the allocator hands out from is not known: {configuration.allocator_reason}"
