"""Checks of single nodes: each with a faulty node, healthy ones, and what only looks like the fault."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope.checks import all_checks
from flannelscope.model import (
    Address,
    Cni,
    CniFile,
    Event,
    FlannelProcess,
    Gap,
    IpamLease,
    Link,
    NftChain,
    NftTable,
    NodeContainer,
    Route,
    SavedChain,
    SavedTable,
    Severity,
    Snapshot,
    SubnetEnv,
    Topic,
    Writer,
)
from flannelscope.suspects import suspects
from tests.engine.builders import (
    NOW,
    OLD,
    announced,
    event,
    findings,
    fleet,
    healthy,
    judged,
    net_conf,
    node,
    nodes_of,
    pod,
    unknowns,
)
from tests.engine.kernels import UP, changed, instead, plus, route_to
from tests.engine.node_facts import (
    APART,
    ARGV,
    CNI,
    CONFLIST,
    PLUGINS,
    SYSCTLS,
    chain,
    env,
    forwarding,
    kernel_of,
    masquerade,
    put,
    rules,
    whole,
)

OF_NODES = (
    "FLN309", "FLN406", "FLN407", "FLN408", "FLN409", "FLN410", "FLN411", "FLN412", "FLN413", "FLN414", "FLN415", "FLN416",
    "FLN417", "FLN419", "FLN422",
)  # fmt: skip
THREE = fleet(3)
TAKEN = whole(healthy(THREE))


def named(name: str) -> Any:
    """The device of this name."""
    return lambda link: link.name == name


def only(taken: Snapshot, code: str, *names: str, severity: Severity | None = None) -> str:
    """The summary of the one finding with this code, which is about just these nodes."""
    (found,) = findings(taken, code)
    assert found.nodes == names
    assert severity is None or found.severity is severity
    assert found.remedy is not None and found.evidence
    return found.summary


def nothing(taken: Snapshot, code: str) -> None:
    """That there is no finding with this code and every node was judged."""
    assert not findings(taken, code)
    assert not [said for said in unknowns(taken, code) if said.nodes]


@pytest.mark.parametrize("code", OF_NODES)
def test_nothing_is_wrong_with_healthy_nodes(code: str) -> None:
    nothing(TAKEN, code)


@pytest.mark.parametrize("code", OF_NODES)
def test_what_was_not_read_is_unknown_with_its_reason(code: str) -> None:
    assert TAKEN.sweep is not None
    without = replace(
        TAKEN,
        sweep=replace(TAKEN.sweep, kernels={n: k for n, k in TAKEN.sweep.kernels.items() if n != "w002"}),
        gaps=(Gap(Topic.KERNELS, "no route to host", "w002"),),
    )
    assert not findings(without, code)
    assert ("no route to host", ("w002",)) in {(said.reason, said.nodes) for said in unknowns(without, code)}
    nowhere = replace(TAKEN, readings={t: r for t, r in TAKEN.readings.items() if t is not Topic.KERNELS})
    assert unknowns(nowhere, code)


def test_a_probe_that_needs_sudo_is_unknown_where_there_is_none() -> None:
    taken = TAKEN
    for name in ("w001", "w002"):
        taken = put(taken, name, iptables=None, nft=None)
    for code in ("FLN412", "FLN414", "FLN415"):
        told = [said for said in unknowns(taken, code) if said.nodes]
        assert [(said.nodes, said.reason) for said in told] == [(("w001", "w002"), "sudo asks for a password there")]


def test_what_only_the_first_reading_shows_is_not_said() -> None:
    off = {**SYSCTLS, "net/ipv4/ip_forward": "0"}
    nothing(put(TAKEN, "w002", once=True, sysctls=off), "FLN411")
    broken = put(TAKEN, "w002", sysctls=off)
    assert only(broken, "FLN411", "w002")
    waiting = replace(broken, second_sweep=None)
    assert not findings(waiting, "FLN411")
    assert [(said.nodes, said.reason) for said in unknowns(waiting, "FLN411")] == [
        (("w002",), "seen once; it is being read again")
    ]
    assert suspects(waiting) == {"w002"}


def test_a_node_written_around_the_sweep_is_settling() -> None:
    taken = put(TAKEN, "w002", sysctls={**SYSCTLS, "net/ipv4/ip_forward": "0"})
    assert taken.sweep is not None
    written = [replace(n, writers=(Writer("flanneld", "flannel", "Update", NOW - 25),)) if n.name == "w002" else n for n in THREE]
    for settling in (
        replace(taken, nodes=tuple(written)),
        replace(taken, sweep=replace(taken.sweep, after={n.name: replace(n, uid="new") for n in THREE})),
    ):
        assert not findings(settling, "FLN411")
        (said,) = unknowns(settling, "FLN411")
        assert said.nodes == ("w002",) and said.reason.startswith("settling")


def test_every_proof_says_where_it_was_read_and_the_command_that_shows_it() -> None:
    (found,) = findings(put(TAKEN, "w002", sysctls={**SYSCTLS, "net/ipv4/ip_forward": "0"}), "FLN411")
    (proof,) = found.evidence
    assert proof.what == "net.ipv4.ip_forward on w002"
    assert proof.value == "0"
    assert proof.origin == "ssh ops@10.20.0.2: sysctl net.ipv4.ip_forward, 14:13:08Z"
    assert proof.command == "sysctl net.ipv4.ip_forward"


def dual() -> Snapshot:
    """Two healthy nodes with both families, as flannel sets them by default."""
    six = [
        announced(
            node(f"d{i}", f"10.244.{i}.0/24", f"fd00:10:244:{i}::/64", ip=(f"10.20.0.{i}", f"fd01::{i}")),
            public_ipv6=f"fd01::{i}",
        )
        for i in (1, 2)
    ]
    conf = net_conf(EnableIPv6=True, IPv6Network="fd00:10:244::/56")
    taken = whole(healthy(six, config_maps=[conf]), families=(4, 6))
    for n in six:
        block = n.pod_cidrs[1]
        more = {"FLANNEL_IPV6_NETWORK": "fd00:10:244::/56", "FLANNEL_IPV6_SUBNET": block.replace("::/64", "::1/64")}
        tables = (forwarding(), masquerade(n.pod_cidrs[0]), masquerade(block, "fd00:10:244::/56", family=6))
        taken = put(taken, n.name, subnet_env=env(n.pod_cidrs[0], **more), iptables=tables)
    return taken


def test_with_two_families_the_smaller_ipv6_tunnel_is_no_more_than_worth_knowing() -> None:
    judgement = judged(dual(), *OF_NODES)
    (said,) = judgement.findings
    assert (said.code, said.severity, said.nodes) == ("FLN408", Severity.INFO, ())
    assert "flannel-v6.1 has MTU 1430 on d1 d2, and pods are told 1450" in said.summary
    assert not [unknown for unknown in judgement.unknown if unknown.nodes]
    assert not suspects(dual())


def test_each_family_is_judged_by_itself() -> None:
    off = {**SYSCTLS, "net/ipv6/conf/all/forwarding": "0"}
    assert "IPv6 packets" in only(put(dual(), "d1", sysctls=off), "FLN411", "d1")
    down = changed(dual(), "d1", links=instead(named("flannel-v6.1"), flags=()))
    assert "flannel-v6.1 is down" in only(down, "FLN406", "d1")
    lost = put(dual(), "d1", iptables=(forwarding(), masquerade("10.244.1.0/24")))
    assert "masquerade rules for IPv6" in only(lost, "FLN415", "d1")


# FLN406, FLN407


def test_a_device_that_is_down_or_missing() -> None:
    down = changed(TAKEN, "w002", links=instead(named("flannel.1"), flags=("BROADCAST",)))
    assert "flannel.1 is down" in only(down, "FLN406", "w002", severity=Severity.CRITICAL)
    gone = changed(TAKEN, "w002", links=lambda there: [link for link in there if link.name != "flannel.1"])
    assert "flannel.1 is missing" in only(gone, "FLN406", "w002")


def test_a_flannel_that_has_just_started_may_have_no_device_yet() -> None:
    gone = changed(TAKEN, "w002", links=lambda there: [link for link in there if link.name != "flannel.1"])
    young = [
        replace(p, detail=replace(p.detail, statuses=(replace(p.detail.statuses[0], started=NOW - 90),)))
        if p.node == "w002" and p.detail
        else p
        for p in gone.flannel_pods
    ]
    nothing(replace(gone, flannel_pods=tuple(young)), "FLN406")


def vxlan(taken: Snapshot, name: str) -> Link:
    """flannel.1 of a node."""
    links: tuple[Link, ...] = kernel_of(taken, name).facts["links"]
    return next(link for link in links if link.name == "flannel.1")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"mac": "02:00:00:00:00:99"}, "MAC"),
        ({"vxlan": {"vni": 7}}, "VNI"),
        ({"vxlan": {"port": 4789}}, "port"),
        ({"vxlan": {"local": "203.0.113.7"}}, "local address"),
        ({"vxlan": {"parent": "cni0"}}, "parent device"),
    ],
)
def test_a_vxlan_device_that_is_not_what_the_node_announces(changes: dict[str, Any], told: str) -> None:
    made = vxlan(TAKEN, "w002").vxlan
    assert made is not None
    fields = {k: replace(made, **v) if k == "vxlan" else v for k, v in changes.items()}
    summary = only(changed(TAKEN, "w002", links=instead(named("flannel.1"), **fields)), "FLN407", "w002")
    assert f"has the {told}" in summary


def test_behind_nat_the_local_address_is_not_the_announced_one() -> None:
    members = [*THREE[:2], announced(node("w003", "10.244.3.0/24", ip="10.20.0.3"), public_ip="203.0.113.3")]
    taken = whole(healthy(members))
    made = vxlan(taken, "w003").vxlan
    assert made is not None
    local = changed(taken, "w003", links=instead(named("flannel.1"), vxlan=replace(made, local="10.20.0.3")))
    nothing(local, "FLN407")


# FLN408


def test_a_tunnel_larger_than_its_card_carries() -> None:
    low = changed(TAKEN, "w002", links=instead(named("eth0"), mtu=1400))
    assert "has MTU 1450 on eth0 with 1400, where 1350 fits" in only(low, "FLN408", "w002", severity=Severity.WARNING)


def test_a_tunnel_with_another_mtu_than_nearly_all() -> None:
    small = changed(TAKEN, "w002", links=instead(named("eth0"), mtu=1400))
    small = changed(small, "w002", links=instead(named("flannel.1"), mtu=1350))
    small = changed(small, "w002", links=instead(lambda link: link.name.startswith("veth"), mtu=1350))
    assert "has MTU 1350 where most have 1450" in only(small, "FLN408", "w002")


def test_pods_with_a_larger_mtu_than_the_tunnel() -> None:
    large = changed(TAKEN, "w002", links=instead(lambda link: link.name.startswith("veth"), mtu=1500))
    assert "older than a change" in only(large, "FLN408", "w002", severity=Severity.INFO)
    told = put(large, "w002", subnet_env=env("10.244.2.0/24", FLANNEL_MTU="1500"))
    assert "large packets are lost" in only(told, "FLN408", "w002", severity=Severity.WARNING)


def test_a_smaller_tunnel_on_every_node_is_meant() -> None:
    taken = TAKEN
    for name in ("w001", "w002", "w003"):
        taken = changed(taken, name, links=instead(lambda link: link.name in ("flannel.1", "veth00000001"), mtu=1400))
    nothing(taken, "FLN408")


# FLN409, FLN410


def test_a_bridge_with_the_address_of_another_podcidr() -> None:
    old = changed(
        TAKEN, "w002", addresses=instead(lambda a: a.device == "cni0", address="10.244.201.1")
    )  # fmt: skip
    assert "10.244.201.1/24 and not 10.244.2.1" in only(old, "FLN409", "w002", severity=Severity.CRITICAL)
    forced = CONFLIST.replace('"hairpinMode": true', '"forceAddress": true')
    mends = put(old, "w002", cni=replace(CNI, files=(CniFile("10-flannel.conflist", forced),)))
    only(mends, "FLN409", "w002", severity=Severity.WARNING)


def test_no_bridge_or_one_without_address_is_fine() -> None:
    nothing(changed(TAKEN, "w002", links=lambda there: [x for x in there if x.name != "cni0"]), "FLN409")
    nothing(changed(TAKEN, "w002", addresses=lambda there: [a for a in there if a.device != "cni0"]), "FLN409")


@pytest.mark.parametrize(
    ("written", "severity"),
    [
        (env("10.244.77.0/24"), Severity.CRITICAL),
        (SubnetEnv(path="/run/flannel/subnet.env", present=False), Severity.CRITICAL),
        (env("10.244.2.0/24", FLANNEL_NETWORK="10.240.0.0/12"), Severity.WARNING),
        (env("10.244.2.0/24", FLANNEL_MTU="1500"), Severity.WARNING),
        (env("10.244.2.0/24", FLANNEL_IPMASQ="false"), Severity.WARNING),
    ],
)
def test_a_subnet_env_that_misleads(written: SubnetEnv, severity: Severity) -> None:
    only(put(TAKEN, "w002", subnet_env=written), "FLN410", "w002", severity=severity)


def test_a_flannel_with_a_file_of_its_own_is_judged_by_that_file_only() -> None:
    other = FlannelProcess(pid=1, argv=(*ARGV, "--subnet-file=/run/second/subnet.env"), started=OLD, state="S")
    taken = put(TAKEN, "w002", flannel_process=(other,), subnet_env=env("10.244.77.0/24"))
    assert not findings(taken, "FLN410")
    assert [said.nodes for said in unknowns(taken, "FLN410")] == [("w002",)]


# FLN411, FLN413


def test_forwarding_that_is_off_on_one_device() -> None:
    off = {**SYSCTLS, "net/ipv4/conf/flannel.1/forwarding": "0"}
    only(put(TAKEN, "w002", sysctls=off), "FLN411", "w002", severity=Severity.CRITICAL)
    nothing(put(TAKEN, "w002", sysctls={**SYSCTLS, "net/ipv4/conf/docker0/forwarding": "0"}), "FLN411")
    nothing(put(TAKEN, "w002", sysctls={**SYSCTLS, "net/ipv6/conf/all/forwarding": "0"}), "FLN411")  # flannel serves IPv4


def test_forwarding_that_is_off_where_no_pod_is_yet() -> None:
    empty = changed(TAKEN, "w002", links=lambda there: [link for link in there if link.kind != "veth"])
    off = put(empty, "w002", sysctls={**SYSCTLS, "net/ipv4/ip_forward": "0"})
    only(off, "FLN411", "w002", severity=Severity.INFO)


STRICT = {**SYSCTLS, "net/ipv4/conf/all/rp_filter": "1"}
DIRECT = Route(family=4, destination="10.244.3.0/24", gateway="10.20.0.3", device="eth0")


def test_strict_filtering_where_one_side_sends_directly() -> None:
    taken = changed(TAKEN, "w002", routes=lambda there: [DIRECT if route_to("10.244.3.0/24")(r) else r for r in there])
    nothing(taken, "FLN413")  # nobody filters
    summary = only(put(taken, "w002", sysctls=STRICT), "FLN413", "w002")
    assert "comes in by flannel.1, the route back leaves by eth0" in summary
    other = only(put(taken, "w003", sysctls=STRICT), "FLN413", "w003")
    assert "comes in by eth0, the route back leaves by flannel.1" in other


def test_strict_filtering_alone_is_a_default() -> None:
    nothing(put(TAKEN, "w002", sysctls=STRICT), "FLN413")
    straight = whole(healthy(THREE), direct=lambda a, b: {a, b} == {"w002", "w003"})
    nothing(put(straight, "w002", sysctls=STRICT), "FLN413")


# FLN412, FLN414


@pytest.mark.parametrize(
    "rules",
    [
        {"iptables": (forwarding("-s 10.244.0.0/16 -j DROP"), masquerade("10.244.2.0/24"))},
        {"iptables": (forwarding(), chain("FORWARD", "-i cni0 -j REJECT --reject-with icmp-port-unreachable", flavour="legacy"))},
        {
            "nft": (
                NftTable(
                    family="ip",
                    name="hardening",
                    chains={"forward": NftChain(name="forward", type="filter", hook="forward", priority=10, policy="drop")},
                ),
            )
        },
    ],
    ids=["iptables-nft", "iptables-legacy", "nft"],
)
def test_a_firewall_that_drops_what_pods_send(rules: dict[str, Any]) -> None:
    only(put(TAKEN, "w002", **rules), "FLN412", "w002", severity=Severity.WARNING)


def test_policy_drop_behind_flannels_own_accept_is_healthy() -> None:
    docker = forwarding("-o docker0 -j DOCKER", policy="DROP")
    nothing(put(TAKEN, "w002", iptables=(docker, masquerade("10.244.2.0/24"))), "FLN412")


def test_rules_that_nobody_can_word_are_unknown() -> None:
    taken = put(TAKEN, "w002", iptables=(forwarding("-m set --match-set blocked src -j DROP"),))
    assert not findings(taken, "FLN412")
    (said,) = unknowns(taken, "FLN412")
    assert said.nodes == ("w002",) and "--match-set blocked" in said.reason


@pytest.mark.parametrize(
    "table", [chain("INPUT", "-p udp -m udp --dport 8472 -j DROP"), chain("OUTPUT", "-p udp -m udp --dport 8472 -j DROP")]
)
def test_a_firewall_that_drops_the_overlay(table: SavedTable) -> None:
    assert "UDP 8472" in only(put(TAKEN, "w002", iptables=(table,)), "FLN414", "w002", severity=Severity.CRITICAL)


def test_a_firewall_that_lets_the_nodes_through() -> None:
    nodes_only = chain("INPUT", "-s 10.20.0.0/16 -p udp -m udp --dport 8472 -j ACCEPT", "-p udp -m udp --dport 8472 -j DROP")
    nothing(put(TAKEN, "w002", iptables=(nodes_only,)), "FLN414")
    nothing(put(TAKEN, "w002", iptables=(chain("INPUT", "-p udp -m udp --dport 4789 -j DROP"),)), "FLN414")


# FLN415


def test_masquerade_rules_that_are_missing_or_name_another_block() -> None:
    for tables in (
        (forwarding(),),
        (masquerade("10.244.7.0/24"),),
        (masquerade("10.244.2.0/24", "10.240.0.0/12"),),
    ):
        only(put(TAKEN, "w002", iptables=tables), "FLN415", "w002", severity=Severity.WARNING)


def test_a_stopped_flannel_is_named_beside_its_missing_rules() -> None:
    stopped = FlannelProcess(pid=4711, argv=ARGV, started=OLD, state="T")
    (found,) = findings(put(TAKEN, "w002", iptables=(), flannel_process=(stopped,)), "FLN415")
    assert "flannel (pid 4711) is stopped" in {proof.value for proof in found.evidence}


def test_without_ip_masq_nothing_is_wanted() -> None:
    plain = FlannelProcess(pid=4711, argv=("/opt/bin/flanneld", "--kube-subnet-mgr"), started=OLD, state="S")
    nothing(put(TAKEN, "w002", iptables=(), flannel_process=(plain,)), "FLN415")


def test_rules_in_the_other_flavour_count_and_twice_is_worth_knowing() -> None:
    legacy = masquerade("10.244.2.0/24", flavour="legacy")
    nothing(put(TAKEN, "w002", iptables=(legacy,)), "FLN415")
    only(put(TAKEN, "w002", iptables=(legacy, masquerade("10.244.2.0/24"))), "FLN415", "w002", severity=Severity.INFO)


def test_rules_that_fit_a_configmap_written_since_are_right() -> None:
    written = replace(net_conf(), written=NOW - 3600)
    taken = whole(healthy(THREE, config_maps=[written]))
    nothing(taken, "FLN415")
    other = put(taken, "w002", iptables=(masquerade("10.244.2.0/24", "10.240.0.0/12"),))
    assert not findings(other, "FLN415")
    assert [said.nodes for said in unknowns(other, "FLN415")] == [("w002",)]


def test_two_readings_within_a_resync_prove_nothing() -> None:
    taken = put(TAKEN, "w002", iptables=())
    assert taken.second_sweep is not None
    again = taken.second_sweep.kernels["w002"]
    soon = replace(taken.second_sweep, kernels={"w002": replace(again, at=again.at - APART + 2)})
    later = replace(taken.second_sweep, kernels={"w002": replace(again, at=again.at - APART + 6)})
    assert not findings(replace(taken, second_sweep=soon), "FLN415")
    assert nodes_of(findings(replace(taken, second_sweep=later), "FLN415")) == [("w002",)]


def test_in_nftables_mode_flannels_own_table_is_wanted() -> None:
    taken = whole(healthy(THREE, config_maps=[net_conf(EnableNFTables=True)]))
    prefixes: list[dict[str, Any]] = [{"match": {"right": {"prefix": {"addr": "10.244.0.0", "len": 16}}}}, {"masquerade": None}]
    named_all = NftTable(
        family="ip",
        name="flannel-ipv4",
        chains={
            "postrtg": NftChain(
                name="postrtg",
                type="nat",
                hook="postrouting",
                rules=(tuple(prefixes), ({"match": {"right": {"prefix": {"addr": "10.244.2.0", "len": 24}}}},)),
            )
        },
    )
    nothing_of_it = put(taken, "w002", iptables=(), nft=())
    assert nodes_of(findings(nothing_of_it, "FLN415")) == [("w001",), ("w002",), ("w003",)]
    assert nodes_of(findings(put(taken, "w002", nft=(named_all,)), "FLN415")) == [("w001",), ("w003",)]


# FLN416, FLN419, FLN422


def cni(*files: tuple[str, str], plugins: tuple[str, ...] = PLUGINS) -> Cni:
    """A CNI directory with these files."""
    return Cni(conf_dir="/etc/cni/net.d", files=tuple(CniFile(*file) for file in files), bin_dirs={"/opt/cni/bin": plugins})


OTHER = json.dumps({"name": "podman", "plugins": [{"type": "bridge", "ipam": {"type": "host-local", "subnet": "10.88.0.0/16"}}]})
CALICO = json.dumps(
    {"plugins": [{"type": "calico", "ipam": {"type": "host-local", "subnet": "usePodCidr"}}, {"type": "portmap"}]}
)
MULTUS = json.dumps({"type": "multus-shim", "name": "multus-cni-network"})
MULTUS_OVER = json.dumps({"type": "multus", "delegates": [json.loads(CONFLIST)]})


def test_another_configuration_that_sorts_first() -> None:
    taken = put(TAKEN, "w002", cni=cni(("00-podman.conflist", OTHER), ("10-flannel.conflist", CONFLIST)))
    assert "/etc/cni/net.d/00-podman.conflist, which names bridge" in only(taken, "FLN416", "w002", severity=Severity.WARNING)
    wired = replace(taken, pods=(pod("web", THREE[1], "10.88.0.4"),))
    assert "1 pod there got addresses by it" in only(wired, "FLN416", "w002", severity=Severity.CRITICAL)
    broken = put(TAKEN, "w002", cni=cni(("00-x.conf", "{"), ("10-flannel.conflist", CONFLIST)))
    assert "no JSON" in only(broken, "FLN416", "w002")


@pytest.mark.parametrize(
    "files",
    [
        (("10-flannel.conflist", CONFLIST), ("87-podman.conflist", OTHER)),
        (("00-disabled.conflist.bak", OTHER), ("10-flannel.conflist", CONFLIST)),
        (("10-canal.conflist", CALICO),),
        (("00-multus.conf", MULTUS), ("10-flannel.conflist", CONFLIST)),
        (("00-multus.conf", MULTUS_OVER),),
        (),
    ],
)
def test_configurations_by_which_pods_get_flannels_addresses(files: tuple[tuple[str, str], ...]) -> None:
    nothing(put(TAKEN, "w002", cni=cni(*files)), "FLN416")


@pytest.mark.parametrize("plugin", ["flannel", "bridge", "host-local", "portmap"])
def test_a_plugin_that_is_not_there(plugin: str) -> None:
    left = tuple(name for name in PLUGINS if name != plugin)
    assert f"lacks the CNI plugin {plugin}" in only(
        put(TAKEN, "w002", cni=cni(("10-flannel.conflist", CONFLIST), plugins=left)), "FLN419", "w002"
    )


def failed(message: str, **changes: Any) -> Event:
    """An event of the runtime about a pod of w002."""
    return event("FailedCreatePodSandBox", pod("web-1", THREE[1]), message, **changes)


def test_events_tell_of_a_missing_plugin_without_a_look_at_the_nodes() -> None:
    message = 'plugin type="flannel" failed (add): failed to find plugin "flannel" in path [/opt/cni/bin]'
    waits = healthy(THREE, pods=[pod("web-1", THREE[1], phase="Pending")], events=[failed(message)])
    assert nodes_of(findings(waits, "FLN419")) == [("w002",)]
    assert unknowns(waits, "FLN419")  # no node was looked at
    old = healthy(THREE, pods=[pod("web-1", THREE[1])], events=[failed(message, ago=3600)])
    assert not findings(old, "FLN419")


def by_iptables() -> SavedTable:
    """kube-proxy's nat table while it works with iptables."""
    chains = {
        "PREROUTING": SavedChain(
            "PREROUTING", "ACCEPT", rules('-m comment --comment "kubernetes service portals" -j KUBE-SERVICES')
        ),
        "KUBE-SERVICES": SavedChain("KUBE-SERVICES", "", rules("-d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j KUBE-SVC-API")),
    }
    return SavedTable("nft", 4, "nat", chains)


