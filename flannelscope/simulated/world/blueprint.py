"""The description a cluster is built from: its Machines, its address configuration, its clock and its seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from flannelscope.model import Value

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MANAGER = "kube-controller-manager"
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"  # what Kubernetes makes random names of (apimachinery util/rand)


class Machine(Value, frozen=True, kw_only=True):
    """One Node to be. Ages are seconds before the cluster's clock.

    `address` is its InternalIP, `announced` the public-ip of its flannel. An empty `pod_cidr` means that the Node still
    waits for one. `written_by` is the manager that set its podCIDR. `killed` are the ends of flannel's container for
    want of memory. `pods` is how many pods of Deployments it carries.
    """

    name: str
    address: str
    announced: str
    age: float
    pod_cidr: str = ""
    written_by: str = MANAGER
    backend: str = "vxlan"
    flannel_age: float = 20 * DAY
    killed: int = 0
    pods: int = 12
    control_plane: bool = False


class Blueprint(Value, frozen=True, kw_only=True):
    """One cluster to be. `now` is its clock, in seconds since the epoch.

    `cluster_cidr` and `node_mask` are the controller manager's running arguments, `configured_cidr` what kubeadm-config
    still says, `network` flannel's Network. Ages: of the cluster, of the manager's present arguments, and of the
    newest writing of flannel's ConfigMap.
    """

    name: str
    now: float
    seed: int
    machines: Sequence[Machine]
    cluster_cidr: str = "10.244.0.0/16"
    node_mask: int = 24
    configured_cidr: str = "10.244.0.0/16"
    network: str = "10.244.0.0/16"
    service_cidr: str = "10.96.0.0/12"
    service_ip: str = "10.96.0.1"
    flannel_memory_limit: str = ""
    age: float = 420 * DAY
    manager_age: float = 60 * DAY
    network_written_age: float = 60 * DAY

    def dice(self, *about: str) -> Dice:
        """Random values for one purpose: they stay the same whatever else is in the cluster."""
        return Dice("/".join((str(self.seed), self.name, *about)))

    def ago(self, age: float) -> float:
        """The time `age` seconds before the cluster's clock, in whole seconds as the API writes it."""
        return float(int(self.now - age))


class Dice(random.Random):
    """Random values in the shapes that Kubernetes and flannel use."""

    def uid(self) -> str:
        """A UUID of version 4."""
        text = f"{self.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) % 4]}{text[17:20]}-{text[20:]}"

    def mac(self) -> str:
        """A MAC as the kernel makes one for flannel.1: unicast, locally administered."""
        octets = list(self.getrandbits(48).to_bytes(6, "big"))
        octets[0] = octets[0] & 0xFC | 0x02
        return ":".join(f"{octet:02x}" for octet in octets)

    def suffix(self, length: int) -> str:
        """The random part of a pod's name."""
        return "".join(self.choices(_SUFFIX, k=length))

    def version(self) -> str:
        """A resourceVersion."""
        return str(self.randrange(40_000_000, 90_000_000))
