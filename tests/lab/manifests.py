"""What is applied to the cluster: flannel as its kind of cluster has it, and one probe pod for each node."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.lab.networks import CONTROL_PLANE_ADDRESS
from tests.lab.settings import Kind, Settings

Object = dict[str, Any]
LIGHT_LABEL = "lab.local/light"
ACCOUNT = "flannel"
MOUNTS = (
    ("run", "/run/flannel", "DirectoryOrCreate"),
    ("cni", "/etc/cni/net.d", "DirectoryOrCreate"),
    ("xtables-lock", "/run/xtables.lock", "FileOrCreate"),
)
# Nobody would start what is scheduled to a node without kubelet.
WITH_KUBELET: Object = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": LIGHT_LABEL, "operator": "DoesNotExist"}]}]
        }
    }
}
ALL_CARDS = "--iface-regex=^(eth1|bond1)$"
RULES = [
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch"]},
]
CNI = {
    "name": "cbr0",
    "cniVersion": "0.3.1",
    "plugins": [
        {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}


def net_conf(kind: Kind, cluster_cidr: str = "") -> Object:
    """flannel's own configuration; `cluster_cidr` where it is another than the kind's."""
    ranges = (cluster_cidr or kind.manager_flags["cluster-cidr"]).split(",")
    second = {"EnableIPv6": True, "IPv6Network": ranges[1]} if len(ranges) > 1 else {}
    return {"Network": ranges[0], **second, "EnableNFTables": False, "Backend": dict(kind.backend)}


def flannel(settings: Settings) -> list[Object]:
    """All objects of flannel, in the order in which they must be made."""
    kind = settings.kind
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": kind.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ACCOUNT}
    own = [] if kind.namespace == "kube-system" else [_namespace(kind)]
    return [
        *own,
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": kind.namespace}},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": ACCOUNT}, "rules": RULES,
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": ACCOUNT},
            "roleRef": role, "subjects": [subject],
        },
        config_map(kind),
        daemonset(settings),
    ]  # fmt: skip


def _namespace(kind: Kind) -> Object:
    labels = {"k8s-app": "flannel", "pod-security.kubernetes.io/enforce": "privileged"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": kind.namespace, "labels": labels}}


def config_map(kind: Kind) -> Object:
    """flannel's ConfigMap."""
    data = {cni_file(kind): json.dumps(CNI, indent=2), "net-conf.json": json.dumps(net_conf(kind), indent=2)}
    metadata = {"name": kind.config_map, "namespace": kind.namespace, "labels": dict(kind.labels)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def cni_file(kind: Kind) -> str:
    """The ConfigMap's entry with the CNI configuration; Canal calls it differently."""
    return "cni_network_config" if kind.name == "canal" else "cni-conf.json"


def daemonset(settings: Settings) -> Object:
    """flannel's DaemonSet."""
    kind = settings.kind
    metadata = {"name": kind.daemonset, "namespace": kind.namespace, "labels": dict(kind.labels)}
    return _daemonset(metadata, kind.labels, _flannel_pod(settings))


def _flannel_pod(settings: Settings) -> Object:
    kind = settings.kind
    image = f"lab.local/flannel:v{settings.flannel}"
    config = {"name": "flannel-cfg", "mountPath": "/etc/kube-flannel/"}
    volumes: list[Object] = [{"name": name, "hostPath": {"path": path, "type": form}} for name, path, form in MOUNTS]
    own = [{"name": name, "mountPath": path} for name, path, _ in MOUNTS if name != "cni"]
    return {
        "hostNetwork": True,
        "affinity": WITH_KUBELET,
        "priorityClassName": "system-node-critical",
        "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}],
        "serviceAccountName": ACCOUNT,
        "initContainers": [{
            "name": "install-cni", "image": image, "imagePullPolicy": "Never",
            "command": ["cp", "-f", f"/etc/kube-flannel/{cni_file(kind)}", "/etc/cni/net.d/10-flannel.conflist"],
            "volumeMounts": [{"name": "cni", "mountPath": "/etc/cni/net.d"}, config],
        }],
        "containers": [{
            "name": kind.container, "image": image, "imagePullPolicy": "Never", "command": ["/opt/bin/flanneld"],
            "args": [*kind.arguments, ALL_CARDS],
            "resources": {"requests": {"cpu": "10m", "memory": kind.memory_limit}, "limits": {"memory": kind.memory_limit}},
            "securityContext": {"privileged": False, "capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}},
            "env": _environment(), "volumeMounts": [*own, config],
        }],
        "volumes": [*volumes, {"name": "flannel-cfg", "configMap": {"name": kind.config_map}}],
    }  # fmt: skip


def _environment() -> list[Object]:
    """There is no kube-proxy: flannel is told where the API server is."""
    fields = {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace"}
    values = {
        "EVENT_QUEUE_DEPTH": "5000",
        "KUBERNETES_SERVICE_HOST": CONTROL_PLANE_ADDRESS,
        "KUBERNETES_SERVICE_PORT": "6443",
    }
    return [
        *({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()),
        *({"name": name, "value": value} for name, value in values.items()),
    ]


def probe() -> Object:
    """One pod on each node with a kubelet, that does nothing but have an address."""
    container = {
        "name": "c", "image": "lab.local/busybox:1", "imagePullPolicy": "Never", "command": ["/bin/sleep", "1000000"],
    }  # fmt: skip
    pod = {
        "terminationGracePeriodSeconds": 1, "affinity": WITH_KUBELET, "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }  # fmt: skip
    return _daemonset({"name": "probe", "namespace": "default"}, {"app": "probe"}, pod)


def _daemonset(metadata: Object, labels: Mapping[str, str], pod: Object) -> Object:
    template = {"metadata": {"labels": dict(labels)}, "spec": pod}
    spec = {"selector": {"matchLabels": dict(labels)}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": spec}
