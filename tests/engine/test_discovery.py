"""Every way in which flannel is deployed is found, and found to be what it is."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope.flannel.annotations import DEFAULT_PREFIX
from flannelscope.flannel.discovery import Discovery, Installation, discover
from flannelscope.flannel.flags import flags
from flannelscope.flannel.names import config_map_candidates, flannel_container, looks_like_flannel
from flannelscope.flannel.versions import image_version
from flannelscope.model import ConfigMap, Container, DaemonSet, Node, NodeRequirement, Pod, PodDetail, Snapshot, Toleration, Topic

from .builders import announced, daemonset, flannel_pod, fleet, net_conf, node, pod, running, snapshot

FLANNELD = ("/opt/bin/flanneld", "--ip-masq", "--kube-subnet-mgr")
NET_CONF = '{"Network": "10.42.0.0/16", "Backend": {"Type": "vxlan"}}'


def one(taken: Snapshot) -> Installation:
    """The only installation of a cluster."""
    found = discover(taken).installations
    assert len(found) == 1, found
    return found[0]


def deployed(
    name: str,
    namespace: str,
    image: str,
    *,
    command: tuple[str, ...] = FLANNELD,
    container: str = "kube-flannel",
    beside: tuple[Container, ...] = (),
    config_map: str = "kube-flannel-cfg",
    **changes: Any,
) -> DaemonSet:
    """A DaemonSet with flannel's container, and perhaps others beside it."""
    containers = (*beside, Container(name=container, image=image, command=command))
    return daemonset(1, namespace=namespace, name=name, containers=containers, config_maps=(config_map,), **changes)


def pod_of(ds: DaemonSet, on: Node) -> Pod:
    """The pod of a DaemonSet on a Node, all its containers running."""
    statuses = tuple(running(c.name, image=c.image) for c in ds.containers)
    detail = PodDetail(containers=ds.containers, statuses=statuses, config_maps=ds.config_maps, created=0.0)
    return pod(
        f"{ds.name}-{on.name}",
        on,
        namespace=ds.namespace,
        host_network=True,
        owner_kind="DaemonSet",
        owner_name=ds.name,
        detail=detail,
    )


CALICO = Container(name="calico-node", image="docker.io/calico/node:v3.28.0")


@pytest.mark.parametrize(
    ("name", "namespace", "image", "kind", "version"),
    [
        ("kube-flannel-ds", "kube-flannel", "ghcr.io/flannel-io/flannel:v0.28.10", "upstream", "v0.28.10"),
        ("kube-flannel-ds", "kube-flannel", "docker.io/flannel/flannel:v0.22.2", "upstream", "v0.22.2"),
        ("kube-flannel-ds", "kube-system", "rancher/mirrored-flannelcni-flannel:v0.18.1", "upstream", "v0.18.1"),
        ("kube-flannel-ds-amd64", "kube-system", "quay.io/coreos/flannel:v0.12.0-amd64", "upstream", "v0.12.0"),
        ("kube-flannel", "kube-system", "rancher/coreos-flannel:v0.15.1-rancher1", "upstream", "v0.15.1"),
        ("net", "networking", "registry.local:5000/mirror/flannel:v0.26.4", "other", "v0.26.4"),
        ("kube-flannel-ds", "kube-flannel", "ghcr.io/flannel-io/flannel@sha256:0a1b", "upstream", "unknown"),
        ("kube-flannel-ds", "kube-flannel", "registry.local/flannel:latest", "upstream", "unknown"),
    ],
)
def test_a_daemonset_by_image_wherever_it_is(name: str, namespace: str, image: str, kind: str, version: str) -> None:
    members = fleet(2)
    ds = deployed(name, namespace, image)
    found = one(snapshot(members, daemonsets=[ds], flannel_pods=[pod_of(ds, n) for n in members]))
    assert (found.kind, found.title, found.version) == (kind, f"{namespace}/{name}", version)
    assert found.covered == {"w001", "w002"}
    assert [p.node for p in found.pods] == ["w001", "w002"]


def test_canal_is_flannel_beside_calico() -> None:
    ds = deployed("canal", "kube-system", "rancher/mirrored-coreos-flannel:v0.15.1", beside=(CALICO,), config_map="canal-config")
    maps = [ConfigMap("kube-system", "canal-config", {"net-conf.json": NET_CONF, "canal_iface": "eth1"})]
    found = one(snapshot(fleet(1), daemonsets=[ds], config_maps=maps))
    assert (found.kind, found.container, found.version) == ("canal", "kube-flannel", "v0.15.1")
    assert found.config_map is maps[0]
    assert found.net_conf is not None
    assert found.net_conf.backend == "vxlan"


