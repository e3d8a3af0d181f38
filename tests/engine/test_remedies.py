"""A remedy that is followed line by line must not make anything worse: what is never given, in which order, and who moves."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope.cidr import parse
from flannelscope.deletion import clears_others, leaving_order, objection, server, survivors
from flannelscope.exchange import touch
from flannelscope.facts import Facts
from flannelscope.fits import where
from flannelscope.model import (
    ConfigMap,
    DaemonSet,
    Finding,
    Gap,
    Node,
    Remedy,
    ServiceCidr,
    Severity,
    Snapshot,
    Taint,
    Topic,
    Writer,
)
from flannelscope.present import finding_view
from flannelscope.simulated import build, names
from flannelscope.what_if import free
from tests.engine.builders import (
    DAY,
    NOW,
    announced,
    config_map,
    daemonset,
    event,
    findings,
    flannel_container,
    flannel_pod,
    fleet,
    healthy,
    judged,
    lease,
    manager_lease,
    manager_pod,
    net_conf,
    node,
    pod,
    snapshot,
)

RESTART = "crictl stop $(crictl ps --quiet --name kube-controller-manager)"
STRAY = announced(node("stray", "10.99.5.0/24", ip="10.20.9.5"))
UNREAD = Gap(Topic.NODES, "Node n3 cannot be read", node="n3")


def twin(name: str, **changes: Any) -> Node:
    """A member that holds 10.244.1.0/24."""
    number = sum(name.encode()) % 250
    return announced(node(name, "10.244.1.0/24", ip=f"10.20.7.{number}", **changes))


def silent(made: Node, days: float = 9) -> Node:
    return replace(made, ready="Unknown", ready_since=NOW - days * DAY)


def cluster(*nodes: Node, **changes: Any) -> Snapshot:
    """A healthy cluster of these Nodes, in which the kubelets of those that are Ready live."""
    beats = [lease(n, ago=9 * DAY if n.ready == "Unknown" else 5) for n in nodes]
    return healthy(nodes, **{"leases": [*beats, manager_lease()], **changes})


def remedy(taken: Snapshot, code: str) -> Remedy:
    """The remedy of the one finding with this code."""
    (found,) = findings(taken, code)
    assert found.remedy is not None
    return found.remedy


def deleted(said: Remedy) -> list[str]:
    """The Nodes that its commands delete, in their order."""
    return [line.split()[-1] for line in said.commands if line.startswith("kubectl delete node ")]


class TestWhoLeaves:
    def test_of_equals_the_younger(self) -> None:
        assert deleted(remedy(cluster(twin("a", created=NOW - DAY), twin("b")), "FLN101")) == ["a"]

    def test_a_dead_one_before_a_living_one_of_any_age(self) -> None:
        old, young = silent(twin("old", created=NOW - 90 * DAY)), twin("young", created=NOW - 5 * DAY)
        said = remedy(cluster(old, young), "FLN101")
        assert deleted(said) == ["old"]
        assert "young keeps this podCIDR" in said.summary and "only if its machine is gone for good" in said.summary
        assert "peers drop the entries of young with it" in said.summary
        assert not any("drain" in line or "create" in line for line in said.commands)

    def test_an_old_lease_beside_ready_true_is_no_death(self) -> None:
        """A kubelet whose clock is two minutes behind is not told to be buried."""
        late = [lease("a", ago=120), lease("b"), manager_lease()]
        said = remedy(cluster(twin("a", created=NOW - 90 * DAY), twin("b"), leases=late), "FLN101")
        assert deleted(said) == ["b"]
        assert "silent" not in said.summary

    def test_one_outside_flannel_before_a_member(self) -> None:
        plain = node("plain", "10.244.1.0/24", created=NOW - 90 * DAY)
        taken = snapshot([plain, twin("member")], control_plane_pods=[manager_pod()])
        assert deleted(remedy(taken, "FLN101")) == ["plain"]

    @pytest.mark.parametrize(
        "changes",
        [
            {"labels": {"node-role.kubernetes.io/control-plane": ""}},
            {"labels": {"node-role.kubernetes.io/etcd": "true"}},
            {"annotations": {"k3s.io/node-args": '["server","--disable","traefik"]'}},
            {"annotations": {"rke2.io/node-args": '["server"]'}},
            {"annotations": {"rke2.io/node-args": "not JSON: taken for a server"}},
        ],
    )
    def test_a_worker_before_a_server_however_young_that_is(self, changes: dict[str, Any]) -> None:
        young = announced(node("young", "10.244.1.0/24", ip="10.20.7.1", created=NOW - DAY, **changes))
        facts = Facts(cluster(young, twin("old")))
        assert server(facts, young)
        assert [n.name for n in leaving_order(facts, facts.snapshot.nodes)] == ["old", "young"]

    def test_the_host_of_a_control_plane_pod_is_a_server_and_an_agent_is_none(self) -> None:
        agent = node("agent", annotations={"k3s.io/node-args": '["agent"]'})
        facts = Facts(cluster(node("cp1"), agent))
        assert [n.name for n in facts.snapshot.nodes if server(facts, n)] == ["cp1"]

    def test_a_dead_server_stays_too(self) -> None:
        """It can be taken out of etcd only in the way of its distribution; until then a worker is safe elsewhere."""
        gone = silent(twin("s", labels={"node-role.kubernetes.io/etcd": "true"}))
        assert deleted(remedy(cluster(gone, twin("w")), "FLN101")) == ["w"]

    def test_of_three_holders_two_leave_and_peers_are_told_each_time(self) -> None:
        said = remedy(cluster(twin("a"), twin("b", created=NOW - DAY), twin("c", created=NOW - 2 * DAY)), "FLN101")
        assert deleted(said) == ["b", "c"]
        told = [line for line in said.commands if line.startswith("kubectl annotate --overwrite node a ")]
        assert len(told) == len(set(told)) == 2, "the same value twice would tell peers nothing"

    def test_a_crowd_of_twins_keeps_a_remedy_that_can_be_read(self) -> None:
        crowd = [announced(node(f"w{i}", "10.244.1.0/24", ip=f"10.20.{i >> 8}.{i & 255}")) for i in range(2000)]
        said = remedy(cluster(*crowd), "FLN101")
        assert len(deleted(said)) == 12
        assert "The commands are for 12 of them" in said.summary


class TestNoCommand:
    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"deleting": NOW - 30}, "is being deleted already"),
            ({"deleting": NOW - 30, "finalizers": ("foo/bar",)}, "waits for its finalizers (foo/bar)"),
            ({"finalizers": ("wrangler.cattle.io/managed-etcd-controller",)}, "wrangler.cattle.io/managed-etcd-controller"),
            ({"labels": {"node-role.kubernetes.io/etcd": "true"}}, "etcd"),
            ({"labels": {"eks.amazonaws.com/nodegroup": "a"}}, "belongs to EKS"),
            ({"labels": {"karpenter.sh/nodepool": "a"}}, "belongs to Karpenter"),
            ({"annotations": {"cluster.x-k8s.io/machine": "m-1"}}, "belongs to Cluster API"),
            ({"taints": (Taint("ToBeDeletedByClusterAutoscaler", "1", "NoSchedule"),)}, "belongs to an autoscaler"),
            ({"provider_id": "openstack:///42"}, "belongs to the provider openstack"),
        ],
    )
    @pytest.mark.parametrize("code", ["FLN101", "FLN604"])
    def test_to_delete_a_node_that_is_anothers(self, changes: dict[str, Any], why: str, code: str) -> None:
        fields = {"labels": {}, "created": NOW - 60 * DAY, **changes}
        first = silent(announced(node("a", "10.244.1.0/24", ip="10.20.7.1", **fields)))
        others = [twin("cp", labels={"node-role.kubernetes.io/control-plane": ""})] if code == "FLN101" else fleet(2, first=5)
        said = remedy(cluster(first, *others), code)
        assert "a" not in deleted(said)
        assert (
            why in said.summary or "a keeps this podCIDR" in said.summary
        )  # a server stays: the finding has no more to say of it

    @pytest.mark.parametrize("provider_id", ["", "k3s://a", "kind://docker/kind/kind-worker"])
    def test_but_a_machine_that_nobody_replaces_may_go(self, provider_id: str) -> None:
        one = twin("a", provider_id=provider_id)
        assert objection(Facts(cluster(one)), one) == ""

    @pytest.mark.parametrize("name", names())
    def test_destroys_data(self, name: str) -> None:
        for found in judged(build(name, now=NOW)).findings:
            assert found.remedy is None or not any("emptydir" in line or "--force" in line for line in found.remedy.commands)

    def test_the_caution_says_what_drain_stops_at(self) -> None:
        said = remedy(cluster(twin("a"), twin("b")), "FLN101")
        assert "--delete-emptydir-data destroys that data" in said.caution

    def test_for_windows(self) -> None:
        said = remedy(cluster(twin("a"), twin("b", os="windows", created=NOW - DAY)), "FLN101")
        assert (deleted(said), "it runs Windows" in said.summary) == ([], True)

    def test_where_no_block_is_free(self) -> None:
        full = [manager_pod("--cluster-cidr=10.244.1.0/24")]
        said = remedy(cluster(twin("a"), twin("b"), control_plane_pods=full), "FLN101")
        assert (said.commands, "no block is free" in said.summary) == ((), True)


class TestOrder:
    def test_peers_and_the_manager_are_told_after_the_deletion_and_before_the_node_is_there_again(self) -> None:
        said = remedy(cluster(twin("a"), twin("b", created=NOW - DAY)), "FLN101")
        words = (
            "kubectl cordon b",
            "systemctl stop kubelet",
            "kubectl delete node b",
            "kubectl annotate",
            RESTART,
            "kubectl create -f b.json",
            "ip link delete cni0",
            "systemctl start kubelet",
            "kubectl -n kube-flannel delete pod -l app=flannel --field-selector spec.nodeName=b",
        )
        assert order_of(said, *words) == sorted(order_of(said, *words))
        assert said.commands[-1] == "kubectl uncordon b"

    def test_where_nobody_shares_the_block_nothing_is_restarted(self) -> None:
        """A podCIDR on the machines' own network, held by one Node: the manager clears what nobody else uses."""
        taken = cluster(announced(node("b", "10.20.0.0/24", ip="192.168.0.9")), *fleet(2), control_plane_pods=[wide_manager()])
        (found,) = findings(taken, "FLN109")
        assert found.remedy is not None
        assert deleted(found.remedy) == ["b"]
        assert not any("restart" in line or RESTART in line for line in found.remedy.commands)

    def test_a_podcidr_among_the_services_clears_their_blocks(self) -> None:
        taken = cluster(
            announced(node("b", "10.96.0.0/24", ip="10.20.7.1")),
            *fleet(2),
            control_plane_pods=[wide_manager()],
            service_cidrs=[ServiceCidr("kubernetes", ("10.96.0.0/12",))],
        )
        assert any(RESTART in line for line in remedy(taken, "FLN108").commands)

    @pytest.mark.parametrize(("others", "clears"), [((), False), (("10.244.7.64/26",), True), (("10.244.0.0/16",), True)])
    def test_a_small_podcidr_clears_its_whole_block(self, others: tuple[str, ...], clears: bool) -> None:
        held = [node("a", "10.244.7.0/26"), *(node(f"b{i}", text) for i, text in enumerate(others))]
        assert clears_others(Facts(snapshot(held, control_plane_pods=[manager_pod()])), "a") is clears

    def test_k3s_has_other_names_and_no_known_bridge(self) -> None:
        args = {"k3s.io/node-args": '["agent"]'}
        agents = [twin("a"), twin("b", created=NOW - DAY)]
        agents = [replace(n, annotations={**n.annotations, **args}) for n in agents]
        boss = announced(
            node(
                "s",
                "10.244.9.0/24",
                ip="10.20.7.9",
                annotations={"k3s.io/node-args": '["server","--cluster-cidr","10.244.0.0/16"]'},
            )
        )
        taken = cluster(*agents, boss, control_plane_pods=[], flannel_pods=[], daemonsets=[], config_maps=[])
        said = remedy(taken, "FLN101")
        assert deleted(said) == ["b"]
        assert any(line.startswith("systemctl stop k3s-agent") for line in said.commands)
        assert any(line.startswith("systemctl restart k3s ") and "on s:" in line for line in said.commands)
        assert not any("cni0" in line for line in said.commands)

    def test_canal_has_no_bridge(self) -> None:
        members = [twin("a"), twin("b", created=NOW - DAY)]
        said = remedy(cluster(*members, flannel_pods=[], daemonsets=[canal(2)]), "FLN101")
        assert deleted(said) == ["b"]
        assert not any("cni0" in line or "rm -rf" in line for line in said.commands)
        assert any("no bridge (Canal)" in line for line in said.commands)

    def test_where_the_manager_is_not_seen_the_line_is_a_sentence(self) -> None:
        said = remedy(cluster(twin("a"), twin("b", created=NOW - DAY), control_plane_pods=[]), "FLN101")
        (line,) = (line for line in said.commands if "controller manager" in line)
        assert line.startswith("# restart") and "see first that all podCIDRs are inside its --cluster-cidr" in line


