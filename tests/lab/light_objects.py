"""What the API is told about light nodes: a Node as a kubelet registers it, and the one Pod that runs there."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from tests.lab.api import Object
from tests.lab.manifests import LIGHT_LABEL
from tests.lab.networks import Machine
from tests.lab.programs.images import BUSYBOX
from tests.lab.settings import KUBERNETES, Kind

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
RESOURCES = {"cpu": "2", "memory": "4Gi", "pods": "110", "ephemeral-storage": "20Gi"}


def now() -> str:
    """The time as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def conditions(status: str, *types: str, **more: str) -> list[Object]:
    """Conditions of one status, since now."""
    return [{"type": kind, "status": status, "reason": "Lab", "lastTransitionTime": now(), **more} for kind in types]


def node(machine: Machine, dual_stack: bool = False) -> Object:
    """The Node. Its taint keeps away what nobody would start there; flannel's DaemonSet does not cover it."""
    addresses = [machine.private, *([machine.private6] if dual_stack else [])]
    known = hashlib.sha256(machine.name.encode()).hexdigest()[:32]
    boot = BOOT_ID.read_text().strip()
    fine = conditions("False", "MemoryPressure", "DiskPressure", "PIDPressure", lastHeartbeatTime=now())
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": machine.name,
            "labels": {
                LIGHT_LABEL: "true",
                "kubernetes.io/hostname": machine.name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
            },
        },
        "spec": {"taints": [{"key": LIGHT_LABEL, "effect": "NoSchedule"}]},
        "status": {
            "addresses": [
                *({"type": "InternalIP", "address": address} for address in addresses),
                {"type": "Hostname", "address": machine.name},
            ],
            "capacity": RESOURCES,
            "allocatable": RESOURCES,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "conditions": [*fine, *conditions("True", "Ready", lastHeartbeatTime=now())],
            "nodeInfo": {
                "machineID": known, "systemUUID": known, "bootID": boot, "kernelVersion": os.uname().release,
                "osImage": "a light node of the lab", "containerRuntimeVersion": "none://0", "kubeletVersion": f"v{KUBERNETES}",
                "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64",
            },
        },
    }  # fmt: skip


def announced(machine: Machine, kind: Kind) -> Object:
    """The annotations that flannel left on the Node before its machine was last switched off: {} where none can be foreseen.

    A flannel that finds its own there, keeps its MAC and changes nothing. If hundreds came up without, each would have to be
    told hundreds of times what the others have just announced.
    """
    if kind.backend.get("Type") != "vxlan" or kind.dual_stack:
        return {}
    digest = hashlib.sha256(machine.name.encode()).digest()
    mac = ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))  # locally administered
    values = {
        "backend-type": "vxlan",
        "backend-data": json.dumps({"VNI": kind.backend.get("VNI", 1), "VtepMAC": mac}, separators=(",", ":")),
        "kube-subnet-manager": "true",
        "public-ip": machine.private,
    }
    return {"metadata": {"annotations": {f"flannel.alpha.coreos.com/{name}": value for name, value in values.items()}}}


def pod(machine: Machine) -> Object:
    """The Pod. Without a kubelet nobody would end it in the time of grace: it goes at once when its Node does."""
    container = {"name": "c", "image": BUSYBOX, "imagePullPolicy": "Never", "command": ["/bin/sleep", "1000000"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        # Not the probes' own label: their DaemonSet would adopt it, and end it.
        "metadata": {"name": f"probe-{machine.name}", "namespace": "default", "labels": {"app": "light-probe"}},
        "spec": {
            "nodeName": machine.name, "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0,
            "tolerations": [{"operator": "Exists"}], "containers": [container],
        },
    }  # fmt: skip


def pod_status(machine: Machine, addresses: list[str]) -> Object:
    """What a kubelet writes of a Pod that runs. It must be written after the Pod was made: POST drops a status."""
    state = {"running": {"startedAt": now()}}
    identity = f"containerd://{hashlib.sha256(machine.name.encode()).hexdigest()}"
    return {
        "status": {
            "phase": "Running", "hostIP": machine.private, "hostIPs": [{"ip": machine.private}],
            "podIP": addresses[0], "podIPs": [{"ip": address} for address in addresses], "startTime": now(),
            "conditions": conditions("True", "PodScheduled", "Initialized", "ContainersReady", "Ready"),
            "containerStatuses": [{
                "name": "c", "ready": True, "started": True, "restartCount": 0, "image": BUSYBOX, "imageID": "",
                "containerID": identity, "state": state,
            }],
        }
    }  # fmt: skip
