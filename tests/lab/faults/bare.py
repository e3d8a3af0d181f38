"""Node objects without a machine that announce what a fault wants announced."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random

from tests.lab.faults import hands
from tests.lab.faults.hands import Cluster
from tests.lab.objects import bare_node


def announced(name: str, pod_cidr: str, public_ip: str, mac: str) -> hands.Object:
    """A Node as flannel on some machine would have announced it. With podCIDR "" the allocator gives one."""
    node = bare_node(name, pod_cidr)
    said = {
        "kube-subnet-manager": "true", "backend-type": "vxlan", "public-ip": public_ip,
        "backend-data": json.dumps({"VNI": 1, "VtepMAC": mac}, separators=(",", ":")),
    }  # fmt: skip
    node["metadata"]["annotations"] = {hands.PREFIX + key: value for key, value in said.items()}
    return node


def drawn(random: Random) -> dict[str, str]:
    """A name, an address nobody has, and a MAC for one bare Node."""
    mac = ":".join(f"{byte:02x}" for byte in (0x0A, *random.randbytes(5)))
    return {"bare": f"bare-{random.randrange(10**6):06d}", "ip": f"172.30.9.{random.randrange(1, 255)}", "mac": mac}


def create(lab: Cluster, values: Mapping[str, str], pod_cidr: str) -> None:
    """Create the Node that `drawn` drew."""
    lab.create(announced(values["bare"], pod_cidr, values["ip"], values["mac"]))


def touch(lab: Cluster, node: str) -> None:
    """Write backend-data with other white space, so that every flannel takes it for a change, and then as it was."""
    said = hands.announced(lab.get(f"/api/v1/nodes/{node}"))["backend-data"]
    hands.annotate(lab, node, {"backend-data": said + " "})
    hands.annotate(lab, node, {"backend-data": said})
