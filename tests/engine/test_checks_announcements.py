"""FLN201 to FLN209: what flannel announces; each fault is seen, and what only looks like it is not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flannelscope.flannel.annotations import DEFAULT_PREFIX, GATE
from flannelscope.model import Node, ServiceCidr, Severity, Snapshot, Topic, Writer

from .builders import (
    DAY,
    NOW,
    OLD,
    announced,
    crashing,
    daemonset,
    findings,
    flannel_container,
    flannel_pod,
    fleet,
    healthy,
    judged,
    lease,
    mac_of,
    net_conf,
    node,
    nodes_of,
    running,
    snapshot,
    unknowns,
)

W1, W2, W3, W4 = fleet(4)
GATE_KEY = DEFAULT_PREFIX + GATE


def without(what: Node, *keys: str) -> Node:
    """The Node without these of flannel's annotations."""
    dropped = {DEFAULT_PREFIX + key for key in keys}
    return replace(what, annotations={k: v for k, v in what.annotations.items() if k not in dropped})


def dead(*silent: Node, among: list[Node], hours: float = 2.0) -> Snapshot:
    """A healthy cluster in which the kubelets of `silent` have sent nothing for some hours."""
    names = {n.name for n in silent}
    nodes = [replace(n, ready="Unknown", ready_since=NOW - hours * 3600) if n.name in names else n for n in among]
    return healthy(nodes, leases=[lease(n, ago=hours * 3600 if n.name in names else 5.0) for n in nodes])


# FLN201 not-announced


def test_201_a_running_flannel_that_announced_nothing() -> None:
    mute = without(W2, "kube-subnet-manager")
    [found] = findings(healthy([W1, mute]), "FLN201")
    assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w002",))
    assert found.evidence[0].value == "absent"
    assert "kube-subnet-manager" in found.evidence[0].command


def test_201_under_another_prefix_only() -> None:
    stray = announced(node("w2", "10.244.2.0/24", ip="10.20.0.2"), prefix="example.com/")
    [found] = findings(healthy([W1, stray]), "FLN201")
    assert "example.com/" in found.summary


@pytest.mark.parametrize(
    "taken",
    [
        healthy([W1, replace(without(W2, "kube-subnet-manager"), pod_cidrs=())]),  # FLN105
        healthy(
            [W1, without(W2, "kube-subnet-manager")], flannel_pods=[flannel_pod(W1), flannel_pod(W2, running(since=NOW - 100))]
        ),
        healthy([W1, without(W2, "kube-subnet-manager")], flannel_pods=[flannel_pod(W1), flannel_pod(W2, crashing())]),
        healthy([W1, without(W2, "kube-subnet-manager")], flannel_pods=[flannel_pod(W1)]),  # FLN305
    ],
    ids=["no podCIDR", "just started", "crashing", "no pod"],
)
def test_201_is_not_said_of(taken: Snapshot) -> None:
    assert findings(taken, "FLN201") == []


def test_201_in_etcd_mode_nobody_announces() -> None:
    members = [node(f"w{i}", f"10.244.{i}.0/24", ip=f"10.20.0.{i}") for i in (1, 2)]
    ds = daemonset(2, containers=(flannel_container("quay.io/coreos/flannel:v0.14.0", "--etcd-endpoints=https://10.0.0.1:2379"),))
    assert findings(healthy(members, daemonsets=[ds]), "FLN201") == []


# FLN202 backend-differs


def test_202_one_node_announces_host_gw_among_vxlan() -> None:
    odd = replace(announced(W2, "host-gw"), writers=(Writer("flanneld", "flannel", "Update", NOW - 3 * 3600),))
    [found] = findings(healthy([W1, odd, W3]), "FLN202")
    assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w002",))
    assert "net-conf.json says vxlan" in found.summary
    assert any(e.value.startswith("flanneld, not after 2026-09-21T11:13:20Z") for e in found.evidence), "the last writer is named"
    assert found.remedy is not None
    assert "FLN418" in found.remedy.caution


def test_202_net_conf_decides_even_against_the_majority() -> None:
    nodes = [announced(W1, "host-gw"), announced(W2, "host-gw"), W3]
    assert nodes_of(findings(healthy(nodes), "FLN202")) == [("w001", "w002")]


def test_202_without_net_conf_the_majority_decides() -> None:
    nodes = [W1, W2, announced(W3, "host-gw")]
    [found] = findings(healthy(nodes, config_maps=[]), "FLN202")
    assert (found.nodes, "the majority" in found.summary) == (("w003",), True)