def test_chains_that_kube_proxy_left_behind_are_not_in_use() -> None:
    absent = {key: value for key, value in SYSCTLS.items() if not key.startswith("net/bridge")}
    used = by_iptables()
    empty = replace(used, chains={**used.chains, "KUBE-SERVICES": SavedChain("KUBE-SERVICES", "", ())})
    nothing(put(TAKEN, "w002", sysctls=absent, iptables=(forwarding(), empty)), "FLN422")
    now = NftTable(family="ip", name="kube-proxy", chains={})
    nothing(put(TAKEN, "w002", sysctls=absent, iptables=(forwarding(), used), nft=(now,)), "FLN422")


def test_bridges_that_hide_packets_from_kube_proxy() -> None:
    services = by_iptables()
    absent = {key: value for key, value in SYSCTLS.items() if not key.startswith("net/bridge")}
    tables = (forwarding(), masquerade("10.244.2.0/24"), services)
    assert "br_netfilter is not loaded" in only(put(TAKEN, "w002", sysctls=absent, iptables=tables), "FLN422", "w002")
    off = {**SYSCTLS, "net/bridge/bridge-nf-call-iptables": "0"}
    assert "is 0" in only(put(TAKEN, "w002", sysctls=off, iptables=tables), "FLN422", "w002")
    nothing(put(TAKEN, "w002", sysctls=absent), "FLN422")  # no kube-proxy that works with iptables


