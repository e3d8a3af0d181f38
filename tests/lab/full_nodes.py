"""Machines with a kubelet and containerd: full nodes, and the control plane's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.lab import certificates, machines
from tests.lab.control_plane import API_SERVER, MANAGER, SCHEDULER
from tests.lab.networks import Machine
from tests.lab.places import Places
from tests.lab.programs.images import BUSYBOX, archives
from tests.lab.programs.shelf import program
from tests.lab.settings import CONTROL_PLANE, KUBERNETES, Settings

PLUGINS = Path("/usr/lib/cni")
# Nothing may raise its own claim on memory where CAP_SYS_RESOURCE is missing, as in many containers.
CONTAINERD = """version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "lab.local/busybox:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"
"""
TAINT = "node-role.kubernetes.io/control-plane:NoSchedule"
# The kubelet comes after the images, so that no pod asks for one that is not there yet.
KUBELET = """for i in $(seq 300); do ctr -n k8s.io version > /dev/null 2>&1 && break; sleep .1; done
{imports}
exec {kubelet} {arguments}
"""


def prepare(places: Places, settings: Settings, machine: Machine) -> None:
    """A machine's root with CNI plugins, kubelet and containerd, everything but its start."""
    machines.make_root(places, machine)
    root = places.root(machine.name)
    for plugin in (*PLUGINS.iterdir(), program("flannel")):
        shutil.copy(plugin, root / "opt/cni/bin")
    (root / "etc/containerd").mkdir(exist_ok=True)
    (root / "etc/containerd/config.toml").write_text(CONTAINERD)
    (root / "var/lib/kubelet/config.yaml").write_text(json.dumps(configuration(settings, machine), indent=1))
    (root / "etc/kubernetes/pki").mkdir(exist_ok=True)
    shutil.copy(places.pki / "ca.crt", root / "etc/kubernetes/pki/ca.crt")
    shutil.copy(certificates.make_node(places.pki, machine.name, places.lab), root / "etc/kubernetes/kubelet.conf")
    machines.service(places, machine.name, "sshd", f"/usr/sbin/sshd -D -e -o ListenAddress={machine.private}")
    machines.service(places, machine.name, "containerd", "containerd")
    (root / "etc/lab/services/kubelet").write_text(kubelet_service(settings, machine))


def configuration(settings: Settings, machine: Machine) -> dict[str, Any]:
    """The kubelet's configuration. Disks and images are nobody's business here: nothing is evicted or removed for them."""
    asks = not standalone(settings, machine)  # the API server whether somebody may do something
    control = {"staticPodPath": "/etc/kubernetes/manifests"} if machine.name == CONTROL_PLANE else {}
    limits = {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%", "nodefs.inodesFree": "1%"}
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "cgroupDriver": "cgroupfs",
        "authentication": {"x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"}, "webhook": {"enabled": asks}},
        "authorization": {"mode": "Webhook" if asks else "AlwaysAllow"}, "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "resolvConf": "", "enforceNodeAllocatable": ["pods"], "maxPods": 110, "failSwapOn": False, "failCgroupV1": False,
        "evictionHard": limits, "imageMinimumGCAge": "1000h", "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99, **control,
    }  # fmt: skip


def standalone(settings: Settings, machine: Machine) -> bool:
    """Whether a kubelet knows no cluster: that of a managed control plane."""
    return machine.name == CONTROL_PLANE and settings.kind.managed


def kubelet_service(settings: Settings, machine: Machine) -> str:
    """Import the images, once, then be the kubelet; that of a managed control plane knows no cluster."""
    control = machine.name == CONTROL_PLANE
    addresses = f"{machine.private},{machine.private6}" if settings.kind.dual_stack else machine.private
    arguments = ["--config=/var/lib/kubelet/config.yaml", f"--hostname-override={machine.name}", f"--node-ip={addresses}"]
    if control:
        arguments.append("--vmodule=pod_workers=4")  # so that it says when it has done with a static pod
    if not standalone(settings, machine):
        arguments.append("--kubeconfig=/etc/kubernetes/kubelet.conf")
        if control:
            arguments.append(f"--register-with-taints={TAINT}")
    return KUBELET.format(
        imports="\n".join(imports(control)),
        kubelet=f"/opt/lab/programs/{program('kubelet').parent.name}/kubelet",
        arguments=" ".join(arguments),
    )


def imports(control: bool) -> list[str]:
    """Shell lines that give containerd the images; static pods of the control plane have their usual images' names."""
    components = (API_SERVER, MANAGER, SCHEDULER) if control else ()
    own = [f"registry.k8s.io/{component}:v{KUBERNETES}" for component in components]
    return [
        "[ -e /var/lib/containerd/imported ] || {",
        *(f"ctr -n k8s.io images import /opt/lab/images/{path.name} || exit 1" for path in archives()),
        *(f"ctr -n k8s.io images tag --force {BUSYBOX} {name} || exit 1" for name in own),
        "touch /var/lib/containerd/imported; }",
    ]