def test_rke2_canal_keeps_its_configuration_in_a_secret_that_is_not_read() -> None:
    ds = deployed(
        "rke2-canal",
        "kube-system",
        "rancher/hardened-flannel:v0.26.7-build20250508",
        beside=(CALICO,),
        config_map="",
        service_account="canal",
    )
    found = discover(snapshot(fleet(1), daemonsets=[replace(ds, config_maps=())]))
    assert found.installations[0].kind == "canal"
    assert found.installations[0].version == "v0.26.7"
    assert found.installations[0].net_conf is None
    assert found.families is None


@pytest.mark.parametrize(
    ("mark", "changes", "kind"),
    [
        ("k3s.io/node-args", {}, "k3s"),
        ("rke2.io/node-args", {}, "rke2"),
        ("", {"kubelet_version": "v1.31.4+k3s1"}, "k3s"),
        ("", {}, "host"),
    ],
)
def test_members_without_pods_run_an_embedded_flannel(mark: str, changes: dict[str, str], kind: str) -> None:
    marks = {mark: "[]"} if mark else {}
    members = [replace(n, annotations={**n.annotations, **marks}, **changes) for n in fleet(2)]
    found = discover(snapshot(members))
    assert [(i.kind, i.prefix, i.covered) for i in found.installations] == [(kind, DEFAULT_PREFIX, frozenset({"w001", "w002"}))]
    assert found.installations[0].embedded
    assert found.covered == frozenset(), "no DaemonSet is missed there"


def test_on_the_host_is_not_concluded_from_what_could_not_be_read() -> None:
    unread = snapshot(fleet(2), topics=[Topic.NODES])
    assert discover(unread).installations == ()


def test_nodes_that_the_daemonset_leaves_out_have_a_flannel_of_their_own() -> None:
    """As with the lab's light nodes: flannel as a process of the host, beside a DaemonSet that excludes them."""
    members = fleet(2)
    light = replace(fleet(1, first=9)[0], labels={"light": "true"})
    ds = daemonset(2, affinity=((NodeRequirement("light", "DoesNotExist"),),))
    found = discover(snapshot([*members, light], daemonsets=[ds], flannel_pods=[flannel_pod(n) for n in members]))
    assert [(i.kind, i.covered) for i in found.installations] == [
        ("upstream", frozenset({"w001", "w002"})),
        ("host", frozenset({"w009"})),
    ]


def test_an_upgrade_that_left_the_old_daemonset_behind() -> None:
    members = fleet(1)
    old = deployed("kube-flannel-ds", "kube-system", "rancher/mirrored-flannelcni-flannel:v0.18.1")
    new = daemonset(1)
    pods = [pod_of(old, members[0]), flannel_pod(members[0])]
    found = discover(snapshot(members, daemonsets=[old, new], flannel_pods=pods))
    assert [(i.namespace, i.version, len(i.pods)) for i in found.installations] == [
        ("kube-flannel", "v0.28.10", 1),
        ("kube-system", "v0.18.1", 1),
    ]


def test_per_architecture_daemonsets_cover_their_nodes_only() -> None:
    amd, arm = fleet(2)
    arm = replace(arm, labels={**arm.labels, "kubernetes.io/arch": "arm64"})
    sets = [
        deployed(
            f"kube-flannel-ds-{arch}",
            "kube-system",
            f"quay.io/coreos/flannel:v0.12.0-{arch}",
            node_selector={"kubernetes.io/arch": arch},
        )
        for arch in ("amd64", "arm64", "s390x")
    ]
    found = discover(snapshot([amd, arm], daemonsets=sets))
    assert [(i.name, i.covered) for i in found.installations] == [
        ("kube-flannel-ds-amd64", frozenset({"w001"})),
        ("kube-flannel-ds-arm64", frozenset({"w002"})),
        ("kube-flannel-ds-s390x", frozenset()),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("--kube-annotation-prefix=example.com/fl",),
        ("-kube-annotation-prefix", "example.com/fl"),
        ("--kube-annotation-prefix=example.com/fl-",),
    ],
)
def test_a_custom_prefix_comes_from_the_arguments(words: tuple[str, ...]) -> None:
    members = fleet(2, prefix="example.com/fl-")
    ds = deployed("second-flannel", "net", "ghcr.io/flannel-io/flannel:v0.28.0", command=(*FLANNELD, *words))
    found = discover(snapshot(members, daemonsets=[ds]))
    assert [i.prefix for i in found.installations] == ["example.com/fl-"], "its members are no flannel on the host"