def test_202_udp_announces_an_empty_type() -> None:
    taken = healthy([announced(W1, ""), W2], config_maps=[net_conf(backend={"Type": "udp"})])
    assert nodes_of(findings(taken, "FLN202")) == [("w002",)]


def test_202_is_milder_where_the_odd_one_is_dead() -> None:
    odd = announced(W3, "host-gw")
    [found] = findings(dead(odd, among=[W1, W2, odd]), "FLN202")
    assert (found.severity, found.nodes) == (Severity.WARNING, ("w003",))
    assert "not alive" in found.summary


def test_202_the_living_agree_whatever_the_config_map_and_the_dead_say() -> None:
    """An edit of the ConfigMap that no restart has taken up yet does not make all living nodes odd."""
    gone = announced(W3, "host-gw")
    taken = replace(dead(gone, among=[W1, W2, gone]), config_maps=(net_conf(backend={"Type": "host-gw"}),))
    [found] = findings(taken, "FLN202")
    assert (found.severity, found.nodes) == (Severity.WARNING, ("w003",))


def test_202_is_milder_while_a_rollout_goes_on() -> None:
    odd = announced(W3, "host-gw")
    young = flannel_pod(W1)
    assert young.detail is not None
    pods = [replace(young, detail=replace(young.detail, created=NOW - 120)), flannel_pod(W2), flannel_pod(odd)]
    taken = healthy([W1, W2, odd], flannel_pods=pods, daemonsets=[daemonset(3, updated=1)])
    assert [f.severity for f in findings(taken, "FLN202")] == [Severity.WARNING]


def test_202_a_config_map_that_nobody_follows_is_another_matter() -> None:
    assert findings(healthy(config_maps=[net_conf(backend={"Type": "host-gw"})]), "FLN202") == []


def test_202_two_networks_may_use_two_backends() -> None:
    nodes = [W1, announced(node("x1", "10.244.9.0/24", ip="10.20.0.9"), "host-gw", prefix="example.com/")]
    assert findings(healthy(nodes), "FLN202") == []


# FLN203 public-ip-wrong


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "a loopback address"),
        ("169.254.7.7", "a link-local address"),
        ("10.20.0.1", "the InternalIP of w001"),
        ("10.244.3.1", "inside the podCIDR 10.244.3.0/24"),
        ("10.96.0.10", "inside the service range 10.96.0.0/12"),
    ],
)
def test_203_addresses_that_cannot_be_right(address: str, why: str) -> None:
    wrong = announced(W2, public_ip=address)
    taken = healthy([W1, wrong, W3], service_cidrs=[ServiceCidr("kubernetes", ("10.96.0.0/12",))])
    [found] = findings(taken, "FLN203")
    assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w002",))
    assert why in found.summary


def test_203_ipv6_is_judged_where_it_is_enabled() -> None:
    wrong = announced(W2, public_ipv6="fe80::1")
    dual = [net_conf(EnableIPv6=True, IPv6Network="fd00::/56")]
    right = [announced(n, public_ipv6=f"fd01::{i}") for i, n in ((1, W1), (3, W3))]
    assert [f.nodes for f in findings(healthy([right[0], wrong, right[1]], config_maps=dual), "FLN203") if f.severity > 1] == [
        ("w002",)
    ]
    assert findings(healthy([right[0], wrong, right[1]]), "FLN203") == []


def test_203_a_cloud_address_given_to_a_new_machine_is_its_own() -> None:
    old = replace(W1, ready="Unknown", ready_since=NOW - DAY)
    new = announced(node("w9", "10.244.9.0/24", ip="10.20.0.1"))
    assert findings(dead(old, among=[old, new, W2], hours=24), "FLN203") == []


def test_203_one_that_stands_alone_is_worth_knowing() -> None:
    others = fleet(10)
    odd = announced(node("w020", "10.244.20.0/24", ip="10.20.0.20"), public_ip="203.0.113.20")
    [found] = findings(healthy([*others, odd]), "FLN203")
    assert (found.severity, found.nodes) == (Severity.INFO, ("w020",))


def test_203_an_overwrite_explains_the_address() -> None:
    others = fleet(10)
    nat = announced(node("w020", ip="10.20.0.20"), public_ip="203.0.113.20", public_ip_overwrite="203.0.113.20")
    taken = healthy([*others, nat])
    assert findings(taken, "FLN203") == []
    assert unknowns(taken, "FLN203") == []


