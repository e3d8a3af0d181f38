"""The control plane as kubeadm sets it up: static pods of the kubelet on the machine "cp", and etcd beside it.

So the mirror pods are the kubelet's own and hold the arguments that really run. A managed control plane is the same without a
kubeconfig for that kubelet: it runs its static pods, and the cluster sees neither a Node nor a pod of it.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.lab.api import once
from tests.lab.networks import CONTROL_PLANE_ADDRESS
from tests.lab.places import CGROUPS, Places, cgroup_name
from tests.lab.processes import LabFailed, checked, signal_to, wait_until
from tests.lab.programs.shelf import program
from tests.lab.settings import CONTROL_PLANE, KUBERNETES, Settings

API_SERVER, MANAGER, SCHEDULER = "kube-apiserver", "kube-controller-manager", "kube-scheduler"
SERVICES = ("10.96.0.0/16", "fd00:10:96::/112")
FIRST_SERVICES = ("10.96.0.1", "fd00:10:96::1")
STARTS = "lab.local/starts"  # which start of a component a pod is
PKI = "/etc/kubernetes/pki"
DONE = "Pod is complete and the worker can now stop"  # what a kubelet logs at level 4
ETCD = "etcd --data-dir /var/lib/etcd --unsafe-no-fsync --logger=zap --log-level=warn"  # nothing here outlives the machine
PROGRAMS = "/opt/lab/programs"  # where a machine sees the cache's


def service_cidr(settings: Settings) -> str:
    """The Services' ranges."""
    return ",".join(SERVICES[: 2 if settings.kind.dual_stack else 1])


def prepare(places: Places, settings: Settings) -> None:
    """Everything on the machine "cp" that its kubelet finds at its start: certificates and the API server's manifest."""
    folder = places.root(CONTROL_PLANE) / "etc/kubernetes"
    (folder / "pki").mkdir(parents=True, exist_ok=True)
    (folder / "manifests").mkdir(exist_ok=True)
    for name in ("ca", "apiserver", "apiserver-kubelet-client"):
        for suffix in ("crt", "key"):
            shutil.copy(places.pki / f"{name}.{suffix}", folder / "pki")
    for name in ("sa.key", "sa.pub"):
        shutil.copy(places.pki / name, folder / "pki")
    for user in ("admin", "controller-manager", "scheduler"):
        shutil.copy(places.pki / f"{user}.conf", folder)
    install(places, API_SERVER, api_server_arguments(settings))


def api_server_arguments(settings: Settings) -> list[str]:
    """What kubeadm writes, but for etcd, which is reached without TLS on the machine's own loopback."""
    return [
        f"--advertise-address={CONTROL_PLANE_ADDRESS}", "--allow-privileged=true", "--authorization-mode=Node,RBAC",
        f"--client-ca-file={PKI}/ca.crt", "--enable-admission-plugins=NodeRestriction", "--enable-bootstrap-token-auth=true",
        "--etcd-servers=http://127.0.0.1:2379", f"--kubelet-client-certificate={PKI}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={PKI}/apiserver-kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname", "--secure-port=6443",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local", f"--service-account-key-file={PKI}/sa.pub",
        f"--service-account-signing-key-file={PKI}/sa.key", f"--service-cluster-ip-range={service_cidr(settings)}",
        f"--tls-cert-file={PKI}/apiserver.crt", f"--tls-private-key-file={PKI}/apiserver.key",
    ]  # fmt: skip


def manager_arguments(settings: Settings, flags: Mapping[str, str]) -> list[str]:
    """What kubeadm writes, with `flags` (those about addresses) among it; the rate is what hundreds of nodes need."""
    config = "/etc/kubernetes/controller-manager.conf"
    fixed = {
        "allocate-node-cidrs": "true", "authentication-kubeconfig": config, "authorization-kubeconfig": config,
        "bind-address": "127.0.0.1", "client-ca-file": f"{PKI}/ca.crt", "cluster-name": "kubernetes",
        "cluster-signing-cert-file": f"{PKI}/ca.crt", "cluster-signing-key-file": f"{PKI}/ca.key",
        "controllers": "*,bootstrapsigner,tokencleaner", "kube-api-burst": "400", "kube-api-qps": "200", "kubeconfig": config,
        "leader-elect": "true", "root-ca-file": f"{PKI}/ca.crt", "service-account-private-key-file": f"{PKI}/sa.key",
        "service-cluster-ip-range": service_cidr(settings), "use-service-account-credentials": "true",
    }  # fmt: skip
    return [f"--{name}={value}" for name, value in sorted({**fixed, **flags}.items())]