class TestHowItEnds:
    @pytest.mark.parametrize("name", names())
    def test_every_remedy_ends_with_the_command_that_proves_that_it_worked(self, name: str) -> None:
        for found in judged(build(name, now=NOW)).findings:
            if found.remedy is not None:
                assert found.remedy.proof.startswith(f"flannelscope check --only {found.code}")
                assert ("--fail-on info" in found.remedy.proof) is (found.severity is Severity.INFO)
                assert finding_view(found).commands[-1] == found.remedy.proof

    def test_the_caution_says_in_which_order_several_are_followed(self) -> None:
        said = remedy(cluster(twin("a"), twin("b")), "FLN101")
        assert "rebuild one Node and run the check at the end of its commands before the next" in said.caution


class TestWhereTheNewPodCidrIs:
    def said(self, *maps: ConfigMap) -> str:
        return remedy(cluster(twin("a"), twin("b"), config_maps=maps), "FLN101").summary

    def test_inside_both_ranges(self) -> None:
        said = self.said(net_conf(), kube_proxy("10.0.0.0/8"))
        assert "is inside flannel's Network 10.244.0.0/16 and inside kube-proxy's clusterCIDR 10.0.0.0/8." in said

    def test_outside_what_kube_proxy_takes_for_pods(self) -> None:
        said = self.said(net_conf(), kube_proxy("10.244.0.0/22"))
        assert "outside kube-proxy's clusterCIDR 10.244.0.0/22 (10.244.255.0/24): widen it too, see FLN118" in said

    @pytest.mark.parametrize(
        ("proxy", "why"),
        [
            ([], "not compared with kube-proxy's clusterCIDR (its ConfigMap was not read)"),
            (["NodeCIDR"], "none of kube-proxy's business (detectLocalMode NodeCIDR)"),
        ],
    )
    def test_what_is_not_known_or_does_not_matter_is_said(self, proxy: list[str], why: str) -> None:
        assert why in self.said(net_conf(), *(kube_proxy("10.244.0.0/22", mode) for mode in proxy))

    def test_a_family_without_a_range_is_never_said_to_be_inside(self) -> None:
        both = [prefix for prefix in map(parse, ("10.244.9.0/24", "fd00::/64")) if prefix is not None]
        facts = Facts(cluster(*fleet(2), config_maps=[net_conf(), kube_proxy("10.0.0.0/8")]))
        left = "(but for fd00::/64: it has no range of that family)"
        assert where(facts, both) == (
            f"The new podCIDRs are inside flannel's Network 10.244.0.0/16 {left} "
            f"and inside kube-proxy's clusterCIDR 10.0.0.0/8 {left}."
        )
        assert where(facts, both[1:]) == (
            "The new podCIDR is not compared with flannel's Network (it has none of this family) "
            "and none of kube-proxy's business (it has no clusterCIDR of this family)."
        )

    def test_free_and_what_if_say_where_kube_proxy_stays_behind(self) -> None:
        facts = Facts(cluster(*fleet(2), config_maps=[net_conf(), kube_proxy("10.244.0.0/22")]))
        answer = free(facts, 3)
        assert answer is not None
        assert any("kube-proxy's clusterCIDR is 10.244.0.0/22" in note for note in answer.notes)


