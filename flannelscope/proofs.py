"""What several checks about flannel say in the same way: proofs with the command that shows them, and who still lives."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from flannelscope.deletion import objection
from flannelscope.facts import Facts, FlannelOnNode, Network
from flannelscope.flannel.annotations import Announcement
from flannelscope.flannel.discovery import Installation
from flannelscope.model import ConfigMap, DaemonSet, Evidence, Node, Pod, Topic, Writer
from flannelscope.moments import utc

ROLLOUT_MOVES = 900.0  # seconds: a rollout that replaced no pod for longer is stuck, not progressing
SHOWN = 12  # proofs of one kind in a finding that concerns many Nodes; the subjects name all


def quoted(text: str) -> str:
    """A name as a shell needs it."""
    return shlex.quote(text)


def when(at: float | None) -> str:
    """A time in UTC, to the second."""
    return utc(at, none="an unknown time")


def annotation(node: str, key: str, value: str | None) -> Evidence:
    """An annotation of a Node, by its whole key."""
    path = key.replace(".", "\\.")
    return Evidence(
        f"{key.rpartition('/')[2]} of {node}",
        "absent" if value is None else value if value else '""',
        f"Node {node}, annotation {key}",
        f"kubectl get node {quoted(node)} -o {quoted(f'jsonpath={{.metadata.annotations.{path}}}')}",
    )


def announced_type(said: Announcement) -> Evidence:
    """The backend that a Node announces."""
    return annotation(said.node, said.prefix + "backend-type", said.backend_type)


def announced_data(said: Announcement, family: int) -> Evidence:
    """The backend-data that a Node announces for a family."""
    if family == 4:
        return annotation(said.node, said.prefix + "backend-data", said.raw_data)
    return annotation(said.node, said.prefix + "backend-v6-data", said.raw_v6_data)


def announced_address(said: Announcement, family: int) -> Evidence:
    """The public-ip that a Node announces for a family."""
    if family == 4:
        return annotation(said.node, said.prefix + "public-ip", said.raw_public_ip)
    return annotation(said.node, said.prefix + "public-ipv6", said.raw_public_ipv6)


def internal_ips(node: Node) -> Evidence:
    """The InternalIPs of a Node."""
    return Evidence(
        f"InternalIP of {node.name}",
        ", ".join(node.internal_ips) or "none",
        f"Node {node.name}, status.addresses",
        f"kubectl get node {quoted(node.name)} -o wide",
    )


def pod_cidrs(node: Node) -> Evidence:
    """The podCIDRs of a Node."""
    return Evidence(
        f"podCIDRs of {node.name}",
        ", ".join(node.pod_cidrs) or "none",
        f"Node {node.name}, spec.podCIDRs",
        f"kubectl get node {quoted(node.name)} -o jsonpath='{{.spec.podCIDRs}}'",
    )


def last_writer(node: Node, field: str = "flannel") -> Writer | None:
    """Who wrote a field last; the time is an upper bound."""
    entries = [w for w in node.writers if w.field == field]
    return max(entries, key=lambda w: w.at or 0.0, default=None)


def written(node: Node, field: str = "flannel") -> tuple[Evidence, ...]:
    """The last writer as a proof; nothing where managedFields were not kept."""
    writer = last_writer(node, field)
    if writer is None:
        return ()
    what = "podCIDR" if field == "podCIDR" else "flannel's annotations"
    return (
        Evidence(
            f"{what} of {node.name} last written by",
            f"{writer.manager}, not after {when(writer.at)}",
            f"Node {node.name}, metadata.managedFields",
            f"kubectl get node {quoted(node.name)} --show-managed-fields -o yaml",
        ),
    )


def heartbeat(facts: Facts, node: Node) -> Evidence:
    """How the API sees a Node's life: its Ready condition and the kubelet's Lease."""
    lease = facts.lease_of.get(node.name)
    renewed = f", Lease renewed {when(lease.renewed)}" if lease else ""
    if lease is None and facts.snapshot.has(Topic.LEASES):
        renewed = ", no Lease"
    return Evidence(
        f"Ready of {node.name}",
        f"{node.ready or 'never reported'} since {when(node.ready_since)}{renewed}",
        f"Node {node.name}, status.conditions, and its Lease in kube-node-lease",
        f"kubectl get node/{quoted(node.name)}; kubectl -n kube-node-lease get lease {quoted(node.name)}",
    )


def flannel_runs(item: FlannelOnNode) -> Evidence:
    """How flannel's container runs on a Node."""
    status = item.status
    if status is None:
        value = f"pod {item.pod.phase}, its container has not been created"
    elif status.state == "running":
        value = f"running since {when(status.started)}, {status.restarts} restarts"
    else:
        value = " ".join(part for part in (status.state, status.reason, status.message) if part)
    return Evidence(f"container {item.container} on {item.pod.node}", value, pod_origin(item.pod), show_pod(item.pod))


