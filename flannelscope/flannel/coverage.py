"""Which Nodes a DaemonSet covers, as its controller computes it (pkg/controller/daemon, NodeShouldRunDaemonPod).

A Node is covered when the template's nodeSelector and required node affinity match and every NoSchedule and NoExecute
taint is tolerated. The controller adds tolerations to every pod of a DaemonSet, and one more to those on the host network.
Whether a Node is Ready, cordoned or full does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flannelscope.model import DaemonSet, Node, NodeRequirement, Taint, Toleration

_PREFIX = "node.kubernetes.io/"
AUTOMATIC = (
    Toleration(_PREFIX + "not-ready", "Exists", "", "NoExecute"),
    Toleration(_PREFIX + "unreachable", "Exists", "", "NoExecute"),
    Toleration(_PREFIX + "disk-pressure", "Exists", "", "NoSchedule"),
    Toleration(_PREFIX + "memory-pressure", "Exists", "", "NoSchedule"),
    Toleration(_PREFIX + "pid-pressure", "Exists", "", "NoSchedule"),
    Toleration(_PREFIX + "unschedulable", "Exists", "", "NoSchedule"),
)
HOST_NETWORK = Toleration(_PREFIX + "network-unavailable", "Exists", "", "NoSchedule")
_REPELLING = ("NoSchedule", "NoExecute")


def coverage(daemonset: DaemonSet) -> Callable[[Node], bool]:
    """A predicate for Nodes, made once for a DaemonSet: each of its calls looks only at that Node's labels and taints."""
    tolerations = (*daemonset.tolerations, *AUTOMATIC, *((HOST_NETWORK,) if daemonset.host_network else ()))
    selector = tuple(daemonset.node_selector.items())
    affinity = daemonset.affinity
    tolerated: dict[tuple[str, str, str], bool] = {}  # taints are few and the same on many Nodes

    def tolerates(taint: Taint) -> bool:
        key = (taint.key, taint.value, taint.effect)
        if key not in tolerated:
            tolerated[key] = any(_tolerates(toleration, taint) for toleration in tolerations)
        return tolerated[key]

    def wants(node: Node) -> bool:
        if any(node.labels.get(key) != value for key, value in selector):
            return False
        if affinity is not None and not any(_term_matches(term, node) for term in affinity):
            return False
        return all(taint.effect not in _REPELLING or tolerates(taint) for taint in node.taints)

    return wants


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return toleration.operator in ("", "Equal") and toleration.value == taint.value


def _term_matches(term: tuple[NodeRequirement, ...], node: Node) -> bool:
    """Whether all requirements of one nodeSelectorTerm hold; a term without any matches nothing."""
    return bool(term) and all(_holds(requirement, node) for requirement in term)


def _holds(requirement: NodeRequirement, node: Node) -> bool:
    if requirement.field:
        value = node.name if requirement.key == "metadata.name" else None
    else:
        value = node.labels.get(requirement.key)
    check = _OPERATORS.get(requirement.operator)
    return check is not None and check(value, requirement.values)


def _compare(value: str | None, values: tuple[str, ...], greater: bool) -> bool:
    """Gt and Lt: both sides must be integers, else nothing matches."""
    if value is None or len(values) != 1:
        return False
    try:
        left, right = int(value), int(values[0])
    except ValueError:
        return False
    return left > right if greater else left < right


_OPERATORS: Mapping[str, Callable[[str | None, tuple[str, ...]], bool]] = {
    "In": lambda value, values: value is not None and value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
    "Gt": lambda value, values: _compare(value, values, True),
    "Lt": lambda value, values: _compare(value, values, False),
}
