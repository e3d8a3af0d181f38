"""The effective address configuration: every source, who wins, what contradicts, whether the allocator is on, off or down."""

from __future__ import annotations

import json

import pytest

from flannelscope.cidr import show
from flannelscope.effective import AddressConfiguration, Allocator, Sureness, effective
from flannelscope.facts import Facts
from flannelscope.model import Container, Declared, Pod, PodDetail, ServiceCidr, Snapshot, Topic
from tests.engine.builders import (
    NOW,
    config_map,
    crashing,
    fleet,
    manager_lease,
    manager_pod,
    mirror_pod,
    net_conf,
    node,
    running,
    snapshot,
)

KUBEADM_V1BETA3 = """
apiVersion: kubeadm.k8s.io/v1beta3
kind: ClusterConfiguration
networking: {dnsDomain: cluster.local, podSubnet: "10.244.0.0/16", serviceSubnet: 10.96.0.0/12}
controllerManager:
  extraArgs: {node-cidr-mask-size: "25", bind-address: 0.0.0.0}
"""
KUBEADM_V1BETA4 = """
kind: ClusterConfiguration
networking:
  podSubnet: 10.244.0.0/16,fd00:10:244::/56
controllerManager:
  extraArgs:
  - name: node-cidr-mask-size-ipv4
    value: "25"
  - {name: node-cidr-mask-size-ipv6, value: "72"}
"""


def ranges(found: AddressConfiguration) -> list[str]:
    return [show(prefix) for prefix in found.cluster_cidrs]


def services(found: AddressConfiguration) -> list[str]:
    return [show(prefix) for prefix in found.service_cidrs]


def kubeadm(text: str) -> Snapshot:
    return snapshot(fleet(2), config_maps=[config_map("kubeadm-config", {"ClusterConfiguration": text})])


