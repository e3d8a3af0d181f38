"""flannel as its own manifest installs it: DaemonSet, pods with their statuses, ConfigMap (kube-flannel.yml of v0.28)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from flannelscope.model import (
    ConfigMap,
    Container,
    ContainerStatus,
    DaemonSet,
    Event,
    NodeRequirement,
    Pod,
    PodDetail,
    Toleration,
)
from flannelscope.simulated.world.blueprint import DAY, HOUR, MINUTE, Blueprint, Dice, Machine

NAMESPACE = "kube-flannel"
NAME = "kube-flannel-ds"
CONFIG = "kube-flannel-cfg"
IMAGE = "ghcr.io/flannel-io/flannel:v0.28.10"
_PLUGIN_IMAGE = "ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel1"
_LABELS = {"app": "flannel", "k8s-app": "flannel", "tier": "node"}
# The private card first, whatever it is called; a machine that has none up falls back to the card of the default route.
_ARGUMENTS = ("--ip-masq", "--kube-subnet-mgr", "--iface-regex=^(eth1|bond1)$", "--iface-regex=^eth0$", "--healthz-port=8081")
_BACK_OFF = 5 * MINUTE


def config_map(plan: Blueprint) -> ConfigMap:
    """kube-flannel-cfg with net-conf.json and the CNI configuration."""
    data = {
        "cni-conf.json": json.dumps(
            {
                "name": "cbr0",
                "cniVersion": "0.3.1",
                "plugins": [
                    {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
                    {"type": "portmap", "capabilities": {"portMappings": True}},
                ],
            },
            indent=2,
        ),
        "net-conf.json": json.dumps({"Network": plan.network, "EnableNFTables": False, "Backend": {"Type": "vxlan"}}, indent=2),
    }
    return ConfigMap(NAMESPACE, CONFIG, data, plan.ago(plan.age), plan.ago(plan.network_written_age))


def daemonset(plan: Blueprint) -> DaemonSet:
    """The DaemonSet, rolled out; pods that crash-loop are not available."""
    dice, wanted = plan.dice("daemonset"), len(plan.machines)
    return DaemonSet(
        namespace=NAMESPACE,
        name=NAME,
        uid=dice.uid(),
        resource_version=dice.version(),
        created=plan.ago(plan.age),
        generation=4,
        observed_generation=4,
        desired=wanted,
        current=wanted,
        updated=wanted,
        available=sum(1 for machine in plan.machines if machine.pod_cidr),
        labels=_LABELS,
        match_labels={"app": "flannel", "k8s-app": "flannel"},
        template_labels=_LABELS,
        affinity=((NodeRequirement("kubernetes.io/os", "In", ("linux",)),),),
        tolerations=(Toleration("", "Exists", "", "NoSchedule"),),
        containers=_containers(plan),
        init_containers=_init_containers(),
        config_maps=(CONFIG,),
        service_account="flannel",
        host_network=True,
    )


def pod(plan: Blueprint, machine: Machine) -> Pod:
    """flannel's pod on a machine: running, restarted after it was killed, or crash-looping while there is no podCIDR."""
    dice = plan.dice("flannel", machine.name)
    name, uid, started = f"{NAME}-{dice.suffix(5)}", dice.uid(), plan.ago(machine.flannel_age)
    detail = PodDetail(
        labels={**_LABELS, "pod-template-generation": "4"},
        containers=_containers(plan),
        init_containers=_init_containers(),
        statuses=(*_init_statuses(started), _status(plan, machine, dice, f"{name}_{NAMESPACE}({uid})")),
        config_maps=(CONFIG,),
        created=started - 6 if not machine.killed else plan.ago(min(machine.age, 20 * DAY)),
    )
    return Pod(
        namespace=NAMESPACE,
        name=name,
        uid=uid,
        resource_version=dice.version(),
        node=machine.name,
        phase="Running",
        ips=(machine.address,),
        host_network=True,
        owner_kind="DaemonSet",
        owner_name=NAME,
        detail=detail,
    )