# FLN417


def lease(number: int, container: str = "gone", ago: float = 3600) -> IpamLease:
    """host-local's file for an address of w002."""
    return IpamLease("cbr0", f"10.244.2.{number}", container, "eth0", NOW - ago)


def test_leases_that_nobody_has() -> None:
    taken = replace(TAKEN, pods=(pod("web", THREE[1], "10.244.2.5"), pod("job", THREE[1], "10.244.2.6", phase="Succeeded")))
    held = (lease(5), lease(6), lease(7, ago=30), lease(8, "runs"), lease(9), lease(10))
    found = put(taken, "w002", host_local=held, containers=(NodeContainer(pod_uid="u", container="runs", pids=(1,)),))
    summary = only(found, "FLN417", "w002", severity=Severity.INFO)
    assert "2 addresses" in summary and "10.244.2.9" in summary and "10.244.2.10" in summary
    nothing(
        put(taken, "w002", host_local=held[:4], containers=(NodeContainer(pod_uid="u", container="runs", pids=(1,)),)), "FLN417"
    )


# FLN309


def two_networks(taken: Snapshot, *names: str) -> Snapshot:
    """The Snapshot with a second card, eth1 in 192.168.7.0/24, on these nodes."""
    for name in names:
        number = int(name[1:])
        taken = changed(
            taken,
            name,
            links=plus(Link(index=50, name="eth1", flags=UP, mtu=1500)),
            addresses=plus(Address("eth1", 4, f"192.168.7.{number}", 24)),
        )
    return taken


