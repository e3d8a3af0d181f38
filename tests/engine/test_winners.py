"""Which of two Nodes with one podCIDR gets its traffic: said only for nodes of which the API leaves no doubt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope.cidr import parse
from flannelscope.facts import Facts
from flannelscope.model import Evidence, Node, Writer
from flannelscope.winners import winner
from tests.engine.builders import CLUSTER, DAY, NOW, announced, flannel_pod, fleet, healthy, net_conf, node, running

LONG_AGO, LATELY = NOW - 20 * DAY, NOW - DAY
DOUBT = "each node goes by what it heard last, so they may differ"


def twin(name: str, *, created: float, written: float | None, backend: str = "vxlan", **changes: Any) -> Node:
    """A member with 10.244.9.0/24 whose flannel wrote its annotations at this time at the latest."""
    writers = () if written is None else (Writer("flanneld", "flannel", "Update", written),)
    return announced(node(name, "10.244.9.0/24", ip="10.20.9.1", created=created, writers=writers, **changes), backend)


def said(twins: Sequence[Node], peers_started: Sequence[float], *, minor: int = 34) -> str:
    """What is said of who gets the traffic, where flannel on other nodes started at these times."""
    peers = fleet(len(peers_started))
    pods = [flannel_pod(peer, running(since=at)) for peer, at in zip(peers, peers_started, strict=True)]
    pods += [flannel_pod(each, running(since=each.created or 0.0)) for each in twins]
    taken = healthy([*peers, *twins], flannel_pods=pods, cluster=replace(CLUSTER, minor=minor))
    found = asked(Facts(taken), twins)
    assert found is not None
    return found.value


def asked(facts: Facts, twins: Sequence[Node]) -> Evidence | None:
    prefix = parse("10.244.9.0/24")
    assert prefix is not None
    return winner(facts, [each.name for each in twins], prefix)


def test_who_joined_after_the_others_last_word_has_the_traffic_of_those_that_ran_already() -> None:
    """z was announced for the last time before a was there: every flannel that ran then heard a last."""
    twins = [twin("z", created=LONG_AGO, written=LONG_AGO + 60), twin("a", created=LATELY, written=LATELY + 60)]
    assert said(twins, [LONG_AGO, LONG_AGO]) == "a on 2 other nodes, by all that the API tells"


def test_a_flannel_that_started_after_both_goes_by_the_order_of_names() -> None:
    twins = [twin("z", created=LONG_AGO, written=LONG_AGO + 60), twin("a", created=LATELY, written=LATELY + 60)]
    assert said(twins, [LONG_AGO, NOW - 600, NOW - 600]) == "a on 1 other node; z on 2 other nodes, by all that the API tells"


def test_an_old_server_lists_in_no_order_that_can_be_relied_upon() -> None:
    twins = [twin("z", created=LONG_AGO, written=LONG_AGO + 60), twin("a", created=LATELY, written=LATELY + 60)]
    assert said(twins, [LONG_AGO, NOW - 600], minor=22) == f"a on 1 other node; not known for 1 other node: {DOUBT}"


def test_between_two_announcements_nobody_knows() -> None:
    """The older twin's flannel started again after the younger joined: whether that announced anything new is not kept."""
    twins = [twin("z", created=LONG_AGO, written=NOW - 3600), twin("a", created=LATELY, written=LATELY + 60)]
    assert said(twins, [LONG_AGO, LONG_AGO]) == f"the API does not tell: {DOUBT}"


def test_clocks_that_are_a_minute_apart_decide_nothing() -> None:
    twins = [twin("z", created=LONG_AGO, written=LATELY - 30), twin("a", created=LATELY, written=LATELY + 60)]
    assert said(twins, [LONG_AGO]) == f"the API does not tell: {DOUBT}"