def kube_proxy(cluster_cidr: str, mode: str = "ClusterCIDR") -> ConfigMap:
    return config_map("kube-proxy", {"config.conf": f"clusterCIDR: {cluster_cidr}\ndetectLocalMode: {mode}\n"})


class TestTheManagerThatWouldNotStart:
    """FLN103 says not to restart it: no other remedy may say otherwise."""

    def nodes(self) -> list[Node]:
        small = [announced(node(f"s{i}", f"10.244.8.{64 * i}/26", ip=f"10.20.8.{i}")) for i in range(2)]
        return [twin("a"), twin("b"), *small, announced(node("wide", "10.244.16.0/20", ip="10.20.6.1")), *fleet(3, first=16)]

    def test_every_remedy_that_needs_a_restart_says_first_fln103(self) -> None:
        services = [ServiceCidr("kubernetes", ("10.244.17.0/24",))]
        late = node("late")
        taken = cluster(*self.nodes(), STRAY, late, service_cidrs=services, events=[event("CIDRNotAvailable", late)])
        found = judged(taken, "FLN101", "FLN102", "FLN103", "FLN104", "FLN106", "FLN108").findings
        found = (*found, *(f for code in ("FLN104", "FLN106") for f in judged(taken, code).findings))
        assert {f.code for f in found} == {"FLN101", "FLN102", "FLN103", "FLN104", "FLN106", "FLN108"}
        for each in found:
            assert each.remedy is not None
            if each.code != "FLN103":
                assert each.remedy.summary.startswith("First FLN103: until the podCIDR of stray"), each.code
            assert not any(RESTART in line for line in each.remedy.commands), each.code

    def test_nothing_is_deleted_whose_block_would_be_handed_out_meanwhile(self) -> None:
        said = remedy(cluster(*self.nodes(), STRAY), "FLN101")
        assert (deleted(said), "Until then b must not be deleted" in said.summary) == ([], True)

    def test_without_the_stray_the_restart_stands_there(self) -> None:
        assert any(RESTART in line for line in remedy(cluster(*self.nodes()), "FLN101").commands)

    def test_twins_outside_all_pools_may_be_deleted_before_that(self) -> None:
        """Their block is in no pool, so it is handed out to nobody: else FLN101 would forbid what FLN103 has commands for."""
        outside = [announced(node(name, "10.99.4.0/24", ip=f"10.20.9.{n}", created=NOW - DAY)) for n, name in enumerate("ab", 1)]
        said = remedy(cluster(*fleet(2), *outside), "FLN101")
        assert deleted(said) == ["b"]
        assert "must not be deleted" not in said.summary
        assert not any(RESTART in line for line in said.commands)

    def test_fln103_moves_every_stray_and_restarts_nothing(self) -> None:
        strays = [STRAY, announced(node("other", "10.99.5.0/24", ip="10.20.9.6", created=NOW - DAY))]
        said = remedy(cluster(*fleet(2), *strays), "FLN103")
        assert deleted(said) == ["other", "stray"]
        assert not any(RESTART in line for line in said.commands)
        assert any(line.startswith("kubectl annotate --overwrite node stray") for line in said.commands)

    def test_a_stray_of_one_family_that_shares_its_block_of_the_other_is_not_deleted(self) -> None:
        """Its IPv4 block would be cleared with it and handed out to the next Node, though the twin lives there."""
        dual = manager_pod("--cluster-cidr=10.244.0.0/16,fd00::/56")
        twins = [
            announced(node("stray", "10.244.7.0/24", "fd99::/64", ip="10.20.9.5", created=NOW - DAY)),
            announced(node("stays", "10.244.7.0/24", "fd00:0:0:7::/64", ip="10.20.9.6")),
        ]
        said = remedy(cluster(*fleet(2), *twins, control_plane_pods=[dual]), "FLN103")
        assert deleted(said) == []
        assert "stray must not be deleted" in said.summary


