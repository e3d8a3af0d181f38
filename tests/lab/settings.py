"""What a lab is made of: its size and its kind. Kinds are data; everything that starts something reads them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

KUBERNETES = "1.34.4"
FLANNEL = "0.28.10"
CONTROL_PLANE = "cp"
DEFAULT_FLAGS: Mapping[str, str] = {"cluster-cidr": "10.244.0.0/16", "node-cidr-mask-size": "24"}
DUAL_FLAGS: Mapping[str, str] = {
    "cluster-cidr": "10.244.0.0/16,fd00:10:244::/56",
    "node-cidr-mask-size-ipv4": "24",
    "node-cidr-mask-size-ipv6": "64",
}
MOST_NODES = 140  # full nodes have the last octets 101 to 240
MOST_LIGHT = 1000  # four third octets; more than a machine of today has memory for
SPARE = 24  # podCIDRs for the control plane's Node and for those that a test or a fault adds


@dataclass(frozen=True)
class Kind:
    """A kind of cluster: how flannel runs there, and what the control plane shows of itself.

    `backend` is flannel's Backend object; `needs` are names of trials in `capabilities`; `cards` are the names of the private
    network cards, dealt out in turn; `manager_flags` are the controller manager's about addresses, without hyphens in front.
    """

    name: str
    about: str
    backend: Mapping[str, Any] = field(default_factory=lambda: {"Type": "vxlan"})
    namespace: str = "kube-flannel"
    daemonset: str = "kube-flannel-ds"
    container: str = "kube-flannel"
    config_map: str = "kube-flannel-cfg"
    labels: Mapping[str, str] = field(default_factory=lambda: {"app": "flannel", "tier": "node"})
    arguments: tuple[str, ...] = ("--ip-masq", "--kube-subnet-mgr")
    memory_limit: str = "50Mi"
    managed: bool = False  # the control plane is somebody else's: no Node, no mirror pods, no kubeadm-config
    dual_stack: bool = False
    subnets: int = 1  # private subnets; two are joined by the router
    cards: tuple[str, ...] = ("eth1", "bond1")
    manager_flags: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_FLAGS))
    needs: tuple[str, ...] = ()


DIRECT: Mapping[str, Any] = {"Type": "vxlan", "DirectRouting": True}
OLD_LABELS: Mapping[str, str] = {"app": "flannel", "tier": "node", "k8s-app": "flannel"}
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("vxlan", "kubeadm with flannel as its own manifest installs it", needs=("vxlan",)),
        Kind("host-gw", "routes to the nodes themselves, no tunnel", backend={"Type": "host-gw"}),
        Kind("direct-routing", "vxlan between two subnets, routes within each", backend=DIRECT, subnets=2, needs=("vxlan",)),
        Kind("two-subnets", "vxlan over a router", subnets=2, needs=("vxlan",)),
        Kind("wireguard", "encrypted tunnels", backend={"Type": "wireguard"}, needs=("wireguard",)),
        Kind("dual-stack", "IPv4 and IPv6", dual_stack=True, manager_flags=DUAL_FLAGS, needs=("vxlan", "ipv6")),
        Kind("one-card-name", "every node's private card is eth1", cards=("eth1",), needs=("vxlan",)),
        Kind(
            "canal", "flannel inside of Canal's DaemonSet", namespace="kube-system", daemonset="canal", config_map="canal-config",
            labels={"k8s-app": "canal"}, needs=("vxlan",),
        ),
        Kind("kube-system", "flannel where older manifests put it", namespace="kube-system", labels=OLD_LABELS, needs=("vxlan",)),
        Kind("managed", "a control plane that shows nothing of itself", managed=True, needs=("vxlan",)),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """One lab. `nodes` counts full nodes, `light` light ones, the control plane's machine not; `flannel` is a version."""

    name: str = "lab"
    nodes: int = 4
    light: int = 0
    kind: Kind = KINDS["vxlan"]
    flannel: str = FLANNEL
    api_outside: bool = True  # whether the API server can be reached from the machine outside

    def __post_init__(self) -> None:
        """Refuse what cannot be; raises ValueError in words for whoever typed it."""
        if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", self.name):
            raise ValueError(f"a lab's name is up to 12 small letters and digits, a letter first: not {self.name!r}")
        if not 0 <= self.nodes <= MOST_NODES:
            raise ValueError(f"a lab has up to {MOST_NODES} full nodes: not {self.nodes}")
        if not 0 <= self.light <= MOST_LIGHT:
            raise ValueError(f"a lab has up to {MOST_LIGHT} light nodes: not {self.light}")
        if self.light:
            object.__setattr__(self, "kind", roomy(self.kind, self.nodes + self.light + SPARE))

    def with_size(self, nodes: int, light: int = 0) -> Settings:
        """The same with other numbers of nodes."""
        return replace(self, nodes=nodes, light=light)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads again. A kind that a test made up for itself is written out."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Settings:
        """Settings as `to_json` wrote them."""
        kind = dict(data["kind"])
        for name in ("arguments", "cards", "needs"):
            kind[name] = tuple(kind[name])
        return cls(**{**data, "kind": Kind(**kind)})


def roomy(kind: Kind, nodes: int) -> Kind:
    """The same kind with cluster CIDRs that are large enough for so many nodes: a /16 has 256 blocks of /24."""
    flags = dict(kind.manager_flags)
    ranges = [ipaddress.ip_network(part) for part in flags["cluster-cidr"].split(",")]
    for index, whole in enumerate(ranges):
        mask = int(flags.get("node-cidr-mask-size") or flags[f"node-cidr-mask-size-ipv{whole.version}"])
        while 2 ** (mask - ranges[index].prefixlen) < nodes:
            ranges[index] = ranges[index].supernet()
    return replace(kind, manager_flags={**flags, "cluster-cidr": ",".join(map(str, ranges))})


def kind_named(name: str) -> Kind:
    """One of the kinds; raises ValueError that lists them."""
    if name not in KINDS:
        raise ValueError(f"no kind of cluster is called {name!r}; there are: {', '.join(KINDS)}")
    return KINDS[name]