@pytest.mark.parametrize(
    "twins",
    [
        [twin("z", created=LONG_AGO, written=None), twin("a", created=LATELY, written=LATELY)],
        [
            twin("z", created=LONG_AGO, written=LONG_AGO, pod_cidrs=("10.244.9.0/24", "fd00::/64")),
            twin("a", created=LATELY, written=LATELY, pod_cidrs=("10.244.9.0/24", "fd00:1::/64")),
        ],
    ],
)
def test_without_managed_fields_or_with_other_subnets_in_the_second_family_nobody_knows(twins: list[Node]) -> None:
    assert said(twins, [LONG_AGO]) == f"the API does not tell: {DOUBT}"


def test_a_node_takes_only_the_twin_of_its_own_backend() -> None:
    twins = [twin("z", created=LONG_AGO, written=LONG_AGO), twin("a", created=LATELY, written=LATELY, backend="host-gw")]
    assert said(twins, [LONG_AGO]) == "on each node the one that has its backend (host-gw, vxlan): it ignores the other"


def test_of_three_two_may_have_the_backend_of_a_node() -> None:
    twins = [twin(name, created=LONG_AGO, written=LONG_AGO) for name in "ab"]
    odd = twin("c", created=LATELY, written=LATELY, backend="host-gw")
    told = said([*twins, odd], [LONG_AGO])
    assert told == "on each node one of those that have its backend (host-gw, vxlan): it ignores all others"


def test_beside_udp_which_takes_every_announcement_nothing_is_told() -> None:
    twins = [twin("z", created=LONG_AGO, written=LONG_AGO), twin("a", created=LATELY, written=LATELY, backend="")]
    assert said(twins, [LONG_AGO]) == f"the API does not tell: {DOUBT}"


def test_a_touched_annotation_is_the_last_word_whoever_touched_it() -> None:
    """Writing backend-data anew is how a survivor is announced again: kubectl's entry counts as flannel's does."""
    touched = (Writer("flanneld", "flannel", "Update", LONG_AGO + 60), Writer("kubectl", "flannel", "Update", NOW - 600))
    twins = [
        replace(twin("z", created=LONG_AGO, written=None), writers=touched),
        twin("a", created=LATELY, written=LATELY + 60),
    ]
    assert said(twins, [LONG_AGO]) == f"the API does not tell: {DOUBT}"


@pytest.mark.parametrize(
    ("backend", "options", "shows"),
    [
        ("vxlan", {}, "ip neigh show 10.244.9.0 dev flannel.1  #"),
        ("vxlan", {"DirectRouting": True}, "ip route get 10.244.9.2; ip neigh show 10.244.9.0 dev flannel.1  #"),
        ("host-gw", {}, "ip route get 10.244.9.2  #"),
        ("wireguard", {}, "wg show all allowed-ips | grep -wF 10.244.9.0/24  #"),
    ],
)
def test_the_command_looks_where_this_backend_decides(backend: str, options: dict[str, bool], shows: str) -> None:
    """One route leads to all peers of wireguard; beside direct routes old neighbours stay, and mean nothing."""
    twins = [twin(name, created=LONG_AGO, written=LONG_AGO, backend=backend) for name in "az"]
    conf = net_conf(backend={"Type": backend, **options})
    found = asked(Facts(healthy([*fleet(2), *twins], config_maps=[conf])), twins)
    assert found is not None
    assert found.command.startswith(shows)


def test_a_node_whose_flannel_is_not_seen_is_counted_as_not_known() -> None:
    twins = [twin("z", created=LONG_AGO, written=LONG_AGO + 60), twin("a", created=LATELY, written=LATELY + 60)]
    facts = Facts(healthy([*fleet(2), *twins], flannel_pods=[flannel_pod(fleet(1)[0], running(since=LONG_AGO))]))
    found = asked(facts, twins)
    assert found is not None
    assert found.value == f"a on 1 other node; not known for 1 other node: {DOUBT}"
    assert found.command.startswith("ip neigh show 10.244.9.0 dev flannel.1 ")


def test_of_twins_outside_flannel_nothing_is_said() -> None:
    plain = [node(name, "10.244.9.0/24") for name in "ab"]
    assert asked(Facts(healthy([*fleet(2), *plain])), plain) is None