class TestNodesThatCouldNotBeRead:
    def test_no_block_is_proposed(self) -> None:
        said = remedy(cluster(twin("a"), twin("b"), gaps=[UNREAD]), "FLN101")
        assert (deleted(said), [word for line in said.commands for word in line.split() if parse(word)]) == ([], [])
        assert "1 Node could not be read (n3)" in said.summary

    def test_not_even_to_a_node_that_shares_with_nobody(self) -> None:
        alone = announced(node("b", "10.20.0.0/24", ip="192.168.0.9"))
        taken = cluster(alone, *fleet(2), control_plane_pods=[wide_manager()], gaps=[UNREAD])
        said = remedy(taken, "FLN109")
        assert (said.commands, "so no block can be called free" in said.summary) == ((), True)


class TestFln102:
    def test_the_larger_one_moves_and_those_with_its_gateway_are_announced_again(self) -> None:
        wide = announced(node("wide", "10.244.0.0/20", ip="10.20.9.9"))
        said = remedy(cluster(wide, *fleet(3, first=0)), "FLN102")
        assert deleted(said) == ["wide"]
        assert [line.split()[4] for line in said.commands if line.startswith("kubectl annotate")] == ["w000"]

    def test_a_dead_one_inside_moves_in_its_place(self) -> None:
        wide = announced(node("wide", "10.244.0.0/20", ip="10.20.9.9"))
        assert deleted(remedy(cluster(wide, silent(fleet(1)[0])), "FLN102")) == ["w001"]

    def test_a_server_stays_where_few_can_move_in_its_place(self) -> None:
        wide = announced(node("wide", "10.244.0.0/20", ip="10.20.9.9", labels={"node-role.kubernetes.io/etcd": "true"}))
        assert deleted(remedy(cluster(wide, *fleet(2)), "FLN102")) == ["w001", "w002"]
        assert deleted(remedy(cluster(wide, *fleet(9)), "FLN102")) == []


