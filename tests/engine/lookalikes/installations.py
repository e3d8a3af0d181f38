"""Look-alikes 7 to 9, and of 15 the second network: flannel installed in other ways, or not visible at all."""

from __future__ import annotations

import json

from msgspec.structs import replace

from flannelscope.flannel.annotations import DEFAULT_PREFIX
from flannelscope.model import (
    Container,
    DaemonSet,
    Node,
    NodeRequirement,
    Pod,
    PodDetail,
    ServiceCidr,
)
from tests.engine.builders import (
    DAY,
    NOW,
    announced,
    daemonset,
    flannel_pod,
    fleet,
    healthy,
    lease,
    mac_of,
    manager_pod,
    net_conf,
    node,
    running,
    snapshot,
)
from tests.engine.lookalikes.frame import Pair, lookalike, twin, with_annotations, with_node


@lookalike("FLN101")
def item_07_canal_with_policies() -> Pair:
    """Canal: another name and namespace, calico beside flannel, NetworkPolicies that calico enforces."""
    nodes = fleet(4)
    calico = Container(name="calico-node", image="docker.io/calico/node:v3.30.2")
    flannel = Container(
        name="kube-flannel",
        image="quay.io/coreos/flannel:v0.24.4",
        command=("/opt/bin/flanneld", "--ip-masq", "--kube-subnet-mgr"),
        env={"FLANNELD_IP_MASQ": "true"},
    )
    labels = {"k8s-app": "canal"}
    canal = replace(
        daemonset(4, namespace="kube-system", name="canal", match_labels=labels, template_labels=labels, labels=labels),
        containers=(calico, flannel),
        config_maps=("canal-config",),
    )
    settings = net_conf(namespace="kube-system")
    config = replace(settings, name="canal-config", data={**settings.data, "canal_iface": "", "masquerade": "true"})
    pods = [_canal_pod(n, (calico, flannel), labels) for n in nodes]
    taken = healthy(nodes, flannel_pods=pods, daemonsets=[canal], config_maps=[config], network_policies=3)
    return taken, twin(taken)


def _canal_pod(on: Node, containers: tuple[Container, ...], labels: dict[str, str]) -> Pod:
    detail = PodDetail(
        labels=labels,
        containers=containers,
        statuses=tuple(running(c.name, image=c.image) for c in containers),
        config_maps=("canal-config",),
        created=NOW - 30 * DAY,
    )
    return replace(flannel_pod(on), namespace="kube-system", name=f"canal-{on.name}", owner_name="canal", detail=detail)


@lookalike("FLN101")
def item_08_k3s() -> Pair:
    """flannel and the controller manager inside k3s: no pod of either, no DaemonSet, no ConfigMap."""
    version = {"kubelet_version": "v1.34.4+k3s1"}
    nodes = [replace(n, **version) for n in fleet(4, network="10.42")]
    server = replace(nodes[0], annotations={**nodes[0].annotations, "k3s.io/node-args": '["server","--disable","traefik"]'})
    taken = snapshot(
        [server, *nodes[1:]],
        leases=[lease(n) for n in nodes],
        service_cidrs=[ServiceCidr("kubernetes", ("10.43.0.0/16",))],
        kubernetes_service_ips=("10.43.0.1",),
    )
    return taken, twin(taken)


@lookalike("FLN101")
def item_08_host_installed() -> Pair:
    """flanneld as a service of the host, the control plane not visible, nothing said by anybody for weeks."""
    nodes = fleet(4)
    taken = snapshot(nodes, leases=[lease(n) for n in nodes])
    return taken, twin(taken)


@lookalike("FLN105")
def item_08_etcd_mode() -> Pair:
    """flannel with its own etcd: no annotations and no podCIDRs; corrupted: kube mode, and only some Nodes have a podCIDR."""
    nodes = [node(f"w{i}", ip=f"10.20.0.{i}") for i in range(1, 5)]
    etcd = Container(
        name="kube-flannel", image="quay.io/coreos/flannel:v0.13.0", args=("--etcd-endpoints=http://10.20.0.1:2379",)
    )
    pods = [flannel_pod(n) for n in nodes]
    in_etcd = [replace(p, detail=replace(p.detail or PodDetail(), containers=(etcd,))) for p in pods]
    taken = snapshot(nodes, flannel_pods=in_etcd, daemonsets=[replace(daemonset(4), containers=(etcd,), config_maps=())])
    kube = [announced(replace(n, pod_cidrs=(f"10.244.{i}.0/24",))) for i, n in enumerate(nodes[:3], start=1)]
    corrupted = healthy([*kube, nodes[3]])
    return taken, corrupted


