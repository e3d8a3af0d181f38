"""One reading of one member's kernel beside what its Node announces: what checks of single nodes ask.

Facts of a Kernel are asked by the name of their probe; `NotRead` says in words why one is missing, and no check takes that
for fine.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, TypeVar, cast

from flannelscope.addresses import PodCidr
from flannelscope.cidr import parse_address, show_address
from flannelscope.facts import Facts, FlannelOnNode, Network
from flannelscope.flannel.annotations import Announcement
from flannelscope.flannel.cni import bridges
from flannelscope.flannel.discovery import Installation
from flannelscope.flannel.flags import environment, flags, of_process
from flannelscope.flannel.netconf import NetConf
from flannelscope.flannel.versions import Release, parse_release, pod_version
from flannelscope.model import Address, Container, Evidence, FlannelProcess, Kernel, Link, Node, Prefix, Route
from flannelscope.moments import utc

T = TypeVar("T")
EVERYWHERE = "net/ipv4/ip_forward"  # every kernel has this setting
FLANNEL_UP = 120.0  # seconds after its start in which flanneld makes its devices, files and rules
DEFAULT_PORT = 8472
CARD_UNKNOWN = "which card carries the overlay there is not known"


class NotRead(Exception):
    """Something was not read on this node; the message says why."""


class Here:
    """What one node's kernel said in one reading, and what its Node announces in one flannel network."""

    def __init__(self, facts: Facts, node: Node, network: Network, kernel: Kernel) -> None:
        self.facts = facts
        self.node = node
        self.network = network
        self.kernel = kernel
        self.said: Announcement = network.members[node.name]

    def fact(self, probe: str, title: str) -> Any:
        """What a probe learnt. Raises NotRead where it is missing."""
        value = self.kernel.facts.get(probe)
        if value is None:
            raise NotRead(self.kernel.missing.get(probe, f"{title} not read"))
        return value

    def known(self, probe: str) -> bool:
        """Whether a probe was answered."""
        return self.kernel.facts.get(probe) is not None

    @cached_property
    def links(self) -> dict[str, Link]:
        """Devices by name."""
        return {link.name: link for link in cast("tuple[Link, ...]", self.fact("links", "devices"))}

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Addresses of all devices."""
        return cast("tuple[Address, ...]", self.fact("addresses", "addresses"))

    @property
    def routes(self) -> tuple[Route, ...]:
        """Routes of all tables."""
        return cast("tuple[Route, ...]", self.fact("routes", "routes"))

    def setting(self, path: str) -> int | None:
        """A sysctl by its path below /proc/sys, None where this kernel does not have it."""
        told = self.fact("sysctls", "kernel settings")
        if EVERYWHERE not in told:
            raise NotRead("the kernel's settings were not told wholly")
        text = told.get(path)
        try:
            return None if text is None else int(text)
        except ValueError:
            raise NotRead(f"{path} is not a number") from None

    def holder(self, address: str) -> str:
        """The device that has this address, "" when none has."""
        return next((held.device for held in self.addresses if held.address == address), "")

    @cached_property
    def runs(self) -> FlannelOnNode | None:
        """flannel's pod here, None where it has none (k3s, a service of the host) or it is not known."""
        return next((item for item in self.facts.flannel_on.get(self.node.name, ()) if self._mine(item)), None)

    def _mine(self, item: FlannelOnNode) -> bool:
        return self.facts.discovery.installations[item.installation].prefix == self.network.prefix

    @cached_property
    def installation(self) -> Installation | None:
        """The flannel that runs here."""
        if self.runs is not None:
            return self.facts.discovery.installations[self.runs.installation]
        mine = [i for i in self.facts.discovery.installations if i.prefix == self.network.prefix]
        return next((i for i in mine if self.node.name in i.covered), mine[0] if len(mine) == 1 else None)

    @property
    def conf(self) -> NetConf | None:
        """The net-conf of the ConfigMap, None where it is not known or would not start a flannel."""
        conf = self.installation.net_conf if self.installation else None
        return None if conf is None or conf.broken else conf

    @cached_property
    def running_conf(self) -> NetConf:
        """The net-conf that flannel read at its start. Raises NotRead where it is not known."""
        if self.conf is None or self.installation is None or self.installation.config_map is None:
            raise NotRead("flannel's net-conf is not known")
        written = self.installation.config_map.written
        if written is not None and (self.started is None or written > self.started):
            raise NotRead("flannel's net-conf may have been written after flannel started there: what it runs with is not known")
        return self.conf

    @cached_property
    def families(self) -> tuple[int, ...]:
        """The families that this flannel serves, sorted."""
        enabled = self.conf.families if self.conf else None
        return tuple(sorted(enabled if enabled is not None else self.facts.families))

    @cached_property
    def processes(self) -> tuple[FlannelProcess, ...]:
        """flannel's processes here; none where they were not read."""
        return tuple(self.kernel.facts.get("flannel_process") or ())

    @cached_property
    def started(self) -> float | None:
        """When flannel started here, None where nothing tells or it does not run."""
        status = self.runs.status if self.runs else None
        if status is not None:
            return status.started if status.state == "running" else None
        return max((p.started for p in self.processes if p.started is not None), default=None)

    @property
    def up(self) -> bool:
        """Whether flannel has run for so long that all it sets must be there. Raises NotRead where its start is not told.

        Where nothing tells whether it runs (no pod, no process read) a member counts as running for long.
        """
        if self.runs is None and not self.processes:
            return self.inside or not self.known("flannel_process")
        if self.started is None:
            status = self.runs.status if self.runs else None
            if self.processes if status is None else status.state == "running":
                raise NotRead("since when flannel runs there is not known")
            return False
        return self.kernel.at - self.started > FLANNEL_UP

    @property
    def inside(self) -> bool:
        """Whether flannel runs inside k3s' or RKE2's own process."""
        return self.installation is not None and self.installation.kind in ("k3s", "rke2")

    @cached_property
    def flags(self) -> dict[str, str]:
        """flannel's flags here as far as they are told: the words of the process that runs, else of its container.

        FLANNELD_ variables of its container count where no word says otherwise; "" where only a ConfigMap has the value.
        """
        container = self._container
        inherited = environment(container) if container is not None else {}
        if self.processes:
            return {**inherited, **of_process(self.processes[0].argv)}
        if container is not None:
            return {name: values[-1] for name, values in flags(container).items()}
        given = self.installation.flags if self.installation else {}
        return {name: values[-1] for name, values in given.items() if values}

    def flag(self, name: str) -> str:
        """The value of a flag, "" where it is not given. Raises NotRead where only flannel itself knows."""
        if not self.processes and (self.installation is None or self.installation.embedded):
            raise NotRead("with which flags flannel runs there is not known")
        value = self.flags.get(name)
        if value == "" and self._container is not None and name in environment(self._container):
            raise NotRead(f"the value of --{name} comes from elsewhere into flannel's environment there, and is not known")
        if value is None and self.runs is None:
            raise NotRead(f"no pod of flannel is known there: whether its environment sets --{name} is not known either")
        return value or ""

    @cached_property
    def _container(self) -> Container | None:
        detail = self.runs.pod.detail if self.runs else None
        named = (c for c in detail.containers if self.runs and c.name == self.runs.container) if detail else ()
        return next(iter(named), None)

    @cached_property
    def release(self) -> Release | None:
        """flannel's release here, None where nothing tells."""
        told = [process.version for process in self.processes]
        if self.runs is not None:
            told.append(pod_version(self.runs.pod, self.runs.container))
        if self.installation is not None:
            told.append(self.installation.version)
        return next((release for text in told if (release := parse_release(text)) is not None), None)

    def pod_cidr(self, family: int) -> PodCidr | None:
        """The Node's podCIDR of a family."""
        own = self.facts.pod_cidrs_of.get(self.node.name, ())
        return next((item for item in own if item.prefix is not None and item.prefix.family == family), None)

    def own(self, family: int) -> Prefix | None:
        """The same as a Prefix."""
        held = self.pod_cidr(family)
        return held.prefix if held else None

    @cached_property
    def tunnels(self) -> tuple[tuple[int, str], ...]:
        """(family, name) of the devices that its backend makes; nothing where it makes none or is not judged."""
        made = {"vxlan": self._vxlan, "ipip": lambda f: "flannel.ipip" if f == 4 else "", "wireguard": self._wireguard}
        if self.said.backend_type == "" and self.conf is not None and self.conf.backend == "udp":  # it announces no type
            return ((4, "flannel0"),)
        name = made.get(self.said.backend_type, lambda family: "")
        return tuple((family, found) for family in self.families if (found := name(family)))

    def _vxlan(self, family: int) -> str:
        data = self.said.data if family == 4 else self.said.v6_data
        if data.absent or data.broken:
            return ""
        vni = data.vni if data.vni is not None else self.conf.vni if self.conf else 1
        return f"flannel.{vni}" if family == 4 else f"flannel-v6.{vni}"

    def _wireguard(self, family: int) -> str:
        mode = str(self.conf.backend_options.get("mode", "separate")) if self.conf else "separate"
        return "flannel-wg-v6" if family == 6 and mode == "separate" else "flannel-wg"

    @cached_property
    def bridge(self) -> str:
        """The CNI's bridge, "" where there is none: the one with flannel's usual name, or that its configuration names."""
        names = dict.fromkeys(("cni0", *bridges(self.kernel.facts.get("cni"))))
        return next((name for name in names if name in self.links and self.links[name].kind in ("bridge", "")), "")

    @property
    def canal(self) -> bool:
        """Whether calico's devices carry the pods instead of a bridge."""
        kind = self.installation.kind if self.installation else ""
        return kind == "canal" or any(name.startswith("cali") for name in self.links)

    def outside(self, family: int) -> tuple[str, str]:
        """The card that carries the overlay and its address there, "" where they are not known.

        It holds the announced address; behind NAT the one with which the tunnel was made, or an InternalIP. What is on lo comes
        by the card below the tunnel.
        """
        announced = self.said.public_ip if family == 4 else self.said.public_ipv6
        tunnel = self.links.get(next((name for of, name in self.tunnels if of == family), ""))
        made = tunnel.vxlan if tunnel is not None else None
        card = made.parent if made is not None else ""
        on_card = (a.address for a in self.addresses if card and a.device == card and a.family == family and a.scope == "global")
        candidates = (announced, made.local if made is not None else "", *on_card, *self.node.internal_ips)
        right = (text for text in candidates if (at := parse_address(text)) is not None and at[0] == family)
        held = ((device, address) for address in right if (device := self.holder(address)))
        device, address = next(held, (card, ""))
        return (card if self.routed(device) else device), address

    def routed(self, device: str) -> bool:
        """Whether addresses of this device are reached by routes to this machine, whatever card carries the packets."""
        link = self.links.get(device)
        return device == "lo" or (link is not None and link.kind == "dummy")

    def parent(self, family: int) -> str:
        """The card that carries the overlay, "" where it is not known."""
        return self.outside(family)[0]

    def entrances(self, family: int) -> tuple[str, ...]:
        """The devices by which packets of pods come in to be forwarded: tunnel (or card), bridge, Canal's interfaces."""
        tunnel = next((name for of, name in self.tunnels if of == family), "") or self.parent(family)
        calico = sorted(name for name in self.links if name.startswith("cali"))
        return tuple(name for name in (tunnel, self.bridge, *calico) if name in self.links)

    def ways(self, family: int) -> tuple[str, ...]:
        """The devices by which packets of other nodes' pods come and go: the tunnel, the card, both with DirectRouting.

        Raises NotRead where the card is not known.
        """
        tunnel = next((name for of, name in self.tunnels if of == family), "")
        direct = self.conf is not None and self.conf.backend_options.get("directrouting") is True
        card = self.parent(family) if not tunnel or direct else ""
        if not card and (direct or not tunnel):
            raise NotRead(CARD_UNKNOWN)
        return tuple(name for name in (tunnel, card) if name in self.links)

    @property
    def has_pods(self) -> bool:
        """Whether pods of the pod network are wired here."""
        bridge = self.bridge
        return any((bridge and link.master == bridge) or link.name.startswith("cali") for link in self.links.values())

    def proof(self, what: str, value: str, probe: str, command: str) -> Evidence:
        """What was read here, with where, when, and the command that shows it."""
        raw = self.kernel.raw.get(probe)
        ran = raw.command if raw is not None and len(raw.command) < 80 and "\n" not in raw.command else command
        at = utc(self.kernel.at, "%H:%M:%SZ")
        return Evidence(f"{what} on {self.node.name}", value, f"{self.kernel.origin or self.node.name}: {ran}, {at}", command)


def gateway(prefix: Prefix) -> str:
    """The address that the CNI's bridge has: the first after the base of the podCIDR."""
    return show_address(prefix.family, prefix.base + 1)