def test_two_networks_side_by_side() -> None:
    nodes = [announced(n, prefix="example.com/") for n in fleet(2)]
    second = deployed(
        "kube-flannel-2", "net", "ghcr.io/flannel-io/flannel:v0.28.0", command=(*FLANNELD, "--kube-annotation-prefix=example.com")
    )
    found = discover(snapshot(nodes, daemonsets=[daemonset(2), second]))
    assert {i.prefix for i in found.installations} == {DEFAULT_PREFIX, "example.com/"}


def test_windows_nodes_belong_to_their_own_daemonset() -> None:
    linux, windows = fleet(2)
    windows = replace(windows, os="windows", labels={"kubernetes.io/os": "windows"})
    sets = [
        daemonset(1),  # an old manifest, which selects no operating system
        deployed(
            "kube-flannel-ds-windows-amd64",
            "kube-flannel",
            "sigwindowstools/flannel:v0.22.1-hostprocess",
            command=("pwsh", "-file", "/kube-flannel/start.ps1"),
            node_selector={"kubernetes.io/os": "windows"},
            tolerations=(Toleration(operator="Exists"),),
        ),
    ]
    found = {i.name: i for i in discover(snapshot([linux, windows], daemonsets=sets)).installations}
    assert found["kube-flannel-ds"].covered == {"w001"}
    assert found["kube-flannel-ds-windows-amd64"].covered == {"w002"}
    assert found["kube-flannel-ds-windows-amd64"].os == "windows"


def test_virtual_nodes_run_no_flannel() -> None:
    virtual = node("virtual-kubelet-aci", labels={"type": "virtual-kubelet"})
    assert one(snapshot([*fleet(1), virtual], daemonsets=[daemonset(1)])).covered == {"w001"}


def test_etcd_mode_writes_no_annotations() -> None:
    nodes = [node("w1", "10.244.1.0/24")]
    ds = deployed(
        "kube-flannel-ds",
        "kube-system",
        "quay.io/coreos/flannel:v0.14.0",
        command=("/opt/bin/flanneld", "--etcd-endpoints=https://10.0.0.1:2379"),
    )
    found = discover(snapshot(nodes, daemonsets=[ds]))
    assert found.etcd_mode
    assert found.installations[0].etcd


def test_a_wrapper_script_in_kube_mode_is_known_by_its_members() -> None:
    ds = deployed("kube-flannel-ds", "net", "registry.local/flannel:v0.25.0", command=("/start.sh",))
    found = discover(snapshot(fleet(1), daemonsets=[ds]))
    assert not found.etcd_mode


def test_pods_tell_of_flannel_where_daemonsets_may_not_be_read() -> None:
    members = fleet(2)
    taken = snapshot(members, flannel_pods=[flannel_pod(n) for n in members], config_maps=[net_conf()])
    found = one(taken)
    assert (found.title, found.daemonset, found.version) == ("kube-flannel/kube-flannel-ds", None, "v0.28.10")
    assert found.net_conf is not None
    assert discover(taken).families == frozenset({4})


def test_flannel_among_all_pods_by_its_container() -> None:
    """No label, a name of its own, found only because pods on the host network are kept with their containers."""
    [member] = fleet(1)
    ds = deployed(
        "overlay", "platform", "registry.local/net/base:7", command=("/opt/bin/flanneld", "--kube-subnet-mgr"), container="agent"
    )
    found = one(snapshot([member], pods=[pod_of(ds, member), pod("web-1", member, "10.244.1.7")]))
    assert (found.title, found.container, [p.name for p in found.pods]) == ("platform/overlay", "agent", ["overlay-w001"])


def test_a_pod_in_both_lists_counts_once() -> None:
    [member] = fleet(1)
    assert len(one(snapshot([member], pods=[flannel_pod(member)], flannel_pods=[flannel_pod(member)])).pods) == 1