def test_a_node_that_announces_where_no_peer_does() -> None:
    odd = [*THREE[:2], announced(node("w003", "10.244.3.0/24", ip="10.20.0.3"), public_ip="192.168.7.3")]
    taken = two_networks(whole(healthy(odd)), "w001", "w002", "w003")
    summary = only(taken, "FLN309", "w003", severity=Severity.WARNING)
    assert "192.168.7.3 of eth1, where no peer announces, and has 10.20.0.3 on eth0" in summary


def test_a_node_that_announces_an_address_that_never_leaves_it() -> None:
    odd = [*THREE[:2], announced(node("w003", "10.244.3.0/24", ip="10.20.0.3"), public_ip="172.17.0.1")]
    taken = whole(healthy(odd))
    taken = changed(taken, "w003", addresses=plus(Address("docker0", 4, "172.17.0.1", 16)))
    only(taken, "FLN309", "w003", severity=Severity.CRITICAL)


def test_a_second_card_on_purpose_is_fine() -> None:
    meant = [announced(n, public_ip=f"192.168.7.{i}") for i, n in enumerate(THREE, 1)]
    taken = two_networks(whole(healthy(meant)), "w001", "w002", "w003")
    asked = FlannelProcess(pid=1, argv=(*ARGV, "--iface-regex=^(eth1|bond1)$"), started=OLD, state="S")
    chosen = taken
    for n in meant:
        chosen = put(chosen, n.name, flannel_process=(asked,))
    nothing(chosen, "FLN309")
    (found,) = findings(taken, "FLN309")  # and nobody asked for it
    assert found.nodes == ("w001", "w002", "w003")
    assert found.severity is Severity.WARNING