class TestTheRunningManager:
    def test_its_arguments_are_sure(self) -> None:
        found = effective(snapshot(fleet(2), control_plane_pods=[manager_pod("--node-cidr-mask-size=25")]))
        assert (ranges(found), found.node_masks, found.known) == (["10.244.0.0/16"], (25,), True)
        assert (found.cluster_sure, found.allocator) == (Sureness.SURE, Allocator.ON)
        assert services(found) == ["10.96.0.0/12"]
        chosen = next(c for c in found.claims if c.setting == "cluster-cidr" and c.chosen)
        assert (chosen.value, chosen.origin.path) == ("10.244.0.0/16", "Pod kube-system/kube-controller-manager-cp1 command")
        assert chosen.origin.at == NOW

    def test_absent_masks_are_kubernetes_defaults(self) -> None:
        found = effective(snapshot(control_plane_pods=[manager_pod("--cluster-cidr=10.244.0.0/16,fd00::/56")]))
        assert (ranges(found), found.node_masks) == (["10.244.0.0/16", "fd00::/56"], (24, 64))

    def test_host_bits_are_masked_and_the_written_form_is_kept(self) -> None:
        found = effective(snapshot(control_plane_pods=[manager_pod("--cluster-cidr=10.244.0.0/12")]))
        assert (ranges(found), found.cluster_cidrs_written) == (["10.240.0.0/12"], ("10.244.0.0/12",))

    @pytest.mark.parametrize(
        "words",
        [
            ("kube-controller-manager", "--allocate-node-cidrs", "--cluster-cidr", "10.9.0.0/16"),
            ("kube-controller-manager", "-allocate_node_cidrs=1", "--cluster_cidr='10.9.0.0/16'"),
            ("/bin/sh", "-c", "exec kube-controller-manager --allocate-node-cidrs=true --cluster-cidr=10.9.0.0/16 2>&1"),
            ("kube-controller-manager", "--cluster-cidr=10.1.0.0/16", "--allocate-node-cidrs=T", "--cluster-cidr=10.9.0.0/16"),
        ],
    )
    def test_every_way_to_write_flags(self, words: tuple[str, ...]) -> None:
        detail = PodDetail(labels={"component": "kube-controller-manager"}, containers=(Container(name="kcm", command=words),))
        pod = Pod(namespace="kube-system", name="kcm-cp1", node="cp1", phase="Running", host_network=True, detail=detail)
        found = effective(snapshot(control_plane_pods=[pod]))
        assert (ranges(found), found.known) == (["10.9.0.0/16"], True)

    @pytest.mark.parametrize(
        ("flag", "reason"),
        [
            ("--allocate-node-cidrs=false", "without --allocate-node-cidrs"),
            ("--cidr-allocator-type=CloudAllocator", "a cloud hands out podCIDRs"),
            ("--controllers=*,-nodeipam", "turn nodeipam off"),
            ("--controllers=*,-node-ipam-controller", "turn nodeipam off"),
            ("--controllers=deployment,replicaset", "do not name nodeipam"),
        ],
    )
    def test_the_allocator_may_be_off(self, flag: str, reason: str) -> None:
        found = effective(snapshot(fleet(2), control_plane_pods=[manager_pod(flag)]))
        assert (found.allocator, found.known) == (Allocator.OFF, False)
        assert reason in found.allocator_reason

    def test_replicas_that_agree_are_one(self) -> None:
        found = effective(snapshot(control_plane_pods=[manager_pod(on="cp1"), manager_pod(on="cp2")]))
        assert (found.known, found.contradictions) == (True, ())

    def test_where_replicas_differ_the_leader_counts_and_it_is_said(self) -> None:
        pods = [manager_pod(on="cp1"), manager_pod("--cluster-cidr=10.240.0.0/12", on="cp2")]
        found = effective(snapshot(control_plane_pods=pods, leases=[manager_lease("cp2")]))
        assert (ranges(found), found.known) == (["10.240.0.0/12"], True)
        assert "cp2 leads, its arguments count" in found.contradictions[0]

    def test_where_replicas_differ_and_nobody_leads_nothing_is_known(self) -> None:
        pods = [manager_pod(on="cp1"), manager_pod("--cluster-cidr=10.240.0.0/12", on="cp2")]
        found = effective(snapshot(control_plane_pods=pods, leases=[]))
        assert (found.known, found.cluster_sure, found.allocator) == (False, Sureness.HINT, Allocator.UNKNOWN)
        assert "not known" in found.contradictions[0]


class TestOptions:
    def test_they_win_and_what_they_contradict_is_said(self) -> None:
        declared = Declared(cluster_cidrs=("10.9.0.0/16",), node_masks=(26,), service_cidrs=("10.100.0.0/16",))
        found = effective(snapshot(control_plane_pods=[manager_pod()], declared=declared, kubernetes_service_ips=("10.100.0.1",)))
        assert (ranges(found), found.node_masks, services(found)) == (["10.9.0.0/16"], (26,), ["10.100.0.0/16"])
        said = [text for text in found.contradictions if "--cluster-cidr says 10.9.0.0/16" in text]
        assert len(said) == 1 and "10.244.0.0/16" in said[0]

    def test_a_cluster_cidr_given_by_option_makes_the_allocator_known(self) -> None:
        found = effective(snapshot(fleet(2), declared=Declared(cluster_cidrs=("10.244.0.0/16",))))
        assert (found.known, found.node_masks) == (True, (24,))
        assert "given by option" in found.allocator_reason

    def test_but_not_where_the_manager_is_seen_to_hand_out_none(self) -> None:
        pods = [manager_pod("--allocate-node-cidrs=false")]
        found = effective(snapshot(fleet(2), control_plane_pods=pods, declared=Declared(cluster_cidrs=("10.244.0.0/16",))))
        assert (found.known, found.allocator) == (False, Allocator.OFF)