def test_203_a_second_card_everywhere_is_one_unknown_and_no_finding() -> None:
    nodes = [announced(n, public_ip=f"192.168.7.{i}") for i, n in enumerate(fleet(20), 1)]
    taken = healthy(nodes)
    assert findings(taken, "FLN203") == []
    [unknown] = unknowns(taken, "FLN203")
    assert unknown.nodes == ()
    assert "20 announced addresses" in unknown.reason


def test_203_nothing_is_unknown_where_all_announce_their_internal_ip() -> None:
    assert unknowns(healthy(), "FLN203") == []


# FLN204 public-ip-shared


def test_204_two_nodes_with_one_address() -> None:
    taken = healthy([announced(W1, public_ip="10.0.2.15"), announced(W2, public_ip="10.0.2.15"), W3])
    [found] = findings(taken, "FLN204")
    assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w001", "w002"))


def test_204_is_milder_where_only_one_of_them_lives() -> None:
    nodes = [announced(W1, public_ip="10.0.2.15"), announced(W2, public_ip="10.0.2.15")]
    [found] = findings(dead(nodes[0], among=nodes), "FLN204")
    assert found.severity == Severity.WARNING
    assert "only w002 is alive" in found.summary


def test_204_an_address_given_to_a_new_machine_is_no_fault() -> None:
    old, new = W1, announced(node("w9", "10.244.9.0/24", ip="10.20.0.1"))
    assert [f.severity for f in findings(dead(old, among=[old, new]), "FLN204")] == [Severity.INFO]


def test_204_wireguard_behind_one_address_with_two_ports() -> None:
    a, b = (announced(n, "wireguard", public_ip="203.0.113.7") for n in (W1, W2))
    conf = [net_conf(backend={"Type": "wireguard"})]
    assert nodes_of(findings(healthy([a, b], config_maps=conf), "FLN204")) == [("w001", "w002")]
    other_port = announced(W2, "wireguard", public_ip="203.0.113.7", backend_data='{"PublicKey":"k2","Port":51999}')
    assert findings(healthy([a, other_port], config_maps=conf), "FLN204") == []


def test_204_absent_addresses_are_not_shared() -> None:
    """IPv6-only: all announce 0.0.0.0 for IPv4."""
    nodes = [announced(node(f"w{i}", f"fd00:{i}::/64", ip=f"fd01::{i}"), "host-gw", public_ipv6=f"fd01::{i}") for i in (1, 2)]
    conf = [net_conf(None, EnableIPv4=False, EnableIPv6=True, IPv6Network="fd00::/32", backend={"Type": "host-gw"})]
    assert findings(healthy(nodes, config_maps=conf), "FLN203", "FLN204", "FLN208") == []


# FLN205 vtep-mac-shared


def test_205_cloned_machines_share_a_mac() -> None:
    [found] = findings(healthy([W1, announced(W2, mac=mac_of("w001")), W3]), "FLN205")
    assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w001", "w002"))


def test_205_the_clone_gets_a_device_and_peers_are_told_again_where_the_mac_is() -> None:
    """Peers keep the entry of the MAC as the clone announced it: without the last line the other machine stays cut off."""
    [found] = findings(healthy([W1, announced(W2, mac=mac_of("w001")), W3]), "FLN205")
    assert found.remedy is not None
    clear, delete, *_, touched = found.remedy.commands
    assert clear == "kubectl annotate node w002 flannel.alpha.coreos.com/backend-data-"
    assert delete == "ip link delete flannel.1  # on w002"
    assert touched.startswith("kubectl annotate --overwrite node w001 ")


def test_205_a_renamed_machine_works_and_is_dangerous_to_clean_up() -> None:
    renamed = announced(node("w9", "10.244.9.0/24", ip="10.20.0.1"), mac=mac_of("w001"))
    [found] = findings(dead(W1, among=[W1, renamed]), "FLN205")
    assert found.severity == Severity.WARNING
    assert "renamed machine" in found.summary
    assert found.remedy is not None
    assert "FLN418" in found.remedy.caution


def test_205_the_same_pair_in_both_families_is_one_finding() -> None:
    a, b = (
        announced(n, mac="02:00:00:00:00:01", mac_v6="02:00:00:00:00:02", public_ipv6=f"fd01::{i}") for i, n in ((1, W1), (2, W2))
    )
    conf = [net_conf(EnableIPv6=True, IPv6Network="fd00::/56")]
    assert len(findings(healthy([a, b], config_maps=conf), "FLN205")) == 1