def events(plan: Blueprint, pods: Sequence[Pod]) -> list[Event]:
    """What kubelets say of flannel containers that end and are started again, as far as the API server still keeps it."""
    machines = {machine.name: machine for machine in plan.machines}
    return [_back_off(plan, machines[pod.node], pod) for pod in pods if _restarted_lately(machines[pod.node])]


def _restarted_lately(machine: Machine) -> bool:
    return not machine.pod_cidr or (machine.killed > 0 and machine.flannel_age < HOUR)


def _back_off(plan: Blueprint, machine: Machine, pod: Pod) -> Event:
    since = 0.0 if not machine.pod_cidr else machine.flannel_age
    last = plan.ago(since + 20)
    return Event(
        reason="BackOff",
        type="Warning",
        kind="Pod",
        namespace=NAMESPACE,
        name=pod.name,
        uid=pod.uid,
        message=f"Back-off restarting failed container kube-flannel in pod {pod.name}_{NAMESPACE}({pod.uid})",
        component="kubelet",
        count=7 if machine.pod_cidr else max(3, int(machine.age / 12)),
        first=last - 70 if machine.pod_cidr else plan.ago(machine.age - 2 * MINUTE),
        last=last,
    )


def _containers(plan: Blueprint) -> tuple[Container, ...]:
    limit = plan.flannel_memory_limit
    return (Container(name="kube-flannel", image=IMAGE, command=("/opt/bin/flanneld",), args=_ARGUMENTS, memory_limit=limit),)


def _init_containers() -> tuple[Container, ...]:
    copy = ("-f", "/flannel", "/opt/cni/bin/flannel")
    return (
        Container(name="install-cni-plugin", image=_PLUGIN_IMAGE, command=("cp",), args=copy),
        Container(name="install-cni", image=IMAGE, command=("/opt/bin/install-conf",)),
    )


def _init_statuses(started: float) -> tuple[ContainerStatus, ...]:
    return tuple(
        ContainerStatus(
            name=name,
            init=True,
            image=image,
            ready=True,
            state="terminated",
            reason="Completed",
            started=started - before,
            finished=started - before + 1,
            exit_code=0,
        )
        for name, image, before in (("install-cni-plugin", _PLUGIN_IMAGE, 4), ("install-cni", IMAGE, 2))
    )


def _status(plan: Blueprint, machine: Machine, dice: Dice, where: str) -> ContainerStatus:
    if not machine.pod_cidr:
        return _crash_looping(plan, machine, dice, where)
    started = plan.ago(machine.flannel_age)
    if not machine.killed:
        return ContainerStatus(name="kube-flannel", image=IMAGE, ready=True, state="running", started=started)
    lived = dice.uniform(2 * HOUR, 9 * HOUR)
    return ContainerStatus(
        name="kube-flannel",
        image=IMAGE,
        ready=True,
        restarts=machine.killed,
        state="running",
        started=started,
        last_reason="OOMKilled",
        last_exit_code=137,
        last_started=started - 20 - lived,
        last_finished=started - 20,
    )


def _crash_looping(plan: Blueprint, machine: Machine, dice: Dice, where: str) -> ContainerStatus:
    """flanneld ends at once with `pod cidr not assigned` and exit code 1; the kubelet waits ever longer, at most 5 min."""
    ended = plan.ago(dice.uniform(10, _BACK_OFF - 20))
    return ContainerStatus(
        name="kube-flannel",
        image=IMAGE,
        restarts=5 + int(machine.age / _BACK_OFF),
        state="waiting",
        reason="CrashLoopBackOff",
        message=f"back-off 5m0s restarting failed container=kube-flannel pod={where}",
        last_reason="Error",
        last_exit_code=1,
        last_started=ended - 2,
        last_finished=ended,
    )