def test_all_checks_of_nodes_are_listed_here() -> None:
    mine = {check.code for check in all_checks() if Topic.KERNELS in check.needs} | {"FLN419"}
    assert set(OF_NODES) <= mine
    assert not [f for f in judged(TAKEN, *OF_NODES).findings if f.severity >= Severity.WARNING]


# What checks of the API add where the nodes were looked at


def test_leaked_leases_count_among_the_used_addresses() -> None:
    leaks = tuple(IpamLease("cbr0", f"10.244.2.{n}", f"gone{n}", "eth0", NOW - 3600) for n in range(10, 245))
    taken = put(TAKEN, "w002", host_local=leaks)
    assert "uses 235 of the 253 addresses" in only(taken, "FLN115", "w002", severity=Severity.WARNING)
    few = put(TAKEN, "w002", host_local=leaks[:200])
    assert not findings(few, "FLN115")
    everything = judged(taken, "FLN115", "FLN417").findings
    assert [(f.code, [c.code for c in f.consequences]) for f in everything] == [("FLN115", ["FLN417"])]


def connected(device: str, network: str) -> Route:
    """A network that a device of the node is connected to."""
    return Route(family=4, destination=network, device=device, protocol="kernel")


def test_a_network_of_a_machine_that_overlaps_with_podcidrs() -> None:
    taken = changed(TAKEN, "w002", routes=plus(connected("docker0", "10.244.0.0/20")))
    summary = only(taken, "FLN109", "w002", severity=Severity.CRITICAL)
    assert "connected to 10.244.0.0/20 by docker0, which overlaps with the podCIDR 10.244.1.0/24 of w001 and 2 more" in summary
    free = changed(TAKEN, "w002", routes=plus(connected("eth1", "10.244.200.0/24")))
    only(free, "FLN109", "w002", severity=Severity.WARNING)


