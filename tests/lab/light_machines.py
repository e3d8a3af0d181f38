"""What is in a light node: flanneld as an ordinary process, sshd, and a pod's network namespace.

flanneld has the rights of flannel's ServiceAccount. The pod is connected by the real CNI plugins, which are asked as containerd
asks them, once flannel has written what they read: cni0, the lease of its address and the pod's card are theirs.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from tests.lab import certificates, machines, manifests
from tests.lab.networks import Machine
from tests.lab.places import Places
from tests.lab.programs import program
from tests.lab.settings import Settings

USER = "flannel"
PLUGINS = Path("/usr/lib/cni")
RESULT = "var/lib/cni/result"
POD = """export PATH=/opt/cni/bin:$PATH
until [ -s /run/flannel/subnet.env ]; do sleep 1; done
export CNI_CONTAINERID={identity} CNI_NETNS=/run/netns/{namespace} CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin
export CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=probe-{node}'
if [ ! -e $CNI_NETNS ]; then
  ip netns add {namespace}
  [ ! -e /{result} ] || CNI_COMMAND=DEL flannel < /etc/lab/pod.json
  CNI_COMMAND=ADD flannel < /etc/lab/pod.json > /{result}.new || {{ ip netns del {namespace}; exit 1; }}
  mv /{result}.new /{result}
fi
exec nsenter --net=$CNI_NETNS sleep infinity
"""


def make_identity(places: Places, settings: Settings) -> None:
    """A kubeconfig by which flanneld is flannel's ServiceAccount: the ClusterRole of the manifest holds."""
    account = f"system:serviceaccount:{settings.kind.namespace}:{manifests.ACCOUNT}"
    certificates.sign(places.pki, USER, account, "system:serviceaccounts")
    certificates.kubeconfig(places.pki, USER, places.lab)


def prepare(places: Places, settings: Settings, machine: Machine) -> None:
    """The root folder of a light node, everything but its start."""
    machines.make_root(places, machine)
    root = places.root(machine.name)
    for plugin in (*PLUGINS.iterdir(), seen_inside(program("flannel"))):
        (root / "opt/cni/bin" / plugin.name).symlink_to(plugin)
    (root / "etc/kubernetes/flannel.conf").write_bytes((places.pki / f"{USER}.conf").read_bytes())
    (root / "etc/kube-flannel").mkdir(exist_ok=True)
    (root / "etc/kube-flannel/net-conf.json").write_text(json.dumps(manifests.net_conf(settings.kind), indent=2))
    (root / "etc/cni/net.d/10-flannel.conflist").write_text(json.dumps(manifests.CNI, indent=2))
    (root / "etc/lab/pod.json").write_text(json.dumps(plugin_asked()))
    machines.service(places, machine.name, "flanneld", flanneld(settings, machine))
    machines.service(places, machine.name, "sshd", f"/usr/sbin/sshd -D -e -o ListenAddress={machine.private}")
    (root / "etc/lab/services/pod").write_text(pod(machine))


def plugin_asked() -> dict[str, object]:
    """The configuration of the first plugin in the list, as a runtime hands it over."""
    chain: list[dict[str, object]] = json.loads(json.dumps(manifests.CNI["plugins"]))
    return {"name": manifests.CNI["name"], "cniVersion": manifests.CNI["cniVersion"], **chain[0]}


def seen_inside(place: Path) -> Path:
    """Where a machine sees a program of the cache."""
    return Path("/opt/lab/programs") / place.parent.name / place.name


def flanneld(settings: Settings, machine: Machine) -> str:
    """flannel's command line. It looks after iptables once an hour: on 300 nodes every 5 seconds would be a load of its own."""
    words = [
        "env", f"NODE_NAME={machine.name}", "EVENT_QUEUE_DEPTH=5000", str(seen_inside(program("flanneld", settings.flannel))),
        *settings.kind.arguments, "--kubeconfig-file=/etc/kubernetes/flannel.conf", f"--iface={machine.card}",
        "--iptables-resync=3600",
    ]  # fmt: skip
    return " ".join(words)


def pod(machine: Machine) -> str:
    """Make the pod's namespace, have it connected, and keep a process in it."""
    identity = sha256(machine.name.encode()).hexdigest()
    return POD.format(identity=identity, namespace=f"cni-{identity[:12]}", node=machine.name, result=RESULT)


def pod_addresses(places: Places, machine: Machine) -> list[str]:
    """The addresses that the CNI plugins gave the pod; none as long as they have not."""
    try:
        result = json.loads((places.root(machine.name) / RESULT).read_text())
    except (OSError, ValueError):
        return []
    return [str(entry["address"]).partition("/")[0] for entry in result["ips"]]