@lookalike("FLN105")
def item_08_no_podcidrs_at_all() -> Pair:
    """Another network hands out addresses: no Node has a podCIDR, no flannel; corrupted: an allocator that is on."""
    nodes = [node(f"w{i}", ip=f"10.20.0.{i}", network_unavailable_reason="CiliumIsUp") for i in range(1, 5)]
    idle = manager_pod("--allocate-node-cidrs=false", "--cluster-cidr=")
    taken = snapshot(nodes, control_plane_pods=[idle])
    return taken, healthy([*fleet(3), replace(nodes[3], name="w9")])


@lookalike("FLN206")
def item_09_windows_nodes() -> Pair:
    """Windows: a DaemonSet and release of its own; VNI 4096 and port 4789 everywhere. Corrupted: one Node keeps VNI 1."""
    linux = [_with_port(n) for n in fleet(3)]
    windows = [
        _with_port(replace(n, name=f"win{i}", os="windows", labels={"kubernetes.io/os": "windows"}))
        for i, n in enumerate(fleet(2, first=10), start=1)
    ]
    for_linux = daemonset(3, affinity=((NodeRequirement("kubernetes.io/os", "In", ("linux",)),),))
    for_windows = daemonset(
        2,
        name="kube-flannel-ds-windows-amd64",
        image="ghcr.io/flannel-io/flannel-windows:v0.22.1-hostprocess",
        node_selector={"kubernetes.io/os": "windows"},
    )
    pods = [flannel_pod(n) for n in linux]
    pods += [
        replace(
            flannel_pod(n, image="ghcr.io/flannel-io/flannel-windows:v0.22.1-hostprocess"),
            owner_name="kube-flannel-ds-windows-amd64",
        )
        for n in windows
    ]
    settings = net_conf(backend={"Type": "vxlan", "VNI": 4096, "Port": 4789})
    taken = healthy([*linux, *windows], flannel_pods=pods, daemonsets=[for_linux, for_windows], config_maps=[settings])
    return taken, with_node(taken, announced(linux[1], vni=1))


def _with_port(what: Node) -> Node:
    return with_annotations(what, backend_data=json.dumps({"VNI": 4096, "VtepMAC": mac_of(what.name)}))


@lookalike("FLN205")
def item_15_two_networks_with_their_own_prefix() -> Pair:
    """A second flannel with another annotation prefix and file; only Nodes of one network are compared."""
    prefix = "second.example.com/"
    nodes = [announced(n, prefix=prefix, backend="host-gw") for n in fleet(3)]
    taken = healthy(
        nodes,
        flannel_pods=[*(flannel_pod(n) for n in nodes), *(_second_flannel(flannel_pod(n, namespace="second")) for n in nodes)],
        daemonsets=[daemonset(3), _second_daemonset(daemonset(3, namespace="second"))],
        config_maps=[net_conf(), net_conf(namespace="second", backend={"Type": "host-gw"})],
    )
    same = nodes[0].annotations[DEFAULT_PREFIX + "backend-data"]
    return taken, with_node(taken, with_annotations(nodes[2], backend_data=same))


_SECOND = (
    Container(
        name="kube-flannel",
        image="ghcr.io/flannel-io/flannel:v0.28.10",
        command=("/opt/bin/flanneld",),
        args=("--kube-subnet-mgr", "--kube-annotation-prefix=second.example.com/", "--subnet-file=/run/flannel/second.env"),
    ),
)


def _second_flannel(made: Pod) -> Pod:
    return replace(made, detail=replace(made.detail or PodDetail(), containers=_SECOND))


def _second_daemonset(made: DaemonSet) -> DaemonSet:
    return replace(made, containers=_SECOND)
