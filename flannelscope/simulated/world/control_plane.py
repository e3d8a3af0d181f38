"""The control plane as kubeadm sets it up: mirror pods with their arguments, the manager's Lease, two ConfigMaps."""

from __future__ import annotations

from collections.abc import Iterable

from flannelscope.model import ConfigMap, Container, ContainerStatus, Event, Lease, Node, Pod, PodDetail
from flannelscope.simulated.world.blueprint import DAY, Blueprint, Machine
from flannelscope.simulated.world.nodes import VERSION

_KUBEADM = """\
apiServer: {{}}
apiVersion: kubeadm.k8s.io/v1beta4
clusterName: kubernetes
controlPlaneEndpoint: api.{name}.internal:6443
kind: ClusterConfiguration
kubernetesVersion: {version}
networking:
  dnsDomain: cluster.local
  podSubnet: {configured}
  serviceSubnet: {services}
"""
_KUBE_PROXY = """\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
clusterCIDR: {cluster}
detectLocalMode: ""
kind: KubeProxyConfiguration
mode: ""
"""


def manager_arguments(plan: Blueprint) -> tuple[str, ...]:
    """The running command line of the controller manager."""
    return (
        "kube-controller-manager",
        "--allocate-node-cidrs=true",
        "--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf",
        "--bind-address=127.0.0.1",
        f"--cluster-cidr={plan.cluster_cidr}",
        "--cluster-name=kubernetes",
        "--controllers=*,bootstrapsigner,tokencleaner",
        "--kubeconfig=/etc/kubernetes/controller-manager.conf",
        "--leader-elect=true",
        f"--node-cidr-mask-size={plan.node_mask}",
        f"--service-cluster-ip-range={plan.service_cidr}",
        "--use-service-account-credentials=true",
    )


def mirror_pods(plan: Blueprint) -> list[Pod]:
    """The controller managers and API servers, one of each on every control-plane Node."""
    commands = {
        "kube-controller-manager": (manager_arguments(plan), plan.manager_age),
        "kube-apiserver": (
            (
                "kube-apiserver",
                "--allow-privileged=true",
                "--authorization-mode=Node,RBAC",
                "--secure-port=6443",
                f"--service-cluster-ip-range={plan.service_cidr}",
            ),
            min(plan.age, 130 * DAY),
        ),
    }
    return [
        _mirror_pod(plan, machine, component, command, age)
        for machine in plan.machines
        if machine.control_plane
        for component, (command, age) in commands.items()
    ]


def manager_lease(plan: Blueprint) -> Lease:
    """The Lease of the controller manager that leads: on the last control-plane Node, renewed every 2 s."""
    leader = [machine.name for machine in plan.machines if machine.control_plane][-1]
    holder = f"{leader}_{plan.dice('leader').uid()}"
    return Lease("kube-system", "kube-controller-manager", holder, plan.now - 1.2, 15)


def config_maps(plan: Blueprint) -> list[ConfigMap]:
    """kubeadm-config and kube-proxy. kubeadm never writes the first again: it keeps what the cluster was set up with."""
    kubeadm = _KUBEADM.format(name=plan.name, version=VERSION, configured=plan.configured_cidr, services=plan.service_cidr)
    begun = plan.ago(plan.age)
    return [
        ConfigMap("kube-system", "kubeadm-config", {"ClusterConfiguration": kubeadm}, begun, begun),
        ConfigMap(
            "kube-system",
            "kube-proxy",
            {"config.conf": _KUBE_PROXY.format(cluster=plan.cluster_cidr)},
            begun,
            plan.ago(plan.manager_age),
        ),
    ]


def allocator_events(plan: Blueprint, nodes: Iterable[Node]) -> list[Event]:
    """What the allocator says of every Node it has nothing left for; it tries again ever rarer, at last every 1000 s."""
    said = []
    for node in nodes:
        if node.pod_cidrs or node.created is None:
            continue
        waited = plan.now - node.created
        said.append(
            Event(
                reason="CIDRNotAvailable",
                type="Normal",  # so in 1.34
                kind="Node",
                namespace="default",
                name=node.name,
                uid=node.uid,
                message=f"Node {node.name} status is now: CIDRNotAvailable",
                component="cidrAllocator",
                count=17 + int(waited / 1000),
                first=node.created + 1,
                last=plan.ago(waited % 1000),
            )
        )
    return said


def _mirror_pod(plan: Blueprint, machine: Machine, component: str, command: tuple[str, ...], age: float) -> Pod:
    dice = plan.dice(component, machine.name)
    image, started = f"registry.k8s.io/{component}:{VERSION}", plan.ago(min(age, machine.age))
    return Pod(
        namespace="kube-system",
        name=f"{component}-{machine.name}",
        uid=dice.uid(),
        resource_version=dice.version(),
        node=machine.name,
        phase="Running",
        ips=(machine.address,),
        host_network=True,
        mirror=True,
        owner_kind="Node",
        owner_name=machine.name,
        detail=PodDetail(
            labels={"component": component, "tier": "control-plane"},
            containers=(Container(name=component, image=image, command=command),),
            statuses=(ContainerStatus(name=component, image=image, ready=True, state="running", started=started),),
            created=started - 3,
        ),
    )
