"""Checks of single nodes where a node is set up in an odd way, or tells only a part: neither accused nor taken for fine."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope.flannel.annotations import DEFAULT_PREFIX
from flannelscope.model import (
    Address,
    Container,
    FlannelProcess,
    NftChain,
    NftTable,
    Node,
    Severity,
    Snapshot,
    Vxlan,
)
from tests.engine.builders import (
    OLD,
    announced,
    daemonset,
    findings,
    flannel_pod,
    fleet,
    healthy,
    judged,
    mac_of,
    net_conf,
    node,
    unknowns,
)
from tests.engine.kernels import changed, instead, route_to, without
from tests.engine.lookalikes import LOOKALIKES
from tests.engine.node_facts import SYSCTLS, chain, env, kernel_of, put, whole
from tests.engine.test_checks_on_nodes import named, nothing, only, vxlan
from tests.engine.test_lookalikes_in_kernels import reached

THREE = fleet(3)
TAKEN = whole(healthy(THREE))
BARE = ("/opt/bin/flanneld", "--kube-subnet-mgr")
DROPS = chain("INPUT", "-p udp -m udp --dport 8472 -j DROP")


def with_environment(nodes: tuple[Node, ...] | list[Node], **variables: str) -> Snapshot:
    """Nodes whose flannel is given its settings in FLANNELD_ variables, as Canal's is; read twice."""
    inside = Container(name="kube-flannel", image="flannel:v0.28.1", command=BARE[:1], args=BARE[1:], env=variables)
    pods = [replace(pod, detail=replace(pod.detail, containers=(inside,))) for pod in map(flannel_pod, nodes) if pod.detail]
    return whole(healthy(nodes, flannel_pods=pods, daemonsets=[daemonset(len(nodes), containers=(inside,))]))


def doubts(taken: Snapshot, code: str) -> dict[tuple[str, ...], str]:
    """What could not be judged, by the nodes concerned; there must be no finding."""
    assert not findings(taken, code)
    return {said.nodes: said.reason for said in unknowns(taken, code) if said.nodes}


# flannel's settings


def test_settings_in_the_environment_of_flannel_count() -> None:
    taken = with_environment(THREE, FLANNELD_IP_MASQ="true")
    nothing(taken, "FLN410")
    only(put(taken, "w002", iptables=()), "FLN415", "w002")


def test_an_argument_wins_over_the_environment() -> None:
    taken = with_environment(THREE, FLANNELD_IP_MASQ="true")
    off = FlannelProcess(pid=7, argv=(*BARE, "--ip-masq=false"), started=OLD, state="S")
    assert "--ip-masq=False" in only(put(taken, "w002", flannel_process=(off,)), "FLN410", "w002")


def test_a_setting_that_a_configmap_gives_is_unknown() -> None:
    taken = with_environment(THREE, FLANNELD_IP_MASQ="")  # valueFrom: the API tells no value
    for code in ("FLN410", "FLN415"):
        assert "comes from elsewhere" in doubts(taken, code)["w001", "w002", "w003"]


def test_a_flannel_of_the_host_may_have_settings_that_nobody_sees() -> None:
    taken = whole(healthy(THREE, flannel_pods=[], daemonsets=[], config_maps=[]))
    taken = put(taken, "w002", flannel_process=(FlannelProcess(pid=1, argv=BARE, started=OLD, state="S"),))
    assert "its environment sets --ip-masq" in doubts(taken, "FLN415")["w002",]
    stale = put(taken, "w002", subnet_env=env("10.244.77.0/24"))
    assert "--subnet-file" in doubts(stale, "FLN410")["w002",]


def test_an_address_for_which_the_environment_asks_is_meant() -> None:
    outer = announced(node("w001", "10.244.1.0/24", ip="10.20.0.1"), public_ip="203.0.113.1")
    taken = with_environment([outer, *THREE[1:]], FLANNELD_PUBLIC_IP="203.0.113.1")
    assert not [found for found in findings(taken, "FLN203") if found.severity >= Severity.WARNING]


def test_since_when_flannel_runs_must_be_known_where_something_is_missing() -> None:
    taken = whole(healthy(THREE, flannel_pods=[], daemonsets=[]))
    taken = put(taken, "w002", flannel_process=(FlannelProcess(pid=1, argv=BARE, started=None, state="S"),))
    gone = changed(taken, "w002", links=without(named("flannel.1")))
    assert doubts(gone, "FLN406") == {("w002",): "since when flannel runs there is not known"}


# Which card


def test_two_living_nodes_with_one_address_and_one_that_is_gone() -> None:
    taken, _ = LOOKALIKES["item_12_a_cloud_address_in_use_again"][1]()
    assert not findings(reached(whole(taken)), "FLN309")
    taken = whole(healthy([announced(n, public_ip="10.20.0.1") for n in THREE]))
    assert not findings(taken, "FLN309"), "only w001 has it: the others were told something wrong, which is no choice of theirs"
    for name in ("w002", "w003"):
        held = kernel_of(taken, name).facts["addresses"]
        taken = put(taken, name, addresses=(*held, Address("eth0", 4, "10.20.0.1", 16)))
    assert "and so do" in findings(taken, "FLN309")[0].summary