def test_205_host_gw_has_no_mac() -> None:
    assert findings(healthy(fleet(3, backend="host-gw"), config_maps=[net_conf(backend={"Type": "host-gw"})]), "FLN205") == []


# FLN206 vxlan-parameters-differ


def test_206_another_vni() -> None:
    [found] = findings(healthy([W1, announced(W2, vni=2), W3]), "FLN206")
    assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w002",))
    assert "VNI 2 where 2 other nodes use 1" in found.summary


def test_206_net_conf_says_which_vni_is_right() -> None:
    taken = healthy([announced(W1, vni=2), W2, W3], config_maps=[net_conf(backend={"Type": "vxlan", "VNI": 2})])
    assert nodes_of(findings(taken, "FLN206")) == [("w002", "w003")]


def test_206_another_port_where_ports_are_announced() -> None:
    data = '{{"VNI":1,"VtepMAC":"02:00:00:00:00:0{}","Port":{}}}'
    a, b, c = (announced(n, backend_data=data.format(i, port)) for i, n, port in ((1, W1, 0), (2, W2, 8472), (3, W3, 8473)))
    assert nodes_of(findings(healthy([a, b, c]), "FLN206")) == [("w003",)], "0 is the default, 8472"


@pytest.mark.parametrize("odd", [announced(W2, vni=None), announced(W2, "host-gw")], ids=["v0.12 writes no VNI", "host-gw"])
def test_206_what_is_not_announced_does_not_differ(odd: Node) -> None:
    assert findings(healthy([W1, odd, W3]), "FLN206") == []


def test_206_dead_members_do_not_count() -> None:
    odd = announced(W2, vni=2)
    assert findings(dead(odd, among=[W1, odd, W3]), "FLN206") == []


# FLN207 never-learnt


def by_hand(what: Node, *, annotated: float, podcidr: float, manager: str = "kube-controller-manager") -> Node:
    """A Node made two days ago with its annotations, whose podCIDR came later."""
    writers = (Writer("kubectl-create", "flannel", "Update", annotated), Writer(manager, "podCIDR", "Update", podcidr))
    return replace(what, created=NOW - 2 * DAY, writers=writers)


def test_207_annotations_older_than_the_podcidr_are_a_sign() -> None:
    made = by_hand(W2, annotated=NOW - 2 * DAY, podcidr=NOW - 2 * DAY + 30)
    taken = healthy([W1, made, W3])
    assert findings(taken, "FLN207") == [], "the API alone proves nothing"
    assert [u.nodes for u in unknowns(taken, "FLN207")] == [("w002",)]


def test_207_a_podcidr_set_by_hand_later_is_a_sign() -> None:
    made = by_hand(W2, annotated=NOW - DAY, podcidr=NOW - 3600, manager="kubectl-patch")
    assert [u.nodes for u in unknowns(healthy([W1, made]), "FLN207")] == [("w002",)]


@pytest.mark.parametrize(
    "what",
    [
        # the controller manager's entry moves on with every taint: a flannel that started in between is normal
        by_hand(W2, annotated=NOW - DAY, podcidr=NOW - 3600),
        by_hand(W2, annotated=NOW - 3600, podcidr=NOW - 2 * DAY),  # announced (again) after the podCIDR
        by_hand(W2, annotated=NOW - 2 * DAY, podcidr=NOW - 2 * DAY + 9, manager="kubectl-create"),  # one hand wrote both
        W2,
    ],
    ids=["upper bound", "announced again", "one hand", "no managedFields"],
)
def test_207_is_not_suspected(what: Node) -> None:
    assert unknowns(healthy([W1, what]), "FLN207") == []


def test_207_peers_that_started_later_have_read_the_whole_list() -> None:
    made = by_hand(W2, annotated=NOW - 2 * DAY, podcidr=NOW - 2 * DAY + 30)
    pods = [flannel_pod(n, running(since=NOW - 3600)) for n in (W1, made)]
    assert unknowns(healthy([W1, made], flannel_pods=pods), "FLN207") == []