class TestSurvivors:
    def test_those_with_the_podcidr_the_gateway_or_the_vtep(self) -> None:
        mac = "02:00:00:00:00:07"
        gone = announced(node("gone", "10.244.1.0/24", ip="10.20.7.1"), mac=mac)
        clone = announced(node("clone", "10.244.9.0/24", ip="10.20.7.2"), mac=mac)
        wide = announced(node("wide", "10.244.1.0/20", ip="10.20.7.3"))
        base = announced(node("base", "10.244.1.0/28", ip="10.20.7.4"))
        facts = Facts(cluster(gone, clone, wide, base, *fleet(2, first=5)))
        assert set(survivors(facts, "gone")) == {"clone", "base"}
        assert survivors(facts, "w005") == ()

    def test_the_twin_goes_before_another_with_the_same_gateway(self) -> None:
        """Peers drop the twin's route with the deleted Node: only the twin's own announcement brings it back."""
        twins = [announced(node(name, "10.244.4.0/24", ip=f"10.20.7.{n}")) for n, name in enumerate(("left", "stays"), 1)]
        for days in (400, 1):  # the wide one is the oldest, or the youngest
            wide = announced(node("wide", "10.244.4.0/22", ip="10.20.7.9", created=NOW - days * DAY))
            assert survivors(Facts(cluster(*twins, wide, *fleet(2, first=20))), "left") == ("stays",)

    def test_each_deletion_needs_a_write_of_its_own(self) -> None:
        """Also in another finding of the same report. Both families each time: peers act only where both have changed."""
        facts = Facts(cluster(announced(node("a", "10.244.1.0/24", ip="10.20.7.1"), public_ipv6="fd01::1")))
        first, second, again = (touch(facts, ["a"], leaving) for leaving in ("x", "y", "x"))
        assert all("data= {" in line for line in first) and all("data=  {" in line for line in second)
        assert first == again
        assert len(first) == len(second) == 2

    def test_every_write_in_a_remedy_changes_what_is_there(self) -> None:
        """Two dead Nodes, each with a living twin: a second write that changed nothing would leave that twin cut off."""
        gone = [silent(announced(node(name, f"10.244.{n}.0/24", ip=f"10.20.9.{n}"), "host-gw")) for n, name in enumerate("xy", 1)]
        taken = cluster(*fleet(4), *gone)
        held = {each.name: dict(each.annotations) for each in taken.nodes}
        written = [line for line in remedy(taken, "FLN202").commands if line.startswith("kubectl annotate")]
        for line in written:
            *_, name, assignment = shlex.split(line, comments=True)
            key, _, value = assignment.partition("=")
            assert held[name][key] != value
            held[name][key] = value
        assert [shlex.split(line, comments=True)[-2] for line in written] == ["w001", "w002"]