def routed(taken: Snapshot, name: str, address: str) -> Snapshot:
    """The Snapshot with this node's address on lo, as routers know it, and another on its card."""
    card = Address("eth0", 4, "10.20.3.1", 16)
    held = [a for a in kernel_of(taken, name).facts["addresses"] if a.address != address]
    return put(taken, name, addresses=(Address("lo", 4, address, 32), *held, card))


@pytest.mark.parametrize("code", ["FLN203", "FLN309", "FLN407", "FLN408", "FLN412", "FLN414"])
def test_a_routed_machine_has_its_address_on_lo(code: str) -> None:
    nothing(routed(TAKEN, "w001", "10.20.0.1"), code)


def test_an_address_on_lo_for_which_nobody_asked_stays_inside() -> None:
    odd = whole(healthy([announced(node("w001", "10.244.1.0/24", ip="10.20.0.1"), public_ip="10.99.0.1"), *THREE[1:]]))
    assert "of lo, which no other machine reaches" in only(routed(odd, "w001", "10.99.0.1"), "FLN309", "w001")


def behind_nat() -> Snapshot:
    """w001 announces the address of a gateway, on purpose."""
    inner = node("w001", "10.244.1.0/24", ip="10.20.0.1")
    return whole(healthy([announced(inner, public_ip="203.0.113.9", public_ip_overwrite="203.0.113.9"), *THREE[1:]]))


def test_a_firewall_behind_nat_drops_the_overlay_too() -> None:
    nothing(behind_nat(), "FLN414")
    only(put(behind_nat(), "w001", iptables=(DROPS,)), "FLN414", "w001", severity=Severity.CRITICAL)


def test_packets_of_a_peer_behind_nat_come_from_either_of_its_addresses() -> None:
    inside = ("-s 10.20.0.0/16 -p udp -m udp --dport 8472 -j ACCEPT", "-p udp -m udp --dport 8472 -j DROP")
    taken = put(behind_nat(), "w002", iptables=(chain("INPUT", *inside),))
    assert "behind NAT" in doubts(taken, "FLN414")["w002",]


def test_a_card_that_nobody_can_name_is_unknown() -> None:
    nowhere = put(behind_nat(), "w001", addresses=(Address("lo", 4, "127.0.0.1", 8),))
    nowhere = changed(nowhere, "w001", links=instead(named("flannel.1"), vxlan=Vxlan(vni=1, port=8472)))
    for code in ("FLN408", "FLN414"):
        assert doubts(nowhere, code) == {("w001",): "which card carries the overlay there is not known"}


# Devices and their sizes


def test_a_device_of_which_no_details_are_told_is_unknown() -> None:
    plain = changed(TAKEN, "w002", links=instead(named("flannel.1"), vxlan=None))
    assert doubts(plain, "FLN407") == {("w002",): "what flannel.1 is made with was not told"}
    assert list(doubts(plain, "FLN206")) == [("w002",)]
    other_mac = changed(plain, "w002", links=instead(named("flannel.1"), mac="02:00:00:00:00:99"))
    assert "has the MAC" in only(other_mac, "FLN407", "w002")


def test_a_device_with_a_foreign_address_is_not_made_anew_with_the_same() -> None:
    made = vxlan(TAKEN, "w002").vxlan
    assert made is not None
    taken = changed(TAKEN, "w002", links=instead(named("flannel.1"), vxlan=replace(made, local="203.0.113.9")))
    (found,) = findings(taken, "FLN407")
    assert found.remedy is not None
    assert "--public-ip" in found.remedy.summary and f"{DEFAULT_PREFIX}public-ip-overwrite" in found.remedy.summary
    assert not [command for command in found.remedy.commands if "ip link delete" in command]


def six(n: int) -> Node:
    """A Node with IPv6 alone."""
    bare = node(f"w00{n}", f"fd00:10:{n}::/64", ip=f"fd01::{n}")
    made = announced(bare, public_ip="0.0.0.0", public_ipv6=f"fd01::{n}", mac_v6=mac_of(bare.name))
    return replace(made, annotations={**made.annotations, f"{DEFAULT_PREFIX}backend-data": "null"})


def test_over_ipv6_alone_flannel_tells_pods_a_little_more_than_its_tunnel_has() -> None:
    conf = net_conf(None, EnableIPv4=False, EnableIPv6=True, IPv6Network="fd00::/16")
    taken = whole(healthy([six(n) for n in (1, 2, 3)], config_maps=[conf]), families=(6,))
    (said,) = findings(taken, "FLN408")
    assert (said.severity, said.nodes) == (Severity.INFO, ())
    larger = changed(taken, "w002", links=instead(lambda link: link.name.startswith("veth"), mtu=1500))
    assert "above the 1430" in next(f.summary for f in findings(larger, "FLN408") if f.severity is Severity.WARNING)