# FLN208 announcement-unusable


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        (without(W2, "public-ip"), "its public-ip is missing"),
        (announced(W2, public_ip="eth1"), "its public-ip 'eth1' is no usable address"),
        (announced(W2, public_ip="0.0.0.0"), "'0.0.0.0' is no usable address"),
        (announced(W2, backend_data="{VtepMAC: 02:00:00:00:00:01}"), "cannot be decoded"),
        (announced(W2, backend_data="null"), "its backend-data is missing"),
        (announced(W2, backend_data='{"VNI":1}'), "has no VtepMAC"),
        (replace(W2, pod_cidrs=("banana",)), "'banana' is no prefix"),
        (replace(W2, pod_cidrs=()), "it has no podCIDR yet"),
    ],
)
def test_208_what_no_peer_can_take_in(odd: Node, says: str) -> None:
    [found] = findings(healthy([W1, odd, W3]), "FLN208")
    assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w002",))
    assert says in found.summary


def test_208_dual_stack_needs_both_families() -> None:
    conf = [net_conf(EnableIPv6=True, IPv6Network="fd00::/56")]
    both = announced(W1, public_ipv6="fd01::1")
    assert nodes_of(findings(healthy([both, W2], config_maps=conf), "FLN208")) == [("w002",)]


def test_208_one_that_is_no_member_is_not_judged() -> None:
    assert findings(healthy([W1, without(W2, "kube-subnet-manager", "public-ip")]), "FLN208") == []


# FLN209 overwrite-not-in-effect


@pytest.mark.parametrize(
    ("odd", "key"),
    [
        (announced(W2, public_ip_overwrite="203.0.113.2"), "public-ip-overwrite"),
        (announced(W2, node_public_ip="192.168.7.2"), "node-public-ip"),
    ],
)
def test_209_an_annotation_that_came_after_the_start(odd: Node, key: str) -> None:
    [found] = findings(healthy([W1, odd]), "FLN209")
    assert (found.severity, found.nodes) == (Severity.WARNING, ("w002",))
    assert key in found.summary
    assert found.remedy is not None
    assert found.remedy.commands == ("kubectl -n kube-flannel delete pod kube-flannel-ds-w002",)


def test_209_an_old_flannel_does_not_know_node_public_ip() -> None:
    odd = announced(W2, node_public_ip="192.168.7.2")
    pods = [flannel_pod(odd, image="docker.io/flannel/flannel:v0.25.1")]
    [found] = findings(healthy([odd], flannel_pods=pods), "FLN209")
    assert "does not know that annotation" in found.summary


@pytest.mark.parametrize(
    "right",
    [
        announced(W2, public_ip="203.0.113.2", public_ip_overwrite="203.0.113.2"),
        announced(W2, public_ip="203.0.113.2", public_ip_overwrite="203.0.113.2", node_public_ip="10.20.0.2"),
        announced(W2, public_ip="192.168.7.2", node_public_ip="192.168.7.2"),
        announced(W2, public_ipv6_overwrite="2001:db8::2"),  # IPv6 is not enabled
    ],
)
def test_209_what_is_in_effect(right: Node) -> None:
    assert findings(healthy([W1, right]), "FLN209") == []


# all of them


def test_unsettled_nodes_are_not_judged() -> None:
    young = replace(announced(W2, "host-gw", public_ip="127.0.0.1", mac=mac_of("w001")), created=NOW - 60)
    leaving = replace(announced(W3, vni=9, public_ip="banana"), deleting=NOW - 10)
    codes = [f"FLN20{i}" for i in range(1, 10)]
    taken = healthy([W1, young, leaving])
    assert findings(taken, *codes) == []
    assert unknowns(taken, *codes) == []


def test_without_leases_the_ready_condition_tells_who_lives() -> None:
    nodes = [announced(W1, public_ip="10.0.2.15"), announced(W2, public_ip="10.0.2.15")]
    topics = [t for t in Topic if t is not Topic.LEASES]
    assert [f.severity for f in findings(healthy(nodes, topics=topics), "FLN204")] == [Severity.CRITICAL]
    silent = [replace(nodes[0], ready="Unknown"), nodes[1]]
    assert [f.severity for f in findings(healthy(silent, topics=topics), "FLN204")] == [Severity.WARNING]


def test_a_wrong_address_explained_by_an_overwrite_stands_inside_that_finding() -> None:
    odd = announced(W2, public_ip="127.0.0.1", public_ip_overwrite="203.0.113.2")
    [found] = judged(healthy([W1, odd]), "FLN203", "FLN209").findings
    assert (found.code, [c.code for c in found.consequences]) == ("FLN209", ["FLN203"])


def test_nothing_to_judge_is_no_finding() -> None:
    codes = [f"FLN20{i}" for i in range(1, 10)]
    assert findings(snapshot(), *codes) == []
    assert findings(snapshot([node("w1", "10.0.0.0/24", created=OLD)]), *codes) == []