class TestEmbeddedManagers:
    def server(self, *words: str, key: str = "k3s.io/node-args") -> Snapshot:
        server = node("s1", "10.42.0.0/24", annotations={key: json.dumps(["server", *words])})
        return snapshot([server, node("a1", "10.42.1.0/24")])

    def test_k3s_defaults(self) -> None:
        found = effective(self.server())
        assert (ranges(found), found.node_masks, services(found)) == (["10.42.0.0/16"], (24,), ["10.43.0.0/16"])
        assert (found.known, found.manager_up) == (True, None)

    @pytest.mark.parametrize("key", ["k3s.io/node-args", "rke2.io/node-args"])
    def test_values_joined_or_as_two_items(self, key: str) -> None:
        words = ("--cluster-cidr", "10.50.0.0/16", "--service-cidr=10.51.0.0/16", "--kube-controller-manager-arg")
        found = effective(self.server(*words, "node-cidr-mask-size=23", key=key))
        assert (ranges(found), found.node_masks, services(found)) == (["10.50.0.0/16"], (23,), ["10.51.0.0/16"])

    def test_agents_say_nothing(self) -> None:
        agent = node("a1", "10.42.1.0/24", annotations={"k3s.io/node-args": '["agent","--cluster-cidr=10.1.0.0/16"]'})
        assert not effective(snapshot([agent])).known

    @pytest.mark.parametrize("text", ["", "banana", "[1,2]", '{"server":1}', "[]"])
    def test_an_annotation_that_is_none_is_passed_over(self, text: str) -> None:
        assert not effective(snapshot([node("s1", annotations={"k3s.io/node-args": text})])).known


class TestHints:
    def test_kubeadm_config_of_both_forms(self) -> None:
        old, new = effective(kubeadm(KUBEADM_V1BETA3)), effective(kubeadm(KUBEADM_V1BETA4))
        assert (ranges(old), old.node_masks, services(old)) == (["10.244.0.0/16"], (25,), ["10.96.0.0/12"])
        assert (ranges(new), new.node_masks) == (["10.244.0.0/16", "fd00:10:244::/56"], (25, 72))
        assert (old.cluster_sure, old.service_sure, old.known) == (Sureness.HINT, Sureness.HINT, False)

    @pytest.mark.parametrize(
        "text", ["", ":", "- a\n- b", "networking: 7", "networking: {podSubnet: [1]}", "a: &a [*a, *a]", "\x00", "[" * 5000]
    )
    def test_what_cannot_be_read_is_no_hint(self, text: str) -> None:
        assert effective(kubeadm(text)).cluster_sure == Sureness.ESTIMATE

    def test_a_stale_kubeadm_config_contradicts_the_running_manager(self) -> None:
        maps = [config_map("kubeadm-config", {"ClusterConfiguration": KUBEADM_V1BETA3})]
        found = effective(snapshot(control_plane_pods=[manager_pod("--cluster-cidr=10.240.0.0/12")], config_maps=maps))
        assert ranges(found) == ["10.240.0.0/12"]
        assert any("kubeadm-config networking.podSubnet says cluster CIDR 10.244.0.0/16" in text for text in found.contradictions)

    def test_kube_proxy_and_flannel_are_the_last_hints(self) -> None:
        proxy = config_map("kube-proxy", {"config.conf": "kind: KubeProxyConfiguration\nclusterCIDR: 10.77.0.0/16\n"})
        assert ranges(effective(snapshot(fleet(1), config_maps=[proxy]))) == ["10.77.0.0/16"]

    def test_a_larger_network_of_flannel_is_no_contradiction(self) -> None:
        taken = snapshot(fleet(1), control_plane_pods=[manager_pod()], config_maps=[net_conf("10.240.0.0/12")])
        assert Facts(taken).configuration.contradictions == ()

    def test_the_nodes_are_the_last_to_be_asked_and_it_is_called_an_estimate(self) -> None:
        found = effective(snapshot([node("a", "10.244.3.0/24"), node("b", "10.244.9.0/24"), node("c", "10.244.4.0/26")]))
        assert (ranges(found), found.node_masks, found.known) == (["10.244.0.0/20"], (24,), False)
        assert found.cluster_sure == Sureness.ESTIMATE
        assert {claim.origin.source for claim in found.claims if claim.chosen} == {"inferred"}

    def test_an_empty_cluster_says_nothing(self) -> None:
        found = effective(snapshot(kubernetes_service_ips=()))
        assert (found.cluster_cidrs, found.node_masks, found.claims) == ((), (), ())


