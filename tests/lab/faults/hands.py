"""What faults do to a cluster, in the words of an operator: read and write objects, enter nodes, ping from pod to pod."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.lab.lab import Lab
from tests.lab.processes import LabFailed as LabFailed
from tests.lab.processes import wait_until as wait_until

Cluster = Lab
Object = dict[str, Any]
PREFIX = "flannel.alpha.coreos.com/"
FLANNEL = ("kube-flannel", "kube-flannel-ds")  # namespace and name of the DaemonSet
NO_VICTIMS = ("lab.local/bare", "lab.local/light", "node-role.kubernetes.io/control-plane")


def nodes(lab: Cluster) -> dict[str, Object]:
    """The Node objects of workers with a kubelet, by name."""
    items: list[Object] = lab.get("/api/v1/nodes")["items"]
    found = {node["metadata"]["name"]: node for node in items}
    return {name: node for name, node in found.items() if not any(key in node["metadata"]["labels"] for key in NO_VICTIMS)}


def announced(node: Object) -> dict[str, str]:
    """What flannel announces on a Node, without the prefix."""
    said: dict[str, str] = node["metadata"].get("annotations", {})
    return {key.removeprefix(PREFIX): value for key, value in said.items() if key.startswith(PREFIX)}


def annotate(lab: Cluster, node: str, values: Mapping[str, str | None]) -> None:
    """Write annotations under flannel's prefix; None takes one away."""
    patch = {"metadata": {"annotations": {PREFIX + key: value for key, value in values.items()}}}
    lab.kubectl("patch", "node", node, "--type=merge", "-p", json.dumps(patch))


def patch_flannel(lab: Cluster, operations: list[Object], name: str = FLANNEL[1]) -> None:
    """A JSON patch of flannel's DaemonSet."""
    lab.kubectl("-n", FLANNEL[0], "patch", "daemonset", name, "--type=json", "-p", json.dumps(operations))


def flannel_template(lab: Cluster) -> Object:
    """The pod template of flannel's DaemonSet."""
    template: Object = lab.get(f"/apis/apps/v1/namespaces/{FLANNEL[0]}/daemonsets/{FLANNEL[1]}")["spec"]["template"]
    return template


def flannel_pods(lab: Cluster) -> dict[str, Object]:
    """flannel's pods that are not going, by node."""
    items: list[Object] = lab.get(f"/api/v1/namespaces/{FLANNEL[0]}/pods?labelSelector=app%3Dflannel")["items"]
    return {pod["spec"].get("nodeName", ""): pod for pod in items if "deletionTimestamp" not in pod["metadata"]}


def restart_flannel(lab: Cluster, node: str) -> None:
    """Delete flannel's pod on a node, and wait until its successor is ready."""
    lab.restart_flannel(node)


def ready(thing: Object) -> bool:
    """Whether the condition Ready of a Node or Pod is True."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in thing["status"].get("conditions", []))


def probes(lab: Cluster) -> dict[str, Object]:
    """The probe pod of each node with a kubelet."""
    items: list[Object] = lab.get("/api/v1/namespaces/default/pods?labelSelector=app%3Dprobe")["items"]
    return {p["spec"].get("nodeName", ""): p for p in items if "deletionTimestamp" not in p["metadata"]}


def address(pod: Object) -> str:
    """A pod's address, "" while it has none."""
    return str(pod["status"].get("podIP", ""))


def address6(pod: Object) -> str:
    """A pod's IPv6 address, "" while it has none."""
    return next((entry["ip"] for entry in pod["status"].get("podIPs", []) if ":" in entry["ip"]), "")


def reaches(lab: Cluster, source: str, target: str, size: int = 56, family: int = 4) -> bool:
    """Whether the probe pod of one node gets an answer from that of another, to one of three packets."""
    pods = probes(lab)
    there = address(pods[target]) if family == 4 else address6(pods[target])
    script = f"for i in 1 2 3; do ping -c 1 -W 1 -s {size} {there} >/dev/null && echo yes && break; done; true"
    said = lab.kubectl("exec", pods[source]["metadata"]["name"], "--", "sh", "-c", script)
    return said.strip() == "yes"


def cut(lab: Cluster, source: str, target: str, size: int = 56, family: int = 4) -> None:
    """Wait until packets do not arrive any more; raises LabFailed where they still do."""
    wait_until(lambda: not reaches(lab, source, target, size, family), f"{source} does not reach {target} any more", 30)


def shell(lab: Cluster, node: str, script: str) -> str:
    """Run a shell script in all of a node's namespaces; raises LabFailed when it fails."""
    return lab.inside(node, "sh", "-ec", script)


def holds(lab: Cluster, node: str, condition: str) -> bool:
    """Whether a shell condition holds on a node."""
    return shell(lab, node, f"if {condition}; then echo yes; fi").strip() == "yes"


def pod_cidr(node: Object) -> str:
    """A Node's podCIDR, "" without one."""
    return str(node["spec"].get("podCIDR", ""))


def device(lab: Cluster, node: str) -> str:
    """The card that holds the address a node announces."""
    address_there = announced(nodes(lab)[node])["public-ip"]
    return shell(lab, node, f"ip -o -4 address show to {address_there}").split()[1]


def demand(truth: bool, what: str) -> None:
    """Raise LabFailed unless the lab shows what a fault claims."""
    if not truth:
        raise LabFailed(what)
