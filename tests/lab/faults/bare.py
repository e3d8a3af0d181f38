"""Node objects without a machine that announce what a fault wants announced."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random

from tests.lab.faults import hands
from tests.lab.faults.hands import Cluster
from tests.lab.objects import bare_node
from tests.lab.settings import Kind


def announced(kind: Kind, values: Mapping[str, str], pod_cidr: str) -> hands.Object:
    """A Node as flannel on some machine would have announced it, of what `drawn` drew. With podCIDR "" the allocator gives one;
    "cidr6" of the values is its podCIDR of the other family."""
    node = bare_node(values["bare"], pod_cidr)
    tunnel = json.dumps({"VNI": 1, "VtepMAC": values["mac"]}, separators=(",", ":"))
    data = tunnel if kind.backend["Type"] == "vxlan" else "null"
    said = {
        "kube-subnet-manager": "true", "backend-type": kind.backend["Type"], "public-ip": values["ip"], "backend-data": data,
    }  # fmt: skip
    if values.get("cidr6"):
        node["spec"]["podCIDRs"].append(values["cidr6"])
        said |= {"public-ipv6": values["ip6"], "backend-v6-data": data}
    node["metadata"]["annotations"] = {hands.PREFIX + key: value for key, value in said.items()}
    return node


def drawn(random: Random) -> dict[str, str]:
    """A name, addresses nobody has, and a MAC for one bare Node."""
    mac = ":".join(f"{byte:02x}" for byte in (0x0A, *random.randbytes(5)))
    name, last = f"bare-{random.randrange(10**6):06d}", random.randrange(1, 255)
    return {"bare": name, "ip": f"172.30.9.{last}", "ip6": f"fd30::9:{last}", "mac": mac}


def create(lab: Cluster, values: Mapping[str, str], pod_cidr: str) -> None:
    """Create the Node that `drawn` drew."""
    lab.create(announced(lab.settings.kind, values, pod_cidr))


def touch(lab: Cluster, node: str) -> None:
    """Write backend-data, of both families, with other white space, so that every flannel takes it for a change, and then as it
    was."""
    said = hands.announced(lab.get(f"/api/v1/nodes/{node}"))
    data: dict[str, str] = {key: said[key] for key in ("backend-data", "backend-v6-data") if key in said}
    hands.annotate(lab, node, {key: value + " " for key, value in data.items()})
    hands.annotate(lab, node, data)