class TestFln105:
    def waiting(self, *flags: str, by: str = "kube-controller-manager") -> Remedy:
        held = [replace(n, writers=(Writer(by, "podCIDR", "Update", NOW - DAY),)) for n in fleet(2)]
        return remedy(cluster(*held, node("w9"), control_plane_pods=[manager_pod(*flags)] if flags else []), "FLN105")

    def test_by_hand_nobody_is_told_to_start_an_allocator(self) -> None:
        said = self.waiting(by="kubectl-patch")
        assert "--allocate-node-cidrs" not in said.summary
        assert said.commands == (
            """kubectl patch node w9 --type merge -p '{"spec": {"podCIDR": "CIDR", "podCIDRs": ["CIDR"]}}'""",
        )

    def test_off_names_the_range_with_which_it_would_start(self) -> None:
        assert "a --cluster-cidr that holds all podCIDRs there are" in self.waiting("--allocate-node-cidrs=false").summary

    def test_unknown_has_no_command(self) -> None:
        assert self.waiting().commands == ()


class TestPodsWithWrongAddresses:
    def deletes(self, taken: Snapshot, code: str) -> list[str]:
        return [line.rpartition(" ")[2] for line in remedy(taken, code).commands]

    @pytest.mark.parametrize("order", [1, -1])
    def test_112_deletes_the_pod_whose_address_is_foreign_to_its_node(self, order: int) -> None:
        nodes = fleet(2)
        pods = [pod("bad-1", nodes[0], "10.244.2.7"), pod("good-1", nodes[1], "10.244.2.7")][::order]
        assert self.deletes(healthy(nodes, pods=pods), "FLN112") == ["bad-1"]

    def test_112_deletes_none_where_both_addresses_are_right(self) -> None:
        both = [pod("a-1", "a", "10.244.1.7"), pod("b-1", "b", "10.244.1.7")]
        said = remedy(cluster(twin("a"), twin("b"), pods=both), "FLN112")
        assert (said.commands, "repair the podCIDRs first" in said.summary) == ((), True)

    def test_112_a_node_without_podcidr_proves_nothing(self) -> None:
        nodes = [announced(node("a", ip="10.20.7.1")), *fleet(1)]
        pods = [pod("a-1", "a", "10.244.9.7"), pod("b-1", "w001", "10.244.9.7")]
        assert self.deletes(healthy(nodes, pods=pods), "FLN112") == ["b-1"]

    @pytest.mark.parametrize("code", ["FLN111", "FLN112"])
    def test_a_pod_that_nobody_would_start_again_is_not_deleted(self, code: str) -> None:
        nodes = fleet(2)
        bare = pod("bare", nodes[0], "10.244.2.7", owner_kind="", owner_name="")
        taken = healthy(nodes, pods=[bare, pod("good-1", nodes[1], "10.244.2.7")])
        assert self.deletes(taken, code) == []


