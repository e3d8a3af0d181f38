"""FLN101 to FLN118: each fires on its fault and keeps quiet on what only looks like it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope.facts import Facts
from flannelscope.model import (
    Declared,
    Finding,
    Node,
    Pod,
    Reading,
    SecondRead,
    ServiceCidr,
    Severity,
    Snapshot,
    Taint,
    Topic,
    Writer,
)
from flannelscope.pod_addresses import confirm_targets
from flannelscope.present import finding_view
from tests.engine.builders import (
    DAY,
    NOW,
    announced,
    config_map,
    crashing,
    event,
    findings,
    flannel_pod,
    fleet,
    healthy,
    lease,
    manager_lease,
    manager_pod,
    net_conf,
    node,
    nodes_of,
    pod,
    running,
    snapshot,
    unknowns,
    waiting_pod,
)


def member(name: str, *pod_cidrs: str, ip: str, **changes: Any) -> Node:
    return announced(node(name, *pod_cidrs, ip=ip, **changes))


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, [f.summary for f in found]
    return found[0]


def codes(taken: Snapshot) -> list[str]:
    return [f.code for f in findings(taken) if f.code.startswith("FLN1")]


def test_a_healthy_cluster_has_none() -> None:
    assert findings(healthy(fleet(20))) == []


class TestFln101:
    def test_twins_in_flannel_are_critical_and_name_both(self) -> None:
        twins = [member("w1", "10.244.1.0/24", ip="10.20.0.1"), member("w2", "10.244.1.0/24", ip="10.20.0.2", created=NOW - DAY)]
        found = only(findings(healthy([*twins, *fleet(2, first=5)]), "FLN101"))
        assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w1", "w2"))
        assert "2 leases for one subnet" in found.summary and "w1 is the older" in found.summary
        assert found.remedy is not None and found.remedy.caution
        assert any("kubectl delete node w2" in command for command in found.remedy.commands)
        assert any(c.startswith("kubectl annotate --overwrite node w1") and "backend-data= {" in c for c in found.remedy.commands)
        proof = next(e for e in found.evidence if e.what == "podCIDR of w2")
        assert proof.command == "kubectl get node w2 -o jsonpath='{.spec.podCIDRs}'"
        assert proof.origin == "Node w2, spec.podCIDRs[0]"

    def test_host_bits_do_not_hide_a_twin(self) -> None:
        twins = [member("w1", "10.244.1.0/24", ip="10.20.0.1"), member("w2", "10.244.1.7/24", ip="10.20.0.2")]
        assert nodes_of(findings(snapshot(twins), "FLN101")) == [("w1", "w2")]

    def test_three_holders_are_one_finding(self) -> None:
        twins = [member(f"w{i}", "10.244.1.0/24", ip=f"10.20.0.{i}") for i in range(3)]
        assert nodes_of(findings(snapshot(twins), "FLN101")) == [("w0", "w1", "w2")]

    @pytest.mark.parametrize(("members", "said"), [(1, "one lease (w1)"), (0, "none of them is in flannel yet")])
    def test_with_fewer_than_two_in_flannel_it_is_a_warning(self, members: int, said: str) -> None:
        plain = [node("w1", "10.244.1.0/24", ip="10.20.0.1"), node("w2", "10.244.1.0/24", ip="10.20.0.2")]
        twins = [announced(n) if i < members else n for i, n in enumerate(plain)]
        found = only(findings(snapshot(twins), "FLN101"))
        assert found.severity == Severity.WARNING
        assert said in found.summary

    def test_ipv6_twins_count_only_where_flannel_serves_ipv6(self) -> None:
        pairs = [(f"10.244.{i}.0/24", "fd00:1::/64") for i in (1, 2)]
        twins = [announced(node(f"w{i}", *pair, ip=f"10.20.0.{i}"), public_ipv6=f"fd00:20::{i}") for i, pair in enumerate(pairs)]
        both = net_conf(EnableIPv6=True, IPv6Network="fd00::/16")
        assert nodes_of(findings(healthy(twins, config_maps=[both]), "FLN101")) == [("w0", "w1")]
        assert findings(healthy(twins), "FLN101") == []

    def test_a_twin_of_a_new_node_is_seen_at_once(self) -> None:
        twins = [member("w1", "10.244.1.0/24", ip="10.20.0.1"), node("w2", "10.244.1.0/24", ip="10.20.0.2", created=NOW - 5)]
        assert nodes_of(findings(snapshot(twins), "FLN101")) == [("w1", "w2")]


class TestFln102:
    def test_one_finding_for_the_container_and_all_inside(self) -> None:
        wide = member("w9", "10.244.0.0/16", ip="10.20.0.9")
        found = only(findings(snapshot([*fleet(3, first=0), wide], control_plane_pods=[manager_pod()]), "FLN102"))
        assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w9", "w000", "w001", "w002"))
        assert "w000 has the same base address" in found.summary

    def test_neighbours_and_twins_do_not_overlap(self) -> None:
        near = [node("a", "10.244.0.0/25", ip="10.20.0.1"), node("b", "10.244.0.128/25", ip="10.20.0.2")]
        assert findings(snapshot([*near, node("c", "10.244.0.128/25", ip="10.20.0.3")]), "FLN102") == []

    def test_a_container_outside_flannel_is_a_warning(self) -> None:
        wide = node("w9", "10.244.0.0/16", ip="10.20.0.9")
        assert only(findings(snapshot([*fleet(2), wide]), "FLN102")).severity == Severity.WARNING

    def test_it_takes_the_odd_mask_as_its_consequence(self) -> None:
        wide = member("w9", "10.244.0.0/20", ip="10.20.0.9")
        found = only(findings(snapshot([*fleet(2), wide], control_plane_pods=[manager_pod()]), "FLN102", "FLN104"))
        assert [c.code for c in found.consequences] == ["FLN104"]


class TestFln103:
    def test_it_names_exactly_those_outside_with_the_sentence_of_the_start(self) -> None:
        stray = member("w9", "10.9.0.0/24", ip="10.20.0.9")
        found = only(findings(snapshot([*fleet(3), stray], control_plane_pods=[manager_pod()]), "FLN103"))
        assert (found.severity, found.nodes, found.reach) == (Severity.CRITICAL, ("w9",), ())
        assert "will not start again" in found.summary
        assert any("failed to mark cidr[10.9.0.0/24] at idx [0] as occupied for node: w9" in e.value for e in found.evidence)

    def test_a_swapped_order_of_families_is_outside(self) -> None:
        dual = manager_pod("--cluster-cidr=10.244.0.0/16,fd00::/56")
        nodes = [node("w1", "10.244.1.0/24", "fd00:0:0:1::/64"), node("w2", "fd00:0:0:2::/64", "10.244.2.0/24")]
        assert nodes_of(findings(snapshot(nodes, control_plane_pods=[dual]), "FLN103")) == [("w2",)]

    def test_a_second_podcidr_without_a_second_cluster_cidr_is_outside(self) -> None:
        nodes = [node("w1", "10.244.1.0/24", "fd00::/64")]
        assert nodes_of(findings(snapshot(nodes, control_plane_pods=[manager_pod()]), "FLN103")) == [("w1",)]

    def test_what_is_no_cidr_ends_the_start_too(self) -> None:
        assert nodes_of(findings(snapshot([node("w1", "banana")], control_plane_pods=[manager_pod()]), "FLN103")) == [("w1",)]

    def test_one_that_contains_the_cluster_cidr_is_not_outside(self) -> None:
        assert findings(snapshot([node("w1", "10.0.0.0/8")], control_plane_pods=[manager_pod()]), "FLN103") == []

    def test_a_dead_manager_and_its_waiting_nodes_are_consequences(self) -> None:
        stray = member("w9", "10.9.0.0/24", ip="10.20.0.9")
        down = manager_pod(status=crashing("kube-controller-manager"))
        taken = healthy([*fleet(2), stray, node("w7")], control_plane_pods=[down])
        found = findings(taken, "FLN103", "FLN105", "FLN106", "FLN110", "FLN116")
        assert [f.code for f in found] == ["FLN103"]
        assert [c.code for c in found[0].consequences] == ["FLN105", "FLN110", "FLN116"]

    def test_without_the_managers_arguments_it_is_unknown(self) -> None:
        taken = snapshot([*fleet(2), node("w9", "10.9.0.0/24")], config_maps=[net_conf()])
        assert findings(taken, "FLN103", "FLN104", "FLN107") == []
        assert [u.code for u in unknowns(taken, "FLN103", "FLN104", "FLN107")] == ["FLN103", "FLN104", "FLN107"]

    def test_where_a_cloud_or_nobody_hands_out_podcidrs_nothing_is_asked(self) -> None:
        off = manager_pod("--allocate-node-cidrs=false")
        taken = snapshot([*fleet(2), node("w9", "10.9.0.0/26")], control_plane_pods=[off])
        assert findings(taken, "FLN103", "FLN104", "FLN106", "FLN107") == []
        assert unknowns(taken, "FLN103", "FLN104", "FLN106", "FLN107") == []


class TestFln104:
    def test_several_nodes_in_one_block_are_a_warning(self) -> None:
        small = [node(f"s{i}", f"10.244.100.{64 * i}/26") for i in range(2)]
        found = only(findings(snapshot([*fleet(3), *small], control_plane_pods=[manager_pod()]), "FLN104"))
        assert (found.severity, found.nodes) == (Severity.WARNING, ("s0", "s1"))
        assert "share one block" in found.summary

    def test_a_sixteenth_of_the_pool_is_a_warning_and_less_is_not(self) -> None:
        taken = snapshot([node("a", "10.244.16.0/20"), node("b", "10.244.32.0/21")], control_plane_pods=[manager_pod()])
        found = findings(taken, "FLN104")
        assert [(f.severity, f.nodes) for f in found] == [(Severity.WARNING, ("a",)), (Severity.INFO, ("b",))]

    def test_a_single_small_one_is_worth_knowing(self) -> None:
        taken = snapshot([*fleet(2), node("s", "10.244.100.0/26")], control_plane_pods=[manager_pod()])
        assert only(findings(taken, "FLN104")).severity == Severity.INFO

    def test_the_old_nodes_after_the_mask_became_16(self) -> None:
        """After 10.244.0.0/16·24 became 10.244.0.0/12·16 all old Nodes share the block 10.244.0.0/16."""
        pods = [manager_pod("--cluster-cidr=10.244.0.0/12", "--node-cidr-mask-size=16")]
        found = only(findings(snapshot([*fleet(9), node("wide", "10.240.0.0/16")], control_plane_pods=pods), "FLN104"))
        assert len(found.nodes) == 9


class TestFln105:
    def waiting(self, *more: Node, **changes: Any) -> Snapshot:
        nodes = [*fleet(2), *more]
        return healthy(nodes, **changes)

    def test_a_node_that_waits_is_critical(self) -> None:
        found = only(findings(self.waiting(node("w9")), "FLN105"))
        assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w9",))
        assert "has not given one" in found.summary

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"control_plane_pods": [manager_pod("--cluster-cidr=10.244.0.0/22")]}, "has not given one"),
            ({"control_plane_pods": [manager_pod("--cluster-cidr=10.244.1.0/24,")]}, "the pool has no free block"),
            ({"control_plane_pods": [manager_pod("--allocate-node-cidrs=false")]}, "hands out no podCIDRs"),
            ({"control_plane_pods": [manager_pod(status=crashing("kube-controller-manager"))]}, "manager is down"),
            ({"control_plane_pods": []}, "cannot be seen"),
        ],
    )
    def test_it_says_why(self, changes: dict[str, Any], said: str) -> None:
        assert said in only(findings(self.waiting(node("w9"), **changes), "FLN105")).summary

    def test_a_cloud_controller_that_has_not_come(self) -> None:
        taint = Taint("node.cloudprovider.kubernetes.io/uninitialized", "true", "NoSchedule")
        found = only(findings(self.waiting(node("w9", taints=(taint,)), control_plane_pods=[]), "FLN105"))
        assert "cloud controller" in found.summary

    def test_podcidrs_by_hand(self) -> None:
        by_hand = [replace(n, writers=(Writer("kubectl-patch", "podCIDR", "Update", NOW - DAY),)) for n in fleet(2)]
        found = only(findings(healthy([*by_hand, node("w9")], control_plane_pods=[]), "FLN105"))
        assert "by hand" in found.summary
        assert found.remedy is not None and "kubectl patch node w9" in found.remedy.commands[0]

    def test_where_no_flannel_runs_it_is_worth_knowing(self) -> None:
        taken = snapshot([*fleet(2), node("w9")], control_plane_pods=[manager_pod()])
        assert only(findings(taken, "FLN105")).severity == Severity.INFO

    @pytest.mark.parametrize("change", [{"created": NOW - 60}, {"deleting": NOW - 5}])
    def test_a_new_node_and_one_that_goes_are_left_alone(self, change: dict[str, Any]) -> None:
        assert findings(self.waiting(node("w9", **change)), "FLN105") == []

    def test_a_cluster_without_any_podcidr_is_none_of_its_business(self) -> None:
        taken = snapshot([announced(node(f"w{i}", ip=f"10.20.0.{i}")) for i in range(3)])
        assert codes(taken) == []
        assert unknowns(taken, "FLN103", "FLN104", "FLN106", "FLN107", "FLN116") == []


class TestFln106:
    FULL = ("--cluster-cidr=10.244.0.0/22",)  # four blocks

    def test_no_block_is_free_and_a_node_waits(self) -> None:
        taken = healthy([*fleet(4, first=0), node("w9")], control_plane_pods=[manager_pod(*self.FULL)])
        found = only(findings(taken, "FLN105", "FLN106", "FLN107"))
        assert (found.code, found.nodes) == ("FLN106", ("w9",))
        assert "all 4 blocks are used" in found.summary
        assert [c.code for c in found.consequences] == ["FLN105", "FLN107"]

    def test_a_full_pool_for_which_nobody_waits_is_fine(self) -> None:
        taken = healthy(fleet(4, first=0), control_plane_pods=[manager_pod(*self.FULL)])
        assert findings(taken, "FLN106") == []
        assert [f.severity for f in findings(taken)] == [Severity.INFO]

    def test_service_blocks_count_as_used(self) -> None:
        flags = ("--cluster-cidr=10.244.0.0/22", "--service-cluster-ip-range=10.244.2.0/23")
        taken = healthy([*fleet(2, first=0), node("w9")], control_plane_pods=[manager_pod(*flags)])
        assert nodes_of(findings(taken, "FLN106")) == [("w9",)]

    def test_the_smaller_family_holds(self) -> None:
        flags = ("--cluster-cidr=10.244.0.0/16,fd00::/63",)
        nodes = [node(f"w{i}", f"10.244.{i}.0/24", f"fd00:0:0:{i}::/64") for i in range(2)]
        assert nodes_of(findings(snapshot([*nodes, node("w9")], control_plane_pods=[manager_pod(*flags)]), "FLN106")) == [("w9",)]

    def test_the_allocators_word_against_arithmetic(self) -> None:
        late = node("w9")
        said = event("CIDRNotAvailable", late, "Node w9 status is now: CIDRNotAvailable", type="Normal", ago=9000)
        found = only(findings(healthy([*fleet(2), late], events=[said]), "FLN106"))
        assert "a restart of the controller manager heals" in found.summary

    def test_the_event_alone_is_enough_where_the_manager_is_not_seen(self) -> None:
        late = node("w9")
        taken = healthy([*fleet(2), late], control_plane_pods=[], events=[event("CIDRNotAvailable", late)])
        assert nodes_of(findings(taken, "FLN106")) == [("w9",)]

    def test_an_old_event_since_solved_or_of_a_former_node_is_history(self) -> None:
        solved = fleet(1)[0]
        former = event("CIDRNotAvailable", node("w9", uid="another"))
        taken = healthy([*fleet(2), node("w9", created=NOW - 30)], events=[event("CIDRNotAvailable", solved), former])
        assert findings(taken, "FLN106") == []


class TestFln107:
    def pool(self, number: int, joined: int) -> Snapshot:
        nodes = [replace(n, created=NOW - DAY) if i < joined else n for i, n in enumerate(fleet(number, first=0))]
        return healthy(nodes, control_plane_pods=[manager_pod("--cluster-cidr=10.244.0.0/19")])

    @pytest.mark.parametrize(
        ("nodes", "joined", "severity"),
        [(28, 0, None), (29, 0, Severity.INFO), (30, 1, Severity.INFO), (30, 2, Severity.WARNING), (32, 0, Severity.INFO)],
    )
    def test_few_blocks_are_left(self, nodes: int, joined: int, severity: Severity | None) -> None:
        found = findings(self.pool(nodes, joined), "FLN107")
        assert [f.severity for f in found] == ([] if severity is None else [severity])

    def test_a_full_and_fixed_pool_is_only_said_with_what_a_node_that_joins_would_meet(self) -> None:
        found = only(findings(self.pool(32, 0), "FLN107"))
        assert found.summary == "No podCIDR is left of 32; 0 Nodes joined in the last 30 days: one that joins will get none."
        asked = "flannelscope cidr what-if --cluster-cidr 10.244.0.0/18 --node-cidr-mask-size 24"
        assert found.remedy is not None and found.remedy.commands[1] == asked


class TestFln108:
    def test_a_podcidr_inside_a_service_range(self) -> None:
        extra = [ServiceCidr("kubernetes", ("10.96.0.0/12",)), ServiceCidr("more", ("10.244.2.0/23",))]
        found = only(findings(healthy(fleet(4), service_cidrs=extra), "FLN108"))
        assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w002", "w003"))

    @pytest.mark.parametrize(("flag", "severity"), [("10.244.128.0/17", Severity.INFO), ("10.96.0.0/12", Severity.WARNING)])
    def test_the_cluster_cidr_alone(self, flag: str, severity: Severity) -> None:
        pods = [manager_pod(f"--service-cluster-ip-range={flag}")]
        extra = [ServiceCidr("kubernetes", ("10.244.128.0/17",))]
        assert only(findings(healthy(fleet(2), control_plane_pods=pods, service_cidrs=extra), "FLN108")).severity == severity

    def test_without_a_known_range_it_is_unknown(self) -> None:
        taken = snapshot(fleet(2))
        assert findings(taken, "FLN108") == []
        assert [u.code for u in unknowns(taken, "FLN108")] == ["FLN108"]


class TestFln109:
    def test_a_podcidr_that_holds_a_machine(self) -> None:
        taken = healthy([*fleet(3), member("w9", "10.20.0.0/24", ip="192.168.0.9")])
        found = only(findings(taken, "FLN109"))
        assert (found.severity, set(found.nodes)) == (Severity.CRITICAL, {"w9", "w001", "w002", "w003"})

    def test_only_the_range_is_a_warning_unless_the_backend_routes_it_all(self) -> None:
        nodes = [announced(node("w1", "10.244.1.0/24", ip="10.244.99.1")), *fleet(2, first=2)]
        assert only(findings(healthy(nodes), "FLN109")).severity == Severity.WARNING
        wireguard = net_conf(backend={"Type": "wireguard"})
        assert only(findings(healthy(nodes, config_maps=[wireguard]), "FLN109")).severity == Severity.CRITICAL

    def test_what_only_the_machines_know_stays_unknown_once(self) -> None:
        assert [(u.code, u.nodes) for u in unknowns(healthy(fleet(9)), "FLN109")] == [("FLN109", ())]


class TestFln110:
    def test_a_member_outside_network(self) -> None:
        found = only(findings(healthy([*fleet(3), member("w9", "10.245.1.0/24", ip="10.20.0.9")]), "FLN110"))
        assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w9",))
        assert "by the ConfigMap" in found.summary

    def test_the_cluster_cidr_alone_is_a_warning(self) -> None:
        taken = healthy(fleet(3), control_plane_pods=[manager_pod("--cluster-cidr=10.244.0.0/12")])
        assert only(findings(taken, "FLN110")).severity == Severity.WARNING

    def test_nodes_outside_that_flannel_never_announced_are_named_and_carry_it(self) -> None:
        """flannel is to run on w8, and ends there before it is a member; nothing lives on the bare w9 yet."""
        bare = node("w9", "10.246.0.0/16", ip="10.20.0.9", ready="")
        started = node("w8", "10.245.0.0/16", ip="10.20.0.8")
        manager = manager_pod("--cluster-cidr=10.244.0.0/12")
        found = only(findings(healthy([*fleet(3), bare], control_plane_pods=[manager]), "FLN110"))
        assert (found.severity, found.nodes) == (Severity.WARNING, ("w9",))
        assert found.summary.startswith("w9 already holds a podCIDR outside flannel's Network 10.244.0.0/16: flannel ends there")
        assert "any further Node that is given a podCIDR outside it will have no flannel" in found.summary
        found = only(findings(healthy([*fleet(3), started, bare], control_plane_pods=[manager]), "FLN110"))
        assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w8", "w9"))
        assert "w8 w9 already hold podCIDRs outside" in found.summary
        assert [item.what for item in found.evidence][-2:] == ["podCIDR of w8", "podCIDR of w9"]

    def test_a_larger_network_or_one_with_host_bits_is_fine(self) -> None:
        assert findings(healthy(fleet(3), config_maps=[net_conf("10.244.0.0/12")]), "FLN110") == []

    def test_families_that_flannel_does_not_serve_are_left_alone(self) -> None:
        dual = manager_pod("--cluster-cidr=10.244.0.0/16,fd00::/56")
        nodes = [announced(node(f"w{i}", f"10.244.{i}.0/24", f"fd00:0:0:{i}::/64", ip=f"10.20.0.{i}")) for i in range(3)]
        assert codes(healthy(nodes, control_plane_pods=[dual])) == []


class TestFln111:
    def stray(self, source: str = "simulated", **changes: Any) -> Snapshot:
        nodes = fleet(4)
        pods = [pod(f"web-{i}", n, f"10.244.{i + 1}.{k}") for i, n in enumerate(nodes) for k in range(2, 9)]
        return healthy(nodes, pods=[*pods, pod("old-1", nodes[0], "10.244.77.4")], source=source, **changes)

    def test_a_pod_with_an_address_of_the_former_podcidr(self) -> None:
        found = only(findings(self.stray(), "FLN111"))
        assert found.nodes == ("w001",)
        assert found.remedy is not None and found.remedy.commands == ("kubectl -n default delete pod old-1",)

    @pytest.mark.parametrize(
        "change", [{"phase": "Succeeded"}, {"deleting": True}, {"host_network": True}, {"ips": ("fd00::9",)}, {"ips": ()}]
    )
    def test_pods_that_are_not_judged(self, change: dict[str, Any]) -> None:
        nodes = fleet(2)
        stray = replace(pod("old-1", nodes[0], "10.244.77.4"), **change)
        assert findings(healthy(nodes, pods=[stray]), "FLN111") == []

    def test_addresses_of_another_ipam_are_one_info(self) -> None:
        nodes = fleet(4)
        pods = [pod(f"web-{i}-{k}", n, f"172.16.{i}.{k}") for i, n in enumerate(nodes) for k in range(5)]
        found = only(findings(healthy(nodes, pods=pods), "FLN111"))
        assert (found.severity, found.nodes) == (Severity.INFO, ())

    def test_pods_that_were_left_out_are_not_called_fine(self) -> None:
        whole = self.stray()
        part = Reading(at=NOW, source="simulated", asked=4, answered=4, scope="suspect")
        some = replace(whole, readings={**whole.readings, Topic.PODS: part})
        assert len(findings(some, "FLN111")) == 1
        assert {u.code for u in unknowns(some, "FLN111", "FLN112", "FLN115")} == {"FLN111", "FLN112", "FLN115"}
        assert "--pods suspect" in unknowns(some, "FLN111")[0].reason

    def test_live_it_counts_only_when_a_second_read_confirms_it(self) -> None:
        once = self.stray("api")
        assert findings(once, "FLN111") == []
        assert [(u.code, u.nodes) for u in unknowns(once, "FLN111")] == [("FLN111", ("w001",))]
        assert confirm_targets(Facts(once)) == {"w001"}

        again = confirmed(once, "w001")
        assert nodes_of(findings(again, "FLN111")) == [("w001",)]
        assert confirm_targets(Facts(again)) == frozenset()

    @pytest.mark.parametrize(("apart", "counts"), [(1.99, True), (0.5, False)])
    def test_two_seconds_may_look_shorter_by_a_clock_of_whole_seconds(self, apart: float, counts: bool) -> None:
        once = self.stray("api")
        (w001,) = (node for node in once.nodes if node.name == "w001")
        seen = tuple(p for p in once.pods if p.node == "w001")
        again = replace(once, second_reads={"w001": SecondRead(NOW + apart, w001, seen)})
        assert bool(findings(again, "FLN111")) is counts

    def test_a_pod_that_was_gone_at_the_second_read_is_no_finding(self) -> None:
        once = self.stray("api")
        gone = confirmed(once, "w001", pods=())
        assert findings(gone, "FLN111") == []
        assert unknowns(gone, "FLN111") == []

    def test_a_node_that_changed_meanwhile_stays_unknown(self) -> None:
        once = self.stray("api")
        moved = confirmed(once, "w001", pod_cidrs=("10.244.77.0/24",))
        assert findings(moved, "FLN111") == []
        assert [u.nodes for u in unknowns(moved, "FLN111")] == [("w001",)]
        written = confirmed(once, "w001", writers=(Writer("flanneld", "flannel", "Update", NOW - 3),))
        assert [u.nodes for u in unknowns(written, "FLN111")] == [("w001",)]


def confirmed(once: Snapshot, name: str, pods: tuple[Pod, ...] | None = None, **changes: Any) -> Snapshot:
    """The Snapshot after the Node was read a second time, five seconds later."""
    of = next(n for n in once.nodes if n.name == name)
    seen = tuple(p for p in once.pods if p.node == name) if pods is None else pods
    return replace(once, second_reads={**once.second_reads, name: SecondRead(NOW + 5, replace(of, **changes), seen)})


class TestFln112:
    def test_two_pods_with_one_address(self) -> None:
        nodes = fleet(2)
        pods = [pod("a-1", nodes[0], "10.244.1.7"), pod("b-1", nodes[1], "10.244.1.7")]
        found = only(findings(healthy(nodes, pods=pods), "FLN112"))
        assert found.nodes == ("w001", "w002")
        assert "default/a-1 and default/b-1" in found.summary

    def test_twins_have_one_finding_for_all_their_addresses(self) -> None:
        twins = [member("w1", "10.244.1.0/24", ip="10.20.0.1"), member("w2", "10.244.1.0/24", ip="10.20.0.2")]
        pods = [pod(f"p-{n.name}-{k}", n, f"10.244.1.{k}") for n in twins for k in range(2, 20)]
        found = only(findings(healthy(twins, pods=pods), "FLN101", "FLN112"))
        assert [(c.code, c.summary[:12]) for c in found.consequences] == [("FLN112", "18 addresses")]

    def test_every_pod_concerned_is_a_subject_and_proofs_that_are_left_out_are_counted(self) -> None:
        twins = [member("w1", "10.244.1.0/24", ip="10.20.0.1"), member("w2", "10.244.1.0/24", ip="10.20.0.2")]
        pods = [pod(f"p-{n.name}-{k}", n, f"10.244.1.{k}") for n in twins for k in range(2, 20)]
        found = only(findings(healthy(twins, pods=pods), "FLN112"))
        assert {s.name for s in found.subjects if s.kind == "Pod"} == {made.name for made in pods}
        (rest,) = (e for e in found.evidence if e.what == "further addresses")
        assert rest.value == "6 more like these" and "-o json" in rest.command
        view = finding_view(only(findings(healthy(twins, pods=pods), "FLN101", "FLN112")))
        assert "and 30 more (-o json names all)" in view.consequences[0][1]

    @pytest.mark.parametrize("change", [{"phase": "Failed"}, {"deleting": True}, {"host_network": True}])
    def test_an_address_that_was_used_before(self, change: dict[str, Any]) -> None:
        nodes = fleet(2)
        pods = [pod("a-1", nodes[0], "10.244.1.7"), replace(pod("b-1", nodes[0], "10.244.1.7"), **change)]
        assert findings(healthy(nodes, pods=pods), "FLN112") == []

    def test_pods_of_a_dead_node_only_seem_to_run(self) -> None:
        nodes = [fleet(1)[0], replace(fleet(2)[1], ready="Unknown")]
        pods = [pod("a-1", nodes[0], "10.244.1.7"), pod("b-1", nodes[1], "10.244.1.7")]
        assert findings(healthy(nodes, pods=pods), "FLN112") == []
        silent = healthy(nodes, pods=pods, leases=[lease("w001"), lease("w002", ago=DAY)])
        assert findings(silent, "FLN112") == []

    def test_where_a_node_is_doubtful_both_the_finding_and_the_doubt_are_said(self) -> None:
        """A kubelet whose clock is behind has a Lease that looks old, and its pods run all the same."""
        nodes = fleet(2)
        pods = [pod("a-1", nodes[0], "10.244.1.7"), pod("b-1", nodes[1], "10.244.1.7")]
        behind = healthy(nodes, pods=pods, leases=[lease("w001"), lease("w002", ago=90)])
        assert only(findings(behind, "FLN112")).severity == Severity.CRITICAL
        assert [u.nodes for u in unknowns(behind, "FLN112")] == [("w002",)]
        third = pod("c-1", nodes[0], "10.244.1.7")
        assert unknowns(replace(behind, pods=(*pods, third)), "FLN112") == []

    def test_live_both_nodes_must_be_confirmed(self) -> None:
        nodes = fleet(2)
        pods = [pod("a-1", nodes[0], "10.244.1.7"), pod("b-1", nodes[1], "10.244.1.7")]
        once = healthy(nodes, pods=pods, source="api")
        assert [u.nodes for u in unknowns(confirmed(once, "w001"), "FLN112")] == [("w002",)]
        assert nodes_of(findings(confirmed(confirmed(once, "w001"), "w002"), "FLN112")) == [("w001", "w002")]


class TestFln113:
    def test_it_says_what_the_range_really_is(self) -> None:
        taken = healthy(
            fleet(2), control_plane_pods=[manager_pod("--cluster-cidr=10.244.0.0/12")], config_maps=[net_conf("10.244.0.0/12")]
        )
        found = only(findings(taken, "FLN113"))
        assert found.severity == Severity.INFO
        assert "10.244.0.0/12 and really is 10.240.0.0/12 (10.240.0.0 to 10.255.255.255)" in found.summary

    def test_a_masked_one_is_not_mentioned(self) -> None:
        assert findings(healthy(), "FLN113") == []


class TestFln114:
    MESSAGE = "plugin type=\"flannel\" failed (add): failed to load flannel 'subnet.env' file: open /run/flannel/subnet.env"

    def waiting(self, reason: str = "FailedCreatePodSandBox", ago: float = 60, others: tuple[Pod, ...] = ()) -> Snapshot:
        nodes = fleet(2)
        late = waiting_pod("web-1", nodes[0])
        return healthy(nodes, pods=[late, *others], events=[event(reason, late, self.MESSAGE, ago=ago)])

    def test_no_pod_of_the_node_has_an_address(self) -> None:
        found = only(findings(self.waiting(), "FLN114"))
        assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w001",))
        assert "flannel has not written its subnet file" in found.summary

    def test_others_have_one(self) -> None:
        later = pod("later-1", "w001", "10.244.1.9", scheduled=NOW - 300)
        found = findings(self.waiting(others=(later,)), "FLN114")
        assert only(found).severity == Severity.WARNING

    @pytest.mark.parametrize(("reason", "ago"), [("FailedMount", 60), ("FailedCreatePodSandBox", 900)])
    def test_other_reasons_and_old_events(self, reason: str, ago: float) -> None:
        assert findings(self.waiting(reason, ago), "FLN114") == []

    def test_a_pod_that_waits_for_a_missing_secret_has_no_such_event(self) -> None:
        nodes = fleet(1)
        assert findings(healthy(nodes, pods=[waiting_pod("web-1", nodes[0])]), "FLN114") == []

    def test_a_dead_node_and_a_fresh_pod_are_left_alone(self) -> None:
        nodes = [replace(fleet(1)[0], ready="Unknown"), fleet(2)[1]]
        late, fresh = waiting_pod("web-1", nodes[0]), waiting_pod("web-2", nodes[1], since=NOW - 60)
        events = [event("FailedCreatePodSandBox", p, self.MESSAGE) for p in (late, fresh)]
        assert findings(healthy(nodes, pods=[late, fresh], events=events), "FLN114") == []


class TestFln115:
    def test_more_than_nine_tenths(self) -> None:
        small = member("w9", "10.244.9.0/26", ip="10.20.0.9", pod_capacity=61)
        for number, expected in ((54, []), (55, [Severity.WARNING])):
            pods = [pod(f"p-{k}", small, f"10.244.9.{k}") for k in range(2, 2 + number)]
            assert [f.severity for f in findings(healthy([small, *fleet(2)], pods=pods), "FLN115")] == expected

    def test_a_capacity_above_the_addresses_is_worth_knowing(self) -> None:
        small = [member(f"w{i}", f"10.244.9.{64 * i}/26", ip=f"10.20.0.{i + 1}") for i in range(3)]
        found = only(findings(healthy(small), "FLN115"))
        assert (found.severity, len(found.nodes)) == (Severity.INFO, 3)

    def test_the_usual_110_in_a_24_are_fine(self) -> None:
        nodes = fleet(1)
        pods = [pod(f"p-{k}", nodes[0], f"10.244.1.{k}") for k in range(2, 112)]
        assert findings(healthy(nodes, pods=pods), "FLN115") == []


class TestFln116:
    def test_all_managers_crash(self) -> None:
        taken = healthy([*fleet(2), node("w9")], control_plane_pods=[manager_pod(status=crashing("kube-controller-manager"))])
        found = only(findings(taken, "FLN105", "FLN106", "FLN116"))
        assert found.code == "FLN116"
        assert [c.code for c in found.consequences] == ["FLN105"]
        assert found.remedy is not None and "--previous" in found.remedy.commands[0]

    def test_a_stale_lease_while_a_node_waits(self) -> None:
        nodes = [*fleet(2), node("w9")]
        beats = [*(lease(n) for n in nodes), manager_lease(ago=400)]
        found = findings(healthy(nodes, control_plane_pods=[], leases=beats), "FLN116")
        assert "400 s ago" in only(found).summary

    def test_one_restart_is_none(self) -> None:
        once = running("kube-controller-manager", restarts=1, last_started=NOW - 900, last_finished=NOW - 100, since=NOW - 90)
        assert findings(healthy(control_plane_pods=[manager_pod(status=once)]), "FLN116") == []

    def test_an_invisible_one_is_unknown(self) -> None:
        taken = healthy(control_plane_pods=[])
        assert (findings(taken, "FLN116"), [u.code for u in unknowns(taken, "FLN116")]) == ([], ["FLN116"])


class TestFln117:
    def test_a_node_without_the_second_family(self) -> None:
        both = net_conf(EnableIPv6=True, IPv6Network="fd00::/16")
        full = [announced(node(f"w{i}", f"10.244.{i}.0/24", f"fd00:0:0:{i}::/64", ip=f"10.20.0.{i}")) for i in range(2)]
        lone = member("w9", "10.244.9.0/24", ip="10.20.0.9")
        dual = manager_pod("--cluster-cidr=10.244.0.0/16,fd00::/56")
        found = only(findings(healthy([*full, lone, node("w8")], config_maps=[both], control_plane_pods=[dual]), "FLN117"))
        assert (found.nodes, found.severity) == (("w9",), Severity.CRITICAL)

    def test_dual_stack_kubernetes_with_ipv4_only_flannel_is_healthy(self) -> None:
        nodes = [announced(node(f"w{i}", f"10.244.{i}.0/24", f"fd00:0:0:{i}::/64", ip=f"10.20.0.{i}")) for i in range(2)]
        assert findings(healthy(nodes), "FLN117") == []


class TestFln118:
    def proxy(self, text: str) -> Snapshot:
        return healthy(config_maps=[net_conf(), config_map("kube-proxy", {"config.conf": text})])

    def test_a_podcidr_outside(self) -> None:
        found = only(findings(self.proxy('clusterCIDR: "10.99.0.0/16"\ndetectLocalMode: ""\n'), "FLN118"))
        assert (found.severity, len(found.nodes)) == (Severity.WARNING, 3)

    @pytest.mark.parametrize(
        "text",
        [
            "clusterCIDR: 10.244.0.0/16",
            "clusterCIDR: 10.99.0.0/16\ndetectLocalMode: NodeCIDR",
            "clusterCIDR: ''",
            "clusterCIDR: fd00::/56",
        ],
    )
    def test_other_settings(self, text: str) -> None:
        assert findings(self.proxy(text), "FLN118") == []


def test_the_sequence_of_changed_flags_gives_exactly_its_findings() -> None:
    """/16·24, then /12·16, then /12·24: twins, an overlap, a stray, made by hand; nothing else is named."""
    nodes = [
        *fleet(5),
        announced(node("wide", "10.241.0.0/16", ip="10.20.1.1")),
        announced(node("over", "10.241.7.0/24", ip="10.20.1.2")),
        announced(node("twin", "10.244.3.0/24", ip="10.20.1.3")),
        announced(node("stray", "10.9.0.0/24", ip="10.20.1.4")),
    ]
    pods = [manager_pod("--cluster-cidr=10.244.0.0/12", "--node-cidr-mask-size=24")]
    taken = healthy(
        nodes, control_plane_pods=pods, config_maps=[net_conf("10.240.0.0/12")], flannel_pods=[flannel_pod(n) for n in nodes]
    )
    found = {f.code: f.nodes for f in findings(taken) if f.code.startswith("FLN1")}
    assert found == {"FLN101": ("twin", "w003"), "FLN102": ("wide", "over"), "FLN103": ("stray",), "FLN113": ()}


def test_bare_topics_give_unknown_and_never_fine() -> None:
    taken = snapshot(fleet(2), topics=[Topic.NODES], control_plane_pods=[], declared=Declared())
    said = {u.code for u in unknowns(taken, *(f"FLN{n}" for n in range(101, 119)))}
    assert {"FLN108", "FLN110", "FLN111", "FLN112", "FLN114", "FLN115", "FLN116", "FLN117", "FLN118"} <= said


def test_hostile_names_stay_quoted_in_commands() -> None:
    evil = "w1; rm -rf /"
    twins = [member(evil, "10.244.1.0/24", ip="10.20.0.1"), member("w2", "10.244.1.0/24", ip="10.20.0.2")]
    found = only(findings(snapshot(twins), "FLN101"))
    assert found.remedy is not None
    commands = [*(e.command for e in found.evidence), *found.remedy.commands]
    assert all(f"'{evil}'" in c or evil not in c for c in commands)
    assert json.dumps(commands)
