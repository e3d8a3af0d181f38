"""Objects that tests put into the real cluster."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def bare_node(name: str, pod_cidr: str = "") -> Object:
    """A Node without a machine: nobody renews its lease, no flannel runs on it. Without `pod_cidr` the allocator gives one."""
    spec: Object = {"taints": [{"key": "lab.local/bare", "effect": "NoSchedule"}]}
    if pod_cidr:
        spec |= {"podCIDR": pod_cidr, "podCIDRs": [pod_cidr]}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"lab.local/bare": "true"}}, "spec": spec}


def mirror_pod(component: str, node: str, command: list[str]) -> Object:
    """The mirror of a static pod of the control plane, as a kubelet would make it."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{component}-{node}",
            "namespace": "kube-system",
            "labels": {"component": component, "tier": "control-plane"},
            "annotations": {
                "kubernetes.io/config.mirror": "b5b26a1ee2f5b8a10a86a5f2a8f6d6f0",
                "kubernetes.io/config.source": "file",
            },
        },
        "spec": {
            "nodeName": node,
            "hostNetwork": True,
            "tolerations": [{"operator": "Exists"}],
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "containers": [{"name": component, "image": f"registry.k8s.io/{component}:v1.34.4", "command": command}],
        },
    }


def pod_running(name: str, node: str, command: list[str], **spec: Any) -> Object:
    """A pod of its own on one node, with the lab's image; it is not started again when it has ended."""
    container = {"name": "c", "image": "lab.local/busybox:1", "imagePullPolicy": "Never", "command": command}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"nodeName": node, "restartPolicy": "Never", "containers": [container], **spec},
    }