class TestServices:
    def test_objects_and_running_api_servers_are_joined(self) -> None:
        api = mirror_pod("kube-apiserver", "--service-cluster-ip-range=10.96.0.0/12")
        extra = [ServiceCidr("kubernetes", ("10.96.0.0/12",)), ServiceCidr("more", ("10.200.0.0/16",))]
        found = effective(snapshot(control_plane_pods=[api, manager_pod()], service_cidrs=extra))
        assert services(found) == ["10.96.0.0/12", "10.200.0.0/16"]
        assert [show(p) for p in found.manager_service_cidrs] == ["10.96.0.0/12"]

    def test_a_manager_with_another_range_contradicts(self) -> None:
        api = mirror_pod("kube-apiserver", "--service-cluster-ip-range=10.96.0.0/12")
        found = effective(snapshot(control_plane_pods=[api, manager_pod("--service-cluster-ip-range=10.9.0.0/16")]))
        assert services(found) == ["10.96.0.0/12"]
        assert any("10.9.0.0/16" in text for text in found.contradictions)

    def test_the_first_address_outside_every_range_is_said(self) -> None:
        found = effective(snapshot(control_plane_pods=[manager_pod()], kubernetes_service_ips=("10.43.0.1",)))
        assert any("10.43.0.1" in text for text in found.contradictions)


class TestDownOrUp:
    def test_up_when_one_replica_runs(self) -> None:
        pods = [manager_pod(status=crashing("kube-controller-manager")), manager_pod(on="cp2")]
        found = effective(snapshot(fleet(1), control_plane_pods=pods))
        assert (found.manager_up, found.allocator) == (True, Allocator.ON)

    def test_down_when_all_crash(self) -> None:
        pods = [manager_pod(on=cp, status=crashing("kube-controller-manager")) for cp in ("cp1", "cp2")]
        found = effective(snapshot(fleet(1), control_plane_pods=pods))
        assert (found.manager_up, found.allocator, found.known) == (False, Allocator.DOWN, True)
        assert "CrashLoopBackOff" in found.manager_reason

    def test_down_when_it_ended_twice_in_ten_minutes(self) -> None:
        times = {"restarts": 2, "last_started": NOW - 300, "last_finished": NOW - 40}
        pod = manager_pod(status=running("kube-controller-manager", **times))
        assert effective(snapshot(control_plane_pods=[pod])).manager_up is False

    def test_an_old_count_of_restarts_is_history(self) -> None:
        times = {"restarts": 9, "last_started": NOW - 90_000, "last_finished": NOW - 40}
        pod = manager_pod(status=running("kube-controller-manager", **times))
        assert effective(snapshot(control_plane_pods=[pod])).manager_up

    def test_a_stale_lease_counts_only_while_a_node_waits(self) -> None:
        stale = [manager_lease(ago=300)]
        assert effective(snapshot(fleet(2), leases=stale)).manager_up is None
        found = effective(snapshot([*fleet(2), node("w9")], leases=stale))
        assert (found.manager_up, found.allocator) == (False, Allocator.DOWN)
        young = node("w9", created=NOW - 30)
        assert effective(snapshot([*fleet(2), young], leases=stale)).manager_up is None

    def test_an_invisible_manager_proves_nothing(self) -> None:
        found = effective(snapshot(fleet(2)))
        assert (found.manager_up, found.allocator) == (None, Allocator.UNKNOWN)
        assert "cannot be seen" in found.allocator_reason

    def test_what_was_not_read_is_said_to_be_so(self) -> None:
        found = effective(snapshot(fleet(2), topics=[Topic.NODES]))
        assert (found.manager_up, found.manager_reason) == (None, "control-plane not looked at")