def canal(number: int) -> DaemonSet:
    """Canal in kube-system: calico-node and flannel in one pod."""
    made = daemonset(number, namespace="kube-system", name="canal")
    calico = replace(flannel_container(), name="calico-node", image="calico/node:v3.30.0", command=("start_runit",))
    return replace(made, containers=(calico, flannel_container()))


class TestFln314:
    def both(self, old: DaemonSet, new: DaemonSet) -> Remedy:
        nodes = fleet(2)
        pods = [flannel_pod(n) for n in nodes]
        pods += [replace(p, namespace=old.namespace, name=f"{old.name}-{p.node}", owner_name=old.name) for p in pods]
        return remedy(healthy(nodes, flannel_pods=pods, daemonsets=[old, new]), "FLN314")

    @pytest.mark.parametrize(
        ("changes", "deletes"),
        [
            ({}, True),
            ({"labels": {"app.kubernetes.io/managed-by": "Helm"}}, False),
            ({"created": NOW - DAY}, False),
            ({"name": "other-cni"}, False),
        ],
    )
    def test_only_what_an_upgrade_left_behind_is_deleted(self, changes: dict[str, Any], deletes: bool) -> None:
        said = self.both(daemonset(2, namespace="kube-system", **changes), daemonset(2))
        assert any("delete daemonset" in line for line in said.commands) is deletes

    def test_canal_is_never_deleted_for_a_mistaken_manifest(self) -> None:
        said = self.both(canal(2), daemonset(2))
        assert not any("delete" in line for line in said.commands)