def test_flannels_tun_device_of_the_udp_backend() -> None:
    nodes = [announced(n, backend="") for n in THREE]
    taken = whole(healthy(nodes, config_maps=[net_conf(backend={"Type": "udp"})]))
    nothing(taken, "FLN406")
    down = changed(taken, "w002", links=instead(named("flannel0"), flags=()))
    assert "flannel0 is down" in only(down, "FLN406", "w002")


# What was not told


@pytest.mark.parametrize("code", ["FLN411", "FLN413", "FLN422"])
def test_settings_that_were_not_told_are_not_fine(code: str) -> None:
    taken = changed(TAKEN, "w002", routes=without(route_to("10.244.1.0/24")))
    taken = changed(
        taken,
        "w002",
        routes=lambda there: [
            *there,
            replace(kernel_of(TAKEN, "w002").facts["routes"][0], destination="10.244.1.0/24", gateway="10.20.0.1", device="eth0"),
        ],
    )
    settings = {key: value for key, value in SYSCTLS.items() if key == "net/ipv4/conf/cni0/forwarding"}
    assert doubts(put(taken, "w002", sysctls=settings), code)["w002",] == "the kernel's settings were not told wholly"


def test_the_remedy_against_a_strict_filter_leaves_other_cards_alone() -> None:
    straight = whole(healthy(THREE), direct=lambda a, b: (a, b) == ("w002", "w003"))
    strict = {**SYSCTLS, "net/ipv4/conf/all/rp_filter": "1", "net/ipv4/conf/flannel.1/rp_filter": "1"}
    (found,) = findings(put(straight, "w002", sysctls=strict), "FLN413")
    assert found.remedy is not None
    assert found.remedy.commands == ("sysctl -w net/ipv4/conf/flannel.1/rp_filter=2  # on w002",)


def nodes_only(**sets: Any) -> NftTable:
    """A table that takes the overlay's packets from the addresses of a set only."""
    source = {"payload": {"protocol": "ip", "field": "saddr"}}
    port = {"payload": {"protocol": "udp", "field": "dport"}}
    rule: tuple[dict[str, Any], ...] = (
        {"match": {"op": "!=", "left": source, "right": "@nodes"}},
        {"match": {"op": "==", "left": port, "right": 8472}},
        {"drop": None},
    )
    hook = NftChain(name="in", type="filter", hook="input", priority=0, policy="accept", rules=(rule,))
    return NftTable(family="inet", name="fw", chains={"in": hook}, sets=sets)


def test_a_set_that_was_not_told_is_not_an_empty_one() -> None:
    nothing(put(TAKEN, "w002", nft=(nodes_only(nodes=({"prefix": {"addr": "10.20.0.0", "len": 16}},)),)), "FLN414")
    only(put(TAKEN, "w002", nft=(nodes_only(nodes=()),)), "FLN414", "w002")
    assert "saddr != @nodes" in doubts(put(TAKEN, "w002", nft=(nodes_only(),)), "FLN414")["w002",]


def test_a_map_of_verdicts_that_was_not_told_may_drop() -> None:
    verdicts = ({"vmap": {"key": {"payload": {"protocol": "udp", "field": "dport"}}, "data": "@ports"}},)
    hook = NftChain(name="in", type="filter", hook="input", priority=0, policy="accept", rules=(verdicts,))
    untold = NftTable(family="inet", name="fw", chains={"in": hook}, sets={})
    assert list(doubts(put(TAKEN, "w002", nft=(untold,)), "FLN414")) == [("w002",)]
    told = replace(untold, sets={"ports": ([22, {"drop": None}],)})
    nothing(put(TAKEN, "w002", nft=(told,)), "FLN414")


# When, and where


def test_a_node_written_around_the_second_sweep_is_settling() -> None:
    taken = changed(TAKEN, "w002", links=without(named("flannel.1")))
    assert taken.second_sweep is not None
    other = replace(THREE[1], annotations={**THREE[1].annotations, f"{DEFAULT_PREFIX}public-ip": "10.20.0.99"})
    between = replace(taken.second_sweep, before={**taken.second_sweep.before, "w002": other})
    assert "settling" in doubts(replace(taken, second_sweep=between), "FLN406")["w002",]


def test_commands_for_the_node_are_marked_among_others() -> None:
    old = changed(TAKEN, "w002", addresses=instead(lambda a: a.device == "cni0", address="10.244.201.1"))
    mac = changed(TAKEN, "w002", links=instead(named("flannel.1"), mac="02:00:00:00:00:99"))
    for taken, code in ((old, "FLN409"), (mac, "FLN407")):
        (found,) = findings(taken, code)
        assert found.remedy is not None
        for command in found.remedy.commands:
            assert command.startswith("kubectl") is not command.endswith("  # on w002")
        assert "Run these on the node itself" not in found.remedy.caution


def test_everything_odd_here_is_healthy_for_all_checks() -> None:
    """The routed machine and the one behind NAT, as a whole."""
    for taken in (routed(TAKEN, "w001", "10.20.0.1"), behind_nat()):
        assert [f.code for f in judged(taken).findings if f.severity >= Severity.WARNING] == []
