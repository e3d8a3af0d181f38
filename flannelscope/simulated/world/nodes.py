"""Nodes and the Leases of their kubelets."""

from __future__ import annotations

from flannelscope.flannel.annotations import DEFAULT_PREFIX
from flannelscope.model import Lease, Node, Taint, Writer
from flannelscope.simulated.world.blueprint import Blueprint, Machine

VERSION = "v1.34.4"
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


def node(plan: Blueprint, machine: Machine) -> Node:
    """The Node object of a machine."""
    dice = plan.dice("node", machine.name)
    created = plan.ago(machine.age)
    flannel_runs = bool(machine.pod_cidr)
    return Node(
        name=machine.name,
        uid=dice.uid(),
        resource_version=dice.version(),
        created=created,
        labels=_labels(machine),
        annotations=_announcement(plan, machine) if flannel_runs else {},
        pod_cidrs=(machine.pod_cidr,) if machine.pod_cidr else (),
        taints=(Taint(_CONTROL_PLANE, "", "NoSchedule"),) if machine.control_plane else (),
        internal_ips=(machine.address,),
        ready="True",
        ready_reason="KubeletReady",
        ready_message="kubelet is posting ready status",
        ready_since=created + 35,
        network_unavailable="False" if flannel_runs else "",
        network_unavailable_reason="FlannelIsUp" if flannel_runs else "",
        pod_capacity=110,
        os="linux",
        architecture="amd64",
        kubelet_version=VERSION,
        container_runtime="containerd://2.1.4",
        writers=_writers(plan, machine),
    )


def lease(plan: Blueprint, machine: Machine) -> Lease:
    """The Lease which the machine's kubelet renews every 10 s."""
    renewed = plan.now - plan.dice("lease", machine.name).uniform(0.2, 10.0)
    return Lease("kube-node-lease", machine.name, machine.name, renewed, 40)


def _labels(machine: Machine) -> dict[str, str]:
    labels = {"kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "kubernetes.io/hostname": machine.name}
    if machine.control_plane:
        labels[_CONTROL_PLANE] = ""
        labels["node.kubernetes.io/exclude-from-external-load-balancers"] = ""
    return labels


def _announcement(plan: Blueprint, machine: Machine) -> dict[str, str]:
    mac = plan.dice("vtep", machine.name).mac()
    return {
        DEFAULT_PREFIX + "kube-subnet-manager": "true",
        DEFAULT_PREFIX + "backend-type": machine.backend,
        DEFAULT_PREFIX + "backend-data": f'{{"VNI":1,"VtepMAC":"{mac}"}}' if machine.backend == "vxlan" else "null",
        DEFAULT_PREFIX + "public-ip": machine.announced,
    }


def _writers(plan: Blueprint, machine: Machine) -> tuple[Writer, ...]:
    if not machine.pod_cidr:
        return ()
    return (
        Writer(machine.written_by, "podCIDR", "Update", plan.ago(machine.age)),
        Writer("flanneld", "flannel", "Update", plan.ago(machine.flannel_age)),
    )