def test_the_lock_of_kured_is_released_by_no_command() -> None:
    locked = daemonset(
        2, namespace="kube-system", name="kured", containers=(), annotations={"weave.works/kured-node-lock": '{"nodeID":"w001"}'}
    )
    said = remedy(healthy(fleet(2), daemonsets=[daemonset(2), locked]), "FLN602")
    assert said.commands == ()
    assert "weave.works/kured-node-lock" in said.caution


def test_a_silent_node_that_is_still_ready_is_not_deleted() -> None:
    late = [lease("w001", ago=2 * DAY), lease("w002"), manager_lease()]
    found: list[Finding] = findings(healthy(fleet(2), leases=late), "FLN604")
    assert [f.remedy.commands for f in found if f.remedy is not None] == [()]
    assert found[0].remedy is not None and "see whether the clock of w001 is behind" in found[0].remedy.summary


def wide_manager() -> Any:
    return manager_pod("--cluster-cidr=10.0.0.0/8", "--node-cidr-mask-size=24")


def order_of(said: Remedy, *starts: str) -> list[int]:
    """Where the lines that start so stand; each must be there once."""
    found = [[i for i, line in enumerate(said.commands) if line.startswith(start)] for start in starts]
    assert all(len(places) == 1 for places in found), dict(zip(starts, found, strict=True))
    return [places[0] for places in found]