def test_net_conf_under_another_file_name() -> None:
    ds = deployed(
        "kube-flannel-ds",
        "net",
        "registry.local/flannel:v0.25.0",
        command=(*FLANNELD, "--net-config-path=/etc/fl/big.json"),
        config_map="fl",
    )
    maps = [ConfigMap("net", "fl", {"big.json": NET_CONF, "net-conf.json": "{}"})]
    found = one(snapshot(fleet(1), daemonsets=[ds], config_maps=maps))
    assert found.net_conf is not None
    assert found.net_conf.network_written == "10.42.0.0/16"


def test_a_config_map_that_flannel_does_not_mount_says_nothing() -> None:
    left = net_conf("10.1.0.0/16", namespace="kube-system")
    found = one(snapshot(fleet(1), daemonsets=[daemonset(1)], config_maps=[left]))
    assert found.net_conf is None


def test_families_are_what_readable_net_confs_enable() -> None:
    dual = net_conf(EnableIPv6=True, IPv6Network="fd00::/56")
    broken = replace(dual, data={"net-conf.json": "{"})
    assert discover(snapshot(daemonsets=[daemonset(0)], config_maps=[dual])).families == frozenset({4, 6})
    assert discover(snapshot(daemonsets=[daemonset(0)], config_maps=[broken])).families is None


def test_a_cluster_without_flannel() -> None:
    cilium = daemonset(1, name="cilium", containers=(Container(name="cilium-agent", image="quay.io/cilium/cilium:v1.16.1"),))
    assert discover(snapshot([node("w1", "10.0.0.0/24")], daemonsets=[cilium])).installations == ()
    assert isinstance(discover(Snapshot()), Discovery)


@pytest.mark.parametrize(
    "image",
    [
        "rancher/flannel-cni:v0.3.0",
        "docker.io/flannel/flannel-cni-plugin:v1.6.2",
        "x/flannel-metrics-exporter:1",
        "notflannel:1",
        "",
    ],
)
def test_what_only_sounds_like_flannel(image: str) -> None:
    assert not looks_like_flannel(image, "main")


def test_a_container_that_installs_is_not_the_daemon() -> None:
    """RKE1 runs install-cni as a container beside flannel's, upstream gives it flannel's own image."""
    install = Container(name="install-cni", image="ghcr.io/flannel-io/flannel:v0.28.10", command=("cp",))
    daemon = Container(name="kube-flannel", image="rancher/coreos-flannel:v0.15.1")
    assert flannel_container((install, daemon)) is daemon
    assert flannel_container((install,)) is None


def test_config_maps_worth_reading() -> None:
    ds = deployed("overlay", "platform", "registry.local/flannel:v0.25.0", config_map="overlay-cfg")
    other = daemonset(1, name="web", containers=(Container(name="web", image="nginx"),), config_maps=("secret-looking",))
    assert config_map_candidates([ds, other], [flannel_pod("w1", namespace="kube-system")]) == (
        ("kube-system", "kube-flannel-cfg"),
        ("platform", "overlay-cfg"),
        ("kube-flannel", "kube-flannel-cfg"),
        ("kube-system", "canal-config"),
        ("kube-system", "kubeadm-config"),
        ("kube-system", "kube-proxy"),
    )


def test_a_container_that_relies_on_its_image_says_no_flags() -> None:
    assert flags(Container(name="kube-flannel")) == {}


def test_flags_in_every_form() -> None:
    given = Container(
        name="kube-flannel",
        command=("sh", "-c", "set -e; /opt/bin/flanneld --iface=eth1 -iface bond1 --kube-subnet-mgr --public-ip '10.0.0.1'"),
        env={"FLANNELD_IP_MASQ": "true", "FLANNELD_IFACE": "eth9"},
    )
    found = flags(given)
    assert found["iface"] == ("eth1", "bond1"), "arguments win over the environment"
    assert found["kube-subnet-mgr"] == ("true",)
    assert found["public-ip"] == ("10.0.0.1",)
    assert found["ip-masq"] == ("true",)


def test_the_release_that_runs_is_the_pods_and_not_the_manifests() -> None:
    members = fleet(3)
    pods = [flannel_pod(n, image="docker.io/flannel/flannel:v0.26.3") for n in members]
    assert one(snapshot(members, daemonsets=[daemonset(3)], flannel_pods=pods)).version == "v0.26.3"


def test_a_digest_is_asked_of_the_runtime() -> None:
    assert image_version("registry.local:5000/flannel@sha256:ff", "registry.local:5000/flannel:v0.27.0-arm64") == "v0.27.0"
    assert image_version("registry.local:5000/flannel@sha256:ff") == "unknown"