@pytest.mark.parametrize(
    ("device", "network"), [("virbr0", "192.168.122.0/24"), ("eth1", "10.0.0.0/8"), ("kube-ipvs0", "10.244.1.0/24")]
)
def test_networks_that_are_in_nobodys_way(device: str, network: str) -> None:
    nothing(changed(TAKEN, "w002", routes=plus(connected(device, network))), "FLN109")


def test_an_announced_address_that_no_interface_has() -> None:
    gone = changed(TAKEN, "w002", addresses=lambda there: [a for a in there if a.device != "eth0"])
    assert "10.20.0.2, which is on none of its interfaces" in only(gone, "FLN203", "w002", severity=Severity.CRITICAL)
    asked = FlannelProcess(pid=1, argv=(*ARGV, "--public-ip=10.20.0.2"), started=OLD, state="S")
    nothing(put(gone, "w002", flannel_process=(asked,)), "FLN203")
    nat = [
        *THREE[:2],
        announced(node("w003", "10.244.3.0/24", ip="10.20.0.3"), public_ip="203.0.113.3", public_ip_overwrite="203.0.113.3"),
    ]
    nothing(whole(healthy(nat)), "FLN203")


def test_ports_are_read_from_the_kernels_where_nobody_announces_them() -> None:
    made = vxlan(TAKEN, "w002").vxlan
    assert made is not None
    other = instead(named("flannel.1"), vxlan=replace(made, port=4789))
    assert "Port 4789 where 2 other nodes use 8472" in only(changed(TAKEN, "w002", links=other), "FLN206", "w002")
    once = replace(changed(TAKEN, "w002", links=other), second_sweep=None)
    assert not findings(once, "FLN206")
    assert ("w002",) in {said.nodes for said in unknowns(once, "FLN206")}


def test_what_flannel_runs_with_stands_beside_what_the_configmap_says() -> None:
    taken = whole(healthy(THREE, config_maps=[net_conf("10.99.0.0/16")]))
    for n in THREE:
        taken = put(taken, n.name, subnet_env=env(n.pod_cidrs[0]))
    (found,) = findings(taken, "FLN110")
    assert found.severity is Severity.WARNING and "which has room for it" in found.summary
    crashed = put(taken, "w002", subnet_env=env("10.244.2.0/24", FLANNEL_NETWORK="10.99.0.0/16"))
    assert {(f.severity, f.nodes) for f in findings(crashed, "FLN110")} == {
        (Severity.CRITICAL, ("w002",)),
        (Severity.WARNING, ("w001", "w003")),
    }
    assert {proof.value for proof in found.evidence if proof.what.startswith("FLANNEL_NETWORK on")} == {"10.244.0.0/16"}
