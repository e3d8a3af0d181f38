"""The pods that live on the network: Deployments, Jobs that are done, and the pods every Node carries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flannelscope import cidr
from flannelscope.model import Container, ContainerStatus, Event, Pod, PodDetail
from flannelscope.simulated.world.blueprint import MINUTE, Blueprint, Dice, Machine
from flannelscope.simulated.world.nodes import VERSION

# (namespace, Deployment, how many of its replicas among a hundred pods)
DEPLOYMENTS = (
    ("shop", "catalogue", 12),
    ("shop", "checkout", 8),
    ("shop", "cart", 9),
    ("shop", "storefront", 14),
    ("payments", "ledger", 5),
    ("payments", "gateway", 6),
    ("search", "indexer", 7),
    ("search", "query", 9),
    ("ingress", "edge-proxy", 4),
    ("monitoring", "scraper", 3),
    ("platform", "mail-relay", 3),
    ("platform", "image-resizer", 8),
    ("batch", "report-worker", 12),
)
_SANDBOX = (
    'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "{sandbox}": plugin '
    'type="flannel" failed (add): loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file or directory'
)


def pods(plan: Blueprint, machine: Machine) -> Iterator[Pod]:
    """Every pod of a machine but flannel's and the control plane's."""
    dice = plan.dice("pods", machine.name)
    yield _host_pod(plan, machine, dice, "kube-system", "kube-proxy", f"registry.k8s.io/kube-proxy:{VERSION}")
    yield _host_pod(plan, machine, dice, "monitoring", "node-exporter", "quay.io/prometheus/node-exporter:v1.9.1")
    wanted = 0 if machine.control_plane else machine.pods
    addresses = _addresses(machine, dice, wanted + 1)
    yield _pod(plan, machine, dice, ("logging", "fluent-bit", "DaemonSet"), next(addresses, ""))
    for namespace, name, _ in dice.choices(DEPLOYMENTS, [share for *_, share in DEPLOYMENTS], k=wanted):
        address = next(addresses, "")
        yield _pod(plan, machine, dice, (namespace, name, "ReplicaSet"), address)
        if address and dice.random() < 0.02:  # a finished Job still shows the address that is in use again
            yield _finished_job(plan, machine, dice, address)


def sandbox_events(plan: Blueprint, waiting: Sequence[Pod]) -> list[Event]:
    """What kubelets say of pods whose network cannot be set up, because flannel never wrote its subnet file."""
    return [
        Event(
            reason="FailedCreatePodSandBox",
            type="Warning",
            kind="Pod",
            namespace=pod.namespace,
            name=pod.name,
            uid=pod.uid,
            message=_SANDBOX.format(sandbox=f"{plan.dice('sandbox', pod.uid).getrandbits(256):064x}"),
            component="kubelet",
            count=max(3, int((plan.now - (pod.scheduled or plan.now)) / 13)),
            first=pod.scheduled,
            last=plan.ago(plan.dice("retry", pod.uid).uniform(1, 14)),
        )
        for pod in waiting
    ]


def _addresses(machine: Machine, dice: Dice, number: int) -> Iterator[str]:
    """Addresses as host-local has handed them out from base + 2 upwards, some of them given back since."""
    prefix = cidr.parse(machine.pod_cidr)
    if prefix is None:
        return
    for offset in dice.sample(range(2, 2 + max(30, number * 3 // 2)), number):
        yield cidr.show_address(prefix.family, prefix.base + offset)


def _pod(plan: Blueprint, machine: Machine, dice: Dice, owner: tuple[str, str, str], address: str) -> Pod:
    namespace, name, kind = owner
    owner_name = name if kind == "DaemonSet" else f"{name}-{plan.dice('replicas', namespace, name).suffix(10)}"
    return Pod(
        namespace=namespace,
        name=f"{owner_name}-{dice.suffix(5)}",
        uid=dice.uid(),
        resource_version=dice.version(),
        node=machine.name,
        phase="Running" if address else "Pending",
        ips=(address,) if address else (),
        owner_kind=kind,
        owner_name=owner_name,
        scheduled=None if address else plan.ago(dice.uniform(3 * MINUTE, max(machine.age - 60, 4 * MINUTE))),
    )


def _finished_job(plan: Blueprint, machine: Machine, dice: Dice, address: str) -> Pod:
    owner = f"nightly-export-{29_390_000 + dice.randrange(9_000)}"
    return Pod(
        namespace="batch",
        name=f"{owner}-{dice.suffix(5)}",
        uid=dice.uid(),
        resource_version=dice.version(),
        node=machine.name,
        phase="Succeeded",
        ips=(address,),
        owner_kind="Job",
        owner_name=owner,
    )


def _host_pod(plan: Blueprint, machine: Machine, dice: Dice, namespace: str, name: str, image: str) -> Pod:
    started = plan.ago(min(machine.age - 20, plan.manager_age))
    return Pod(
        namespace=namespace,
        name=f"{name}-{dice.suffix(5)}",
        uid=dice.uid(),
        resource_version=dice.version(),
        node=machine.name,
        phase="Running",
        ips=(machine.address,),
        host_network=True,
        owner_kind="DaemonSet",
        owner_name=name,
        detail=PodDetail(
            labels={"k8s-app": name},
            containers=(Container(name=name, image=image),),
            statuses=(ContainerStatus(name=name, image=image, ready=True, state="running", started=started),),
            created=started - 4,
        ),
    )