def pod_origin(pod: Pod) -> str:
    """Where a pod's container statuses were read."""
    return f"Pod {pod.namespace}/{pod.name}, status.containerStatuses"


def show_pod(pod: Pod) -> str:
    """The command that describes a pod."""
    return f"kubectl -n {quoted(pod.namespace)} describe pod {quoted(pod.name)}"


def show_daemonset(daemonset: DaemonSet) -> str:
    """The command that shows a DaemonSet."""
    return f"kubectl -n {quoted(daemonset.namespace)} get daemonset {quoted(daemonset.name)} -o yaml"


def show_config_map(config_map: ConfigMap) -> str:
    """The command that shows a ConfigMap."""
    return f"kubectl -n {quoted(config_map.namespace)} get configmap {quoted(config_map.name)} -o yaml"


def restart_flannel(items: Iterable[FlannelOnNode]) -> tuple[str, ...]:
    """The commands that start flannel anew on these Nodes."""
    return tuple(f"kubectl -n {quoted(item.pod.namespace)} delete pod {quoted(item.pod.name)}" for item in items)


def living(facts: Facts, node: Node) -> bool:
    """Whether the Node counts as alive: it is, or that is doubtful. Doubt makes nothing milder, and nobody is called dead."""
    return facts.alive(node) is not False


def doubtful(facts: Facts, nodes: Iterable[Node]) -> tuple[str, ...]:
    """Those of the Nodes of which neither life nor death is known."""
    return tuple(node.name for node in nodes if facts.alive(node) is None)


def why_doubtful(facts: Facts) -> str:
    """Why that is so, and how they are judged meanwhile."""
    if not facts.snapshot.has(Topic.LEASES):
        return "whether these Nodes live is not known, the Leases of their kubelets were not read: they were taken to live"
    return (
        "whether these Nodes live is doubtful: the Lease of the kubelet is old or absent while Ready is not Unknown (a clock "
        "that is behind, or no controller manager that would notice); they were taken to live"
    )


def deciding(facts: Facts, sharing: Sequence[Node]) -> tuple[str, ...]:
    """The doubtful of Nodes that share something, where it would be grave only with them: fewer than two surely live."""
    doubt = doubtful(facts, sharing)
    sure = sum(1 for node in sharing if facts.alive(node))
    return doubt if sure < 2 <= sure + len(doubt) else ()


def only_alive(facts: Facts, alive: Sequence[str]) -> str:
    """Who of some Nodes lives, where at most one does."""
    if not alive:
        return "none of them is alive"
    return f"only {alive[0]} {'is' if facts.alive(facts.nodes[alive[0]]) else 'may be'} alive"


def objections(facts: Facts, nodes: Iterable[Node]) -> str:
    """What speaks against deleting these Nodes by hand, in sentences that end with a blank; "" where nothing does."""
    said = [f"{node.name} {reason}. " for node in nodes if (reason := objection(facts, node))]
    return "".join(said[:SHOWN])


def members(facts: Facts, network: Network) -> list[tuple[Node, Announcement]]:
    """The settled members of a network, in the order of the Nodes."""
    said = network.members
    return [(node, said[node.name]) for node in facts.snapshot.nodes if node.name in said and facts.settled(node)]


def installations_of(facts: Facts, network: Network) -> tuple[Installation, ...]:
    """The installations whose flannel announces under this network's prefix."""
    return tuple(i for i in facts.discovery.installations if i.prefix == network.prefix)


def progressing(facts: Facts, installation: Installation) -> bool:
    """Whether a rollout of its DaemonSet is on its way: pods are still to be replaced and one was in the last 15 min.

    A node without any pod is not waiting to be replaced: the DaemonSet's `current` does not count it, its `desired` does.
    """
    daemonset = installation.daemonset
    if daemonset is None or daemonset.update_strategy != "RollingUpdate":
        return False
    if daemonset.observed_generation < daemonset.generation:
        return True
    if daemonset.updated >= min(daemonset.desired, daemonset.current or daemonset.desired):
        return False
    newest = max((p.detail.created for p in installation.pods if p.detail and p.detail.created is not None), default=None)
    return newest is not None and facts.now - newest <= ROLLOUT_MOVES


def rolling(facts: Facts, network: Network) -> bool:
    """Whether a rollout is on its way in this network."""
    return any(progressing(facts, i) for i in installations_of(facts, network))