def scheduler_arguments() -> list[str]:
    """What kubeadm writes."""
    config = "/etc/kubernetes/scheduler.conf"
    return [
        f"--authentication-kubeconfig={config}", f"--authorization-kubeconfig={config}", "--bind-address=127.0.0.1",
        f"--kubeconfig={config}", "--leader-elect=true",
    ]  # fmt: skip


def start_rest(places: Places, settings: Settings) -> None:
    """The controller manager and the scheduler, once the API server answers: earlier they would only fall into back-off."""
    install(places, MANAGER, manager_arguments(settings, manager_flags(places, settings)))
    install(places, SCHEDULER, scheduler_arguments())


def manifest(places: Places, component: str) -> Path:
    """The file that makes the kubelet run a component."""
    return places.root(CONTROL_PLANE) / f"etc/kubernetes/manifests/{component}.yaml"


def install(places: Places, component: str, arguments: list[str]) -> int:
    """Write a component's manifest, whole at once; the number in it makes every start a new pod."""
    path = manifest(places, component)
    starts = places.node(CONTROL_PLANE) / f"{component}.starts"
    number = int(starts.read_text()) + 1 if starts.exists() else 1
    starts.write_text(str(number))
    new = places.node(CONTROL_PLANE) / f"{component}.new"
    new.write_text(json.dumps(static_pod(component, arguments, number), indent=1))
    new.rename(path)
    return number


def static_pod(component: str, arguments: list[str], number: int) -> dict[str, Any]:
    """A static pod as kubeadm writes it; its image has a shell only, the program comes from the machine."""
    outside = str(Path(PROGRAMS) / program(component).parent.name / component)
    mounts = [("etc", "/etc/kubernetes", "Directory"), ("program", outside, "File")]
    inside = {"etc": "/etc/kubernetes", "program": f"/usr/bin/{component}"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": component, "namespace": "kube-system", "labels": {"component": component, "tier": "control-plane"},
            "annotations": {STARTS: str(number)},
        },
        "spec": {
            "containers": [{
                "name": component, "image": f"registry.k8s.io/{component}:v{KUBERNETES}", "imagePullPolicy": "Never",
                "command": [component, *arguments], "resources": {"requests": {"cpu": "10m"}},
                "volumeMounts": [{"name": name, "mountPath": inside[name], "readOnly": True} for name, _, _ in mounts],
            }],
            "hostNetwork": True, "priority": 2000001000, "priorityClassName": "system-node-critical",
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}, "terminationGracePeriodSeconds": 2,
            "volumes": [{"name": name, "hostPath": {"path": path, "type": kind}} for name, path, kind in mounts],
        },
    }  # fmt: skip


def ready(places: Places) -> bool:
    """Whether the API server says that it is ready."""
    try:
        return once(places, "/readyz") == b"ok"
    except LabFailed:
        return False


def processes(places: Places, component: str) -> list[int]:
    """Pids of a component: the kernel keeps 15 letters of a program's name."""
    tree = CGROUPS / "pids" / cgroup_name(places.lab, CONTROL_PLANE)
    pids = [int(pid) for file in tree.rglob("cgroup.procs") for pid in _words(file)]
    return [pid for pid in pids if _words(Path(f"/proc/{pid}/comm")) == [component[:15]]]


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:  # the process, or the cgroup, is gone meanwhile
        return []


def log(places: Places, component: str) -> str:
    """All that a component has logged, over all its starts."""
    folder = places.logs / CONTROL_PLANE / "pods"
    files = sorted(folder.glob(f"kube-system_{component}-*/{component}/*.log"), key=lambda file: file.stat().st_mtime)
    return "".join(file.read_text(errors="replace") for file in files)


def log_folder(places: Places) -> Path:
    """Where the logs of the control plane's pods are, for whoever must read them."""
    return places.logs / CONTROL_PLANE / "pods"


def manager_flags(places: Places, settings: Settings) -> dict[str, str]:
    """The controller manager's flags about addresses, as they were changed last."""
    file = places.home / "manager-flags.json"
    flags: dict[str, str] = json.loads(file.read_text()) if file.exists() else dict(settings.kind.manager_flags)
    return flags


