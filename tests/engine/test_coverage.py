"""Which Nodes a DaemonSet covers: selector, affinity and taints, as its controller computes them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flannelscope.flannel.coverage import coverage
from flannelscope.model import DaemonSet, NodeRequirement, Taint, Toleration

from .builders import daemonset, node

PLAIN = node("w1", "10.244.1.0/24", labels={"kubernetes.io/os": "linux", "disk": "ssd", "rank": "7"})


def covers(ds: DaemonSet, *taints: Taint, **labels: str) -> bool:
    """Whether the DaemonSet wants a pod on w1 with these taints and further labels."""
    return coverage(ds)(replace(PLAIN, taints=taints, labels={**PLAIN.labels, **labels}))


def bare(**changes: object) -> DaemonSet:
    """A DaemonSet that tolerates and selects nothing of its own."""
    return replace(daemonset(1), tolerations=(), **changes)


def needing(*requirements: NodeRequirement) -> DaemonSet:
    return bare(affinity=(requirements,))


def test_without_conditions_every_node_is_covered() -> None:
    assert covers(bare())


def test_node_selector() -> None:
    assert covers(bare(node_selector={"disk": "ssd"}))
    assert not covers(bare(node_selector={"disk": "hdd"}))
    assert not covers(bare(node_selector={"disk": "ssd", "gpu": ""}))


@pytest.mark.parametrize(
    ("requirement", "matches"),
    [
        (NodeRequirement("disk", "In", ("ssd", "nvme")), True),
        (NodeRequirement("disk", "In", ("hdd",)), False),
        (NodeRequirement("gpu", "In", ("",)), False),
        (NodeRequirement("disk", "NotIn", ("hdd",)), True),
        (NodeRequirement("disk", "NotIn", ("ssd",)), False),
        (NodeRequirement("gpu", "NotIn", ("a100",)), True),  # a label that is absent is in no list
        (NodeRequirement("disk", "Exists"), True),
        (NodeRequirement("gpu", "Exists"), False),
        (NodeRequirement("gpu", "DoesNotExist"), True),
        (NodeRequirement("disk", "DoesNotExist"), False),
        (NodeRequirement("rank", "Gt", ("6",)), True),
        (NodeRequirement("rank", "Gt", ("7",)), False),
        (NodeRequirement("rank", "Lt", ("8",)), True),
        (NodeRequirement("disk", "Gt", ("1",)), False),  # no number
        (NodeRequirement("gpu", "Lt", ("1",)), False),
        (NodeRequirement("rank", "Near", ("7",)), False),
        (NodeRequirement("metadata.name", "In", ("w1",), field=True), True),
        (NodeRequirement("metadata.name", "In", ("w2",), field=True), False),
        (NodeRequirement("metadata.name", "NotIn", ("w2",), field=True), True),
        (NodeRequirement("metadata.name", "In", ("w1",)), False),  # a label of that name is meant, and absent
    ],
)
def test_requirements(requirement: NodeRequirement, matches: bool) -> None:
    assert covers(needing(requirement)) is matches


def test_affinity_is_an_or_of_ands() -> None:
    ssd, gpu = NodeRequirement("disk", "In", ("ssd",)), NodeRequirement("gpu", "Exists")
    assert not covers(bare(affinity=((ssd, gpu),)))
    assert covers(bare(affinity=((gpu,), (ssd,))))
    assert not covers(bare(affinity=())), "no terms match nothing"
    assert not covers(bare(affinity=((),))), "an empty term matches nothing"
    assert covers(bare(affinity=None))


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        (None, False),
        (Toleration("role", "Equal", "db", "NoSchedule"), True),
        (Toleration("role", "", "db", ""), True),
        (Toleration("role", "Equal", "web", "NoSchedule"), False),
        (Toleration("role", "Exists", "", "NoSchedule"), True),
        (Toleration("role", "Exists", "", "NoExecute"), False),
        (Toleration("", "Exists", "", ""), True),
        (Toleration("other", "Exists", "", ""), False),
    ],
)
def test_tolerations(toleration: Toleration | None, tolerated: bool) -> None:
    ds = replace(bare(), tolerations=(toleration,) if toleration else ())
    assert covers(ds, Taint("role", "db", "NoSchedule")) is tolerated


def test_prefer_no_schedule_repels_nobody() -> None:
    assert covers(bare(), Taint("role", "db", "PreferNoSchedule"))


@pytest.mark.parametrize(
    "taint",
    [
        Taint("node.kubernetes.io/not-ready", "", "NoExecute"),
        Taint("node.kubernetes.io/unreachable", "", "NoExecute"),
        Taint("node.kubernetes.io/disk-pressure", "", "NoSchedule"),
        Taint("node.kubernetes.io/memory-pressure", "", "NoSchedule"),
        Taint("node.kubernetes.io/pid-pressure", "", "NoSchedule"),
        Taint("node.kubernetes.io/unschedulable", "", "NoSchedule"),
    ],
)
def test_every_pod_of_a_daemonset_tolerates_these(taint: Taint) -> None:
    assert covers(bare(), taint)


def test_only_pods_on_the_host_network_tolerate_a_missing_network() -> None:
    missing = Taint("node.kubernetes.io/network-unavailable", "", "NoSchedule")
    assert covers(bare(host_network=True), missing)
    assert not covers(bare(host_network=False), missing)


def test_the_automatic_tolerations_hold_for_their_effect_only() -> None:
    assert not covers(bare(), Taint("node.kubernetes.io/disk-pressure", "", "NoExecute"))
