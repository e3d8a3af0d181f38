"""FLN305, 306, 312, 314, 315: where flannel runs, in which release, with which configuration."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope.model import (
    Container,
    ContainerStatus,
    DaemonSet,
    Node,
    NodeRequirement,
    Pod,
    Severity,
    Snapshot,
    Subject,
    Taint,
    Topic,
)

from .builders import (
    DAY,
    NOW,
    announced,
    crashing,
    daemonset,
    event,
    findings,
    flannel_container,
    flannel_pod,
    fleet,
    healthy,
    manager_pod,
    mirror_pod,
    net_conf,
    node,
    nodes_of,
    running,
    snapshot,
    unknowns,
)

W1, W2, W3 = fleet(3)
OLD_IMAGE = "rancher/mirrored-flannelcni-flannel:v0.18.1"


def second(
    prefix: str = "", *, subnet_file: str = "", namespace: str = "kube-system", image: str = OLD_IMAGE, there: int = 3
) -> DaemonSet:
    """Another flannel DaemonSet of the usual name in another namespace, with a pod on `there` of three Nodes."""
    args: tuple[str, ...] = ("--ip-masq", "--kube-subnet-mgr")
    args += (f"--kube-annotation-prefix={prefix}",) if prefix else ()
    args += (f"--subnet-file={subnet_file}",) if subnet_file else ()
    containers = (flannel_container(image, *args),)
    return daemonset(3, namespace=namespace, containers=containers, config_maps=(), current=there, updated=there)


def aged(pod: Pod, seconds: float, *statuses: ContainerStatus) -> Pod:
    """The pod as created so many seconds ago, with these container statuses."""
    assert pod.detail is not None
    return replace(pod, phase="Pending", detail=replace(pod.detail, created=NOW - seconds, statuses=statuses))


# FLN305 flannel-missing-on-node


def test_305_a_covered_node_without_a_pod() -> None:
    [found] = findings(healthy([W1, W2, W3], flannel_pods=[flannel_pod(W1), flannel_pod(W2)]), "FLN305")
    assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w003",))
    assert "there is no pod of it" in found.summary
    assert found.evidence[0].command.endswith("spec.nodeName=w003")


def test_305_a_node_without_a_pod_is_no_rollout_though_others_were_restarted_lately() -> None:
    """What a quota leaves: the DaemonSet wants three pods, has two, both of its newest template, one of them a minute old."""
    pod = flannel_pod(W2)
    assert pod.detail is not None
    young = replace(pod, detail=replace(pod.detail, created=NOW - 90))
    short = daemonset(3, current=2, updated=2, available=2)
    taken = healthy([W1, W2, W3], flannel_pods=[flannel_pod(W1), young], daemonsets=[short])
    assert [found.nodes for found in findings(taken, "FLN305")] == [("w003",)]

    rolling = daemonset(3, current=3, updated=2, available=2)
    assert findings(healthy([W1, W2, W3], flannel_pods=[flannel_pod(W1), young], daemonsets=[rolling]), "FLN305") == []


def test_305_a_pod_that_has_just_gone_is_unknown_while_the_daemonset_counts_it() -> None:
    """Between the end of a pod and its successor, or with a controller manager that counts no more."""
    taken = healthy([W1, W2], flannel_pods=[flannel_pod(W1)], daemonsets=[daemonset(2)])
    assert findings(taken, "FLN305") == []
    assert [(u.code, u.nodes) for u in unknowns(taken, "FLN305")] == [("FLN305", ("w002",))]


@pytest.mark.parametrize(
    ("statuses", "says"),
    [
        ((ContainerStatus(name="kube-flannel", state="waiting", reason="ImagePullBackOff"),), "ImagePullBackOff"),
        (
            (
                ContainerStatus(name="install-cni", init=True, state="waiting", reason="CrashLoopBackOff", restarts=7),
                ContainerStatus(name="kube-flannel", state="waiting", reason="PodInitializing"),
            ),
            "install-cni: CrashLoopBackOff",
        ),
        ((), "phase Pending"),
    ],
)
def test_305_a_pod_that_never_ran(statuses: tuple[ContainerStatus, ...], says: str) -> None:
    pods = [flannel_pod(W1), aged(flannel_pod(W2), 600, *statuses)]
    [found] = findings(healthy([W1, W2], flannel_pods=pods), "FLN305")
    assert found.nodes == ("w002",)
    assert says in found.summary


def missing(what: Node, **changes: Any) -> Snapshot:
    """A cluster in which only this Node has no flannel pod."""
    return healthy([W1, what], flannel_pods=[flannel_pod(W1)], **changes)


@pytest.mark.parametrize(
    "taken",
    [
        missing(replace(W2, created=NOW - 240)),
        missing(replace(W2, ready_since=NOW - 240)),
        missing(replace(W2, ready="False")),
        missing(W2, daemonsets=[daemonset(2, created=NOW - 240)]),
        missing(W2, daemonsets=[daemonset(1, affinity=((NodeRequirement("kubernetes.io/hostname", "NotIn", ("w002",)),),))]),
        missing(replace(W2, taints=(Taint("db", "", "NoExecute"),))),
        missing(replace(W2, os="windows")),
        missing(replace(W2, labels={"type": "virtual-kubelet"})),
        missing(W2, daemonsets=[]),
        healthy([W2], flannel_pods=[replace(flannel_pod(W2), deleting=True)]),
        healthy([W2], flannel_pods=[flannel_pod(W2, crashing())]),
        healthy([W2], flannel_pods=[aged(flannel_pod(W2), 240)]),
        missing(W2, daemonsets=[daemonset(2, generation=2)]),
    ],
    ids=[
        "young node",
        "ready since just now",
        "not ready",
        "young DaemonSet",
        "left out by affinity",
        "repelled by a taint",
        "Windows",
        "virtual",
        "on the host",
        "being replaced",
        "crash loop is FLN301",
        "pod just made",
        "rollout not even observed",
    ],
)
def test_305_is_not_said_of(taken: Snapshot) -> None:
    assert findings(taken, "FLN305") == []


def test_305_another_flannel_of_the_same_prefix_serves_the_node() -> None:
    taken = healthy([W1], flannel_pods=[flannel_pod(W1)], daemonsets=[daemonset(1), second()])
    assert findings(taken, "FLN305") == []


def test_305_a_second_network_is_missed_for_itself() -> None:
    both = [daemonset(1), second("example.com/", subnet_file="/run/flannel/second.env", there=0)]
    nodes = [announced(W1, prefix="example.com/")]
    [found] = findings(healthy(nodes, daemonsets=both), "FLN305")
    assert "kube-system/kube-flannel-ds" in found.summary


def test_305_explains_why_the_node_is_not_announced() -> None:
    taken = missing(W2)
    assert findings(taken, "FLN201") == []
    assert nodes_of(findings(taken, "FLN305")) == [("w002",)]


def test_305_says_unknown_where_daemonsets_were_not_read() -> None:
    taken = missing(W2, topics=[t for t in Topic if t is not Topic.DAEMONSETS])
    assert [u.code for u in unknowns(taken, "FLN305")] == ["FLN305"]


# FLN306 flannel-version-skew


def skewed(*images: str, **changes: Any) -> Snapshot:
    """One Node for each of these images."""
    nodes = fleet(len(images))
    pods = [flannel_pod(n, image=image) for n, image in zip(nodes, images, strict=True)]
    return healthy(nodes, flannel_pods=pods, **changes)


def test_306_two_releases() -> None:
    [found] = findings(skewed("flannel/flannel:v0.22.2", "flannel/flannel:v0.22.2", "flannel/flannel:v0.21.5"), "FLN306")
    assert (found.severity, found.nodes) == (Severity.INFO, ("w003",))
    assert "v0.21.5 on w003; v0.22.2 on the other 2" in found.summary


@pytest.mark.parametrize(
    "images",
    [
        ("flannel/flannel:v0.22.2", "registry.local/mirror/flannel:v0.22.2-build20230901"),
        ("quay.io/coreos/flannel:v0.14.0-amd64", "quay.io/coreos/flannel:v0.14.0-arm64"),
        ("flannel/flannel:v0.22.2", "flannel/flannel@sha256:0a"),
        ("flannel/flannel:v0.22.2", "flannel/flannel:latest"),
    ],
)
def test_306_registry_architecture_and_build_do_not_count(images: tuple[str, ...]) -> None:
    assert findings(skewed(*images), "FLN306") == []


def test_306_windows_has_releases_of_its_own() -> None:
    windows = replace(W2, os="windows")
    pods = [flannel_pod(W1), flannel_pod(windows, image="sigwindowstools/flannel:v0.22.1-hostprocess")]
    assert findings(healthy([W1, windows], flannel_pods=pods), "FLN306") == []


def test_306_a_rollout_on_its_way_is_no_skew() -> None:
    taken = skewed("flannel/flannel:v0.22.2", "flannel/flannel:v0.21.5")
    young = taken.flannel_pods[0]
    assert young.detail is not None
    pods = (replace(young, detail=replace(young.detail, created=NOW - 60)), taken.flannel_pods[1])
    assert findings(replace(taken, flannel_pods=pods, daemonsets=(daemonset(2, updated=1),)), "FLN306") == []
    on_delete = daemonset(2, updated=1, update_strategy="OnDelete")
    assert len(findings(replace(taken, flannel_pods=pods, daemonsets=(on_delete,)), "FLN306")) == 1


def test_306_some_releases_do_not_get_on() -> None:
    taken = skewed("flannel/flannel:v0.28.0", "flannel/flannel:v0.14.0")
    large = replace(taken, nodes=tuple(announced(n, vni=70000) for n in taken.nodes))
    [found] = findings(large, "FLN306")
    assert found.severity == Severity.WARNING
    assert "VNI above 65535" in found.summary


# FLN312 known-bad-version


def finalizing(*, deleting: float | None = None, version: str = "v1.31.2", manager: str = "v1.31.2") -> Snapshot:
    held = replace(W1, finalizers=("karpenter.sh/termination",), deleting=deleting)
    pod = manager_pod()
    assert pod.detail is not None
    image = Container(
        name="kube-controller-manager",
        image=f"registry.k8s.io/kube-controller-manager:{manager}",
        command=pod.detail.containers[0].command,
    )
    managers = [replace(pod, detail=replace(pod.detail, containers=(image,)))] if manager else []
    taken = healthy([held, W2], control_plane_pods=managers)
    return replace(taken, cluster=replace(taken.cluster, version=version))


def test_312_finalizers_on_nodes_under_1_31_2() -> None:
    [found] = findings(finalizing(), "FLN312")
    assert (found.severity, found.nodes) == (Severity.INFO, ("w001",))


def test_312_is_a_warning_while_a_node_waits_for_its_finalizer() -> None:
    assert [f.severity for f in findings(finalizing(deleting=NOW - 30), "FLN312")] == [Severity.WARNING]


def test_312_the_controller_managers_image_counts_before_the_servers_version() -> None:
    assert findings(finalizing(version="v1.31.2", manager="v1.31.4"), "FLN312") == []
    assert len(findings(finalizing(version="v1.31.3+k3s1", manager=""), "FLN312")) == 1
    assert findings(finalizing(version="v1.32.0", manager=""), "FLN312") == []


def test_312_without_any_version_it_is_unknown() -> None:
    assert [u.code for u in unknowns(finalizing(version="", manager=""), "FLN312")] == ["FLN312"]


def test_312_no_finalizers_nothing_to_fear() -> None:
    taken = healthy()
    assert findings(replace(taken, cluster=replace(taken.cluster, version="v1.31.2")), "FLN312") == []


def with_flags(image: str, *flags: str, on: Node = W1, conf: Any = None) -> Snapshot:
    """One Node whose flannel of this image has these further arguments."""
    container = flannel_container(image, "--ip-masq", "--kube-subnet-mgr", *flags)
    return healthy(
        [on],
        flannel_pods=[flannel_pod(on, image=image)],
        daemonsets=[daemonset(1, containers=(container,))],
        config_maps=[conf or net_conf()],
    )


NAT = announced(replace(W1, external_ips=("203.0.113.1",)), public_ip="203.0.113.1")


@pytest.mark.parametrize(
    ("taken", "severity"),
    [
        (with_flags("flannel/flannel:v0.27.4", "--public-ip=$(PUBLIC_IP)", on=NAT), Severity.WARNING),
        (with_flags("flannel/flannel:v0.27.4", "--public-ip=x", on=announced(W1, public_ip="192.168.7.1")), Severity.INFO),
        (with_flags("flannel/flannel:v0.25.2", on=announced(NAT, public_ip_overwrite="203.0.113.1")), Severity.WARNING),
        (with_flags("flannel/flannel:v0.16.3", r"--iface-regex=^10\.20\.\d+"), Severity.WARNING),
        (
            with_flags("flannel/flannel:v0.18.1", on=announced(W1, "wireguard"), conf=net_conf(backend={"Type": "wireguard"})),
            Severity.WARNING,
        ),
        (with_flags("flannel/flannel:v0.20.2", conf=net_conf(backend={"Type": "vxlan", "VNI": 70000})), Severity.WARNING),
    ],
    ids=["NAT address", "maybe local", "read back", "regex by address", "wireguard MTU", "large VNI"],
)
def test_312_faults_of_flannel_that_fit(taken: Snapshot, severity: Severity) -> None:
    [found] = findings(taken, "FLN312")
    assert (found.severity, found.nodes) == (severity, ("w001",))
    assert found.remedy is not None


@pytest.mark.parametrize(
    "taken",
    [
        with_flags("flannel/flannel:v0.27.3", "--public-ip=x", on=NAT),
        with_flags("flannel/flannel:v0.28.0", on=announced(NAT, public_ip_overwrite="203.0.113.1")),
        with_flags("flannel/flannel:v0.28.0", "--public-ip=10.20.0.1"),
        with_flags("flannel/flannel:v0.16.3", "--iface-regex=eth1|bond1"),
        with_flags("flannel/flannel:latest", "--public-ip=x", on=NAT),
    ],
    ids=["before the fault", "overwrite is the cure", "local address", "regex by name", "unknown release"],
)
def test_312_faults_of_flannel_that_do_not_fit(taken: Snapshot) -> None:
    assert findings(taken, "FLN312") == []


# FLN314 two-daemons-on-node


def beside(ds: DaemonSet, *nodes: Node) -> list[Pod]:
    """Pods of the second DaemonSet on these Nodes."""
    pods = []
    for on in nodes:
        made = flannel_pod(on, namespace=ds.namespace, image=ds.containers[0].image)
        assert made.detail is not None
        pods.append(replace(made, detail=replace(made.detail, containers=ds.containers)))
    return pods


def test_314_an_upgrade_left_the_old_daemonset_in_kube_system() -> None:
    old = second()
    taken = healthy(daemonsets=[daemonset(3), old], flannel_pods=[*(flannel_pod(n) for n in (W1, W2, W3)), *beside(old, W1, W2)])
    [found] = findings(taken, "FLN314")
    assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w001", "w002"))
    assert Subject("DaemonSet", "kube-flannel-ds", "kube-system") in found.subjects
    assert found.remedy is not None
    assert found.remedy.commands[-1] == "kubectl -n kube-system delete daemonset kube-flannel-ds"


def test_314_explains_the_skew_that_it_brings() -> None:
    old = second()
    taken = healthy([W1], daemonsets=[daemonset(1), old], flannel_pods=[flannel_pod(W1), *beside(old, W1)])
    assert nodes_of(findings(taken, "FLN306")) == [("w001",)]
    [found] = findings(taken, "FLN306", "FLN314")
    assert (found.code, [c.code for c in found.consequences]) == ("FLN314", ["FLN306"])


def pair(ds: DaemonSet, status: ContainerStatus | None = None) -> Snapshot:
    """W1 with the upstream flannel and one of another DaemonSet."""
    others = beside(ds, W1)
    if status is not None:
        others = [aged(others[0], 3600, status)]
    return healthy([announced(W1, prefix="example.com/")], daemonsets=[daemonset(1), ds], flannel_pods=[flannel_pod(W1), *others])


def test_314_two_prefixes_with_two_files_are_legitimate() -> None:
    taken = pair(second("example.com/", subnet_file="/run/flannel/second.env"))
    assert findings(taken, "FLN314") == []
    assert unknowns(taken, "FLN314") == []


def test_314_two_prefixes_and_the_default_file_cannot_be_told_apart() -> None:
    taken = pair(second("example.com/"))
    assert findings(taken, "FLN314") == []
    assert [u.nodes for u in unknowns(taken, "FLN314")] == [("w001",)]


def test_314_two_prefixes_told_to_write_one_file() -> None:
    a = second("example.com/", subnet_file="/run/flannel/one.env")
    b = second(subnet_file="/run/flannel/one.env", namespace="net")
    taken = healthy([W1], daemonsets=[a, b], flannel_pods=[*beside(a, W1), *beside(b, W1)])
    assert len(findings(taken, "FLN314")) == 1


def test_314_one_that_does_not_run_disturbs_nobody() -> None:
    assert findings(pair(second(), crashing()), "FLN314") == []


def test_314_an_update_with_surge_runs_two_pods_of_one_daemonset() -> None:
    new = replace(flannel_pod(W1, running(since=NOW - 90)), name="kube-flannel-ds-new")
    assert findings(healthy([W1], flannel_pods=[flannel_pod(W1), new]), "FLN314") == []


# FLN315 net-conf-invalid


def test_315_what_would_end_flannel_at_its_next_start() -> None:
    [found] = findings(healthy(config_maps=[net_conf(backend={"Type": "vxlan", "Port": "8472"})]), "FLN315")
    assert found.severity == Severity.WARNING
    assert found.subjects == (Subject("ConfigMap", "kube-flannel-cfg", "kube-flannel"),)
    assert "ends at once" in found.summary


def test_315_a_misspelt_key() -> None:
    [found] = findings(healthy(config_maps=[net_conf(backend={"Type": "vxlan", "DirectRoute": True})]), "FLN315")
    assert "'DirectRoute'" in found.summary
    assert "does not do what it says" in found.summary


def test_315_one_config_map_of_several_daemonsets_is_one_finding() -> None:
    sets = [daemonset(1, name=f"kube-flannel-ds-{arch}") for arch in ("amd64", "arm64")]
    assert len(findings(healthy(daemonsets=sets, config_maps=[net_conf("10.244.0.0")]), "FLN315")) == 1


def test_315_a_right_one_and_one_that_nobody_mounts() -> None:
    assert findings(healthy(config_maps=[net_conf(), net_conf("banana", namespace="kube-system")]), "FLN315") == []


# none of them on a cluster without flannel


def test_nothing_is_said_of_a_cluster_without_flannel() -> None:
    taken = snapshot(
        [node("w1", "10.0.0.0/24", created=NOW - DAY)], control_plane_pods=[mirror_pod("etcd")], events=[event("Rebooted", W1)]
    )
    assert findings(taken, "FLN305", "FLN306", "FLN312", "FLN314", "FLN315") == []