def restart_manager(places: Places, settings: Settings, changed: Mapping[str, str | None]) -> int:
    """End the controller manager, take its Lease away as one that ends in order does, and start it with other flags.

    Returns the how-manieth start of it that is.
    """
    flags = {name: value for name, value in {**manager_flags(places, settings), **changed}.items() if value is not None}
    (places.home / "manager-flags.json").write_text(json.dumps(flags))
    remove(places, MANAGER)
    release_lease(places, MANAGER)
    before = set(_pods(places, MANAGER))
    starts = install(places, MANAGER, manager_arguments(settings, flags))
    what = f"a new controller manager runs; read {log_folder(places)}"
    wait_until(lambda: bool(set(_pods(places, MANAGER)) - before), what, 60, 0.05)
    return starts


def release_lease(places: Places, component: str) -> None:
    """Say in a component's Lease that nobody holds it: a successor takes it at once, not after 15 seconds."""
    argv = [str(program("kubectl")), "--kubeconfig", str(places.pki / "admin.conf"), "-n", "kube-system", "patch", "lease"]
    patch = json.dumps({"spec": {"holderIdentity": "", "leaseDurationSeconds": 1}})
    checked(["ip", "netns", "exec", places.network("bastion"), *argv, component, "--type=merge", "-p", patch])


def remove(places: Places, component: str) -> None:
    """Take a component's manifest away and end what runs of it, at once; back when the kubelet has done with its pod.

    While it has not, it lets a successor of the same name wait for ten seconds and more. Only its log says so.
    """
    journal = places.logs / CONTROL_PLANE / "kubelet.log"
    before = journal.stat().st_size
    known = _pods(places, component)
    manifest(places, component).unlink(missing_ok=True)
    for pid in processes(places, component):
        signal_to(pid, signal.SIGKILL)
    wait_until(lambda: not processes(places, component), f"{component} has ended", 30, 0.05)

    def done() -> bool:
        said = journal.read_bytes()[before:].decode(errors="replace")
        return all(f'{DONE}" podUID="{pod}"' in said for pod in known)

    wait_until(done, f"the kubelet has done with the pod of {component}; read {journal}", 60, 0.05)


def _pods(places: Places, component: str) -> list[str]:
    """Uids of a component's pods that the kubelet has made."""
    pods = places.root(CONTROL_PLANE) / "var/lib/kubelet/pods"
    return [folder.parent.parent.name for folder in pods.glob(f"*/containers/{component}")]


def stop_api_server(places: Places) -> None:
    """End the API server; what it ran with is kept."""
    path = manifest(places, API_SERVER)
    kept = places.node(CONTROL_PLANE) / "apiserver.kept"
    if not path.exists():
        raise LabFailed("the API server is stopped already")
    shutil.copy(path, kept)
    remove(places, API_SERVER)


def start_api_server(places: Places, settings: Settings) -> None:
    """Start it with what it ran with; back when it is ready.

    The controller manager and the scheduler gave up without it, and would wait in back-off: they are started anew.
    """
    kept = json.loads((places.node(CONTROL_PLANE) / "apiserver.kept").read_text())
    install(places, API_SERVER, kept["spec"]["containers"][0]["command"][1:])
    wait_until(lambda: ready(places), f"the API server is ready again; read {log_folder(places)}", 120)
    restart_manager(places, settings, {})
    remove(places, SCHEDULER)
    release_lease(places, SCHEDULER)
    install(places, SCHEDULER, scheduler_arguments())


def kubeadm_objects(settings: Settings) -> list[dict[str, Any]]:
    """What kubeadm leaves in the cluster: its ConfigMap."""
    pods = settings.kind.manager_flags["cluster-cidr"]
    text = (
        "apiServer: {}\napiVersion: kubeadm.k8s.io/v1beta4\ncertificatesDir: /etc/kubernetes/pki\nclusterName: kubernetes\n"
        f"controllerManager: {{}}\nkind: ClusterConfiguration\nkubernetesVersion: v{KUBERNETES}\n"
        f"networking:\n  dnsDomain: cluster.local\n  podSubnet: {pods}\n  serviceSubnet: {service_cidr(settings)}\n"
        "scheduler: {}\n"
    )
    metadata = {"name": "kubeadm-config", "namespace": "kube-system"}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"ClusterConfiguration": text}}]


def administrators() -> dict[str, Any]:
    """The binding of the group that kubeadm puts the API server's own client into: without it, no log is to be had."""
    group = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "kubeadm:cluster-admins"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    metadata = {"name": "kubeadm:cluster-admins"}
    kind = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding"}
    return {**kind, "metadata": metadata, "roleRef": role, "subjects": [group]}
