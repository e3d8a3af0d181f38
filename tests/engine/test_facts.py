"""The words of the catalogue as Facts have them: member, alive, settled, waiting, the families that flannel serves."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope.facts import Facts
from flannelscope.model import ContainerStatus, Node, Topic
from tests.engine.builders import (
    NOW,
    announced,
    crashing,
    flannel_pod,
    fleet,
    healthy,
    lease,
    net_conf,
    node,
    running,
    snapshot,
    waiting_pod,
)


def with_flannel(of: Node, status: ContainerStatus) -> bool:
    """Whether the Node is settled while its flannel container has this status."""
    return Facts(healthy([of], flannel_pods=[flannel_pod(of, status)])).settled(of)


def test_members_are_those_whose_gate_is_true() -> None:
    nodes = [*fleet(1), announced(node("b", "10.244.9.0/24", ip="10.20.0.9"), kube_subnet_manager="false"), node("c")]
    facts = Facts(snapshot(nodes))
    assert facts.member_names == {"w001"}
    assert [(n.prefix, sorted(n.announcements), sorted(n.members)) for n in facts.networks] == [
        ("flannel.alpha.coreos.com/", ["b", "w001"], ["w001"])
    ]


def test_a_second_prefix_is_a_second_network() -> None:
    facts = Facts(snapshot([*fleet(2), *fleet(1, first=9, prefix="example.com/fl-")]))
    assert {prefix: len(names) for prefix, names in facts.members_of.items()} == {
        "flannel.alpha.coreos.com/": 2,
        "example.com/fl-": 1,
    }


class TestAlive:
    def test_a_fresh_lease_and_a_known_condition(self) -> None:
        one = fleet(1)[0]
        assert Facts(snapshot([one])).alive(one) is True
        assert Facts(snapshot([replace(one, ready="False")])).alive(one) is True

    @pytest.mark.parametrize("ready", ["True", "False"])
    def test_an_old_or_absent_lease_beside_a_known_condition_is_doubt(self, ready: str) -> None:
        """The renew time is the kubelet's clock; and while no controller manager runs, Ready stays as it was."""
        one = replace(fleet(1)[0], ready=ready)
        assert Facts(snapshot([one], leases=[lease(one, ago=90)])).alive(one) is None
        assert Facts(snapshot([one], leases=[])).alive(one) is None

    @pytest.mark.parametrize(
        ("duration", "ago", "expected"), [(40, 60, True), (40, 61, None), (300, 450, True), (300, 451, None)]
    )
    def test_a_lease_is_fresh_by_its_own_duration(self, duration: int, ago: float, expected: bool | None) -> None:
        one = fleet(1)[0]
        beat = replace(lease(one, ago=ago), duration=duration)
        assert Facts(snapshot([one], leases=[beat])).alive(one) is expected

    def test_a_node_for_which_no_kubelet_ever_spoke(self) -> None:
        made = replace(fleet(1)[0], ready="")
        assert Facts(snapshot([made], leases=[])).alive(made) is False
        assert Facts(snapshot([made])).alive(made) is True

    def test_ready_unknown_is_dead_whatever_the_lease_says(self) -> None:
        gone = replace(fleet(1)[0], ready="Unknown")
        assert Facts(snapshot([gone])).alive(gone) is False

    def test_leases_that_were_not_read_leave_it_open(self) -> None:
        one = fleet(1)[0]
        assert Facts(snapshot([one], topics=[Topic.NODES])).alive(one) is None


class TestSettled:
    def test_age_and_deletion(self) -> None:
        for change, expected in (
            ({}, True),
            ({"created": NOW - 60}, False),
            ({"deleting": NOW - 1}, False),
            ({"created": None}, True),
        ):
            one = node("w1", "10.244.1.0/24", **change)
            assert Facts(snapshot([one])).settled(one) is expected

    def test_flannel_in_its_first_minute_is_a_start(self) -> None:
        one = fleet(1)[0]
        assert with_flannel(one, running(since=NOW - 30)) is False
        assert with_flannel(one, running(since=NOW - 90)) is True

    def test_one_that_fails_is_past_its_start(self) -> None:
        one = fleet(1)[0]
        again: dict[str, Any] = {"restarts": 5, "since": NOW - 10, "last_started": NOW - 200, "last_finished": NOW - 60}
        assert with_flannel(one, crashing()) is True
        assert with_flannel(one, running(**again)) is True

    def test_an_old_count_of_restarts_and_one_fresh_start_is_a_start(self) -> None:
        one = fleet(1)[0]
        once: dict[str, Any] = {"restarts": 5, "since": NOW - 10, "last_started": NOW - 90_000, "last_finished": NOW - 11}
        assert with_flannel(one, running(**once)) is False


@pytest.mark.parametrize(
    ("conf", "families"),
    [
        (net_conf(), {4}),
        (net_conf(EnableIPv6=True, IPv6Network="fd00::/56"), {4, 6}),
        (net_conf(None, EnableIPv4=False, EnableIPv6=True, IPv6Network="fd00::/56"), {6}),
    ],
)
def test_families_are_what_net_conf_enables(conf: object, families: set[int]) -> None:
    assert Facts(healthy(config_maps=[conf])).families == families


def test_without_net_conf_families_are_what_members_announce() -> None:
    dual = announced(node("w1", "10.244.1.0/24", ip="10.20.0.1"), public_ipv6="fd00:20::1")
    assert Facts(snapshot([dual])).families == {4, 6}
    assert Facts(snapshot([node("w1")])).families == {4}


def test_waiting_nodes_are_those_without_podcidr_that_stay() -> None:
    facts = Facts(snapshot([*fleet(1), node("a"), node("b", deleting=NOW)]))
    assert [n.name for n in facts.waiting] == ["a"]


def test_pods_by_node_leave_out_those_that_are_nowhere() -> None:
    nodes = fleet(1)
    facts = Facts(healthy(nodes, pods=[waiting_pod("a-1", nodes[0]), waiting_pod("b-1", "")]))
    assert {name: len(pods) for name, pods in facts.pods_on.items()} == {"w001": 1}
