"""What one simulated machine has besides flannel's entries: cards, addresses, routes, rules, settings, files, processes."""

from __future__ import annotations

from collections.abc import Sequence

from flannelscope.cidr import show, show_address
from flannelscope.flannel.annotations import Announcement
from flannelscope.flannel.netconf import NetConf
from flannelscope.model import (
    Address,
    Cni,
    CniFile,
    FlannelProcess,
    Link,
    Node,
    Pod,
    Prefix,
    Route,
    Rule,
    SavedChain,
    SavedRule,
    SavedTable,
    SubnetEnv,
    Vxlan,
)
from flannelscope.simulated.world.blueprint import Dice

UP = ("BROADCAST", "MULTICAST", "UP", "LOWER_UP")
OVERHEAD = 50
MTU = 1500
SUBNET_FILE = "/run/flannel/subnet.env"
_SAID = '-m comment --comment "flanneld {}"'
PLUGINS = ("bandwidth", "bridge", "firewall", "flannel", "host-local", "loopback", "portmap", "tuning")
RULES = tuple(
    Rule(family=family, priority=priority, selector="from all", table=table)
    for family in (4, 6)
    for priority, table in ((0, "local"), (32766, "main"), *(((32767, "default"),) if family == 4 else ()))
)


class Cards:
    """The public card eth0 and the private one: eth1, or bond1 on some machines. A machine may announce the public one."""

    def __init__(self, node: Node, announced: str, dice: Dice) -> None:
        internal = node.internal_ips[0] if node.internal_ips else announced
        number = sum(int(part) << (8 * place) for place, part in enumerate(reversed(announced.split("."))))
        self.private = "bond1" if number % 3 == 0 else "eth1"
        self.macs = {name: dice.mac() for name in ("eth0", self.private)}
        on_public = not announced.startswith("10.")
        own = f"198.18.{number >> 8 & 255}.{number & 255}"
        self.public_ip = announced if on_public else internal if internal != announced else own
        self.private_ip = "" if on_public else announced
        self.parent = "eth0" if on_public else self.private

    def links(self) -> list[Link]:
        """lo and both cards; the private one is down where it has no address."""
        kind = "bond" if self.private == "bond1" else ""
        up = bool(self.private_ip)
        return [
            Link(
                index=1, name="lo", flags=("LOOPBACK", "UP", "LOWER_UP"), mtu=65536, mac="00:00:00:00:00:00", operstate="UNKNOWN"
            ),
            Link(index=2, name="eth0", flags=UP, mtu=MTU, mac=self.macs["eth0"], operstate="UP"),
            Link(
                index=3,
                name=self.private,
                kind=kind,
                flags=UP if up else ("BROADCAST", "MULTICAST"),
                mtu=MTU,
                mac=self.macs[self.private],
                operstate="UP" if up else "DOWN",
            ),
        ]

    def addresses(self) -> list[Address]:
        """One address a card."""
        found = [Address("lo", 4, "127.0.0.1", 8, "host"), Address("eth0", 4, self.public_ip, 24)]
        return [*found, *([Address(self.private, 4, self.private_ip, 16)] if self.private_ip else [])]

    def routes(self) -> list[Route]:
        """The default route by the public card, and the networks of both."""
        base = self.public_ip.rpartition(".")[0]
        found = [
            Route(family=4, destination="0.0.0.0/0", gateway=f"{base}.1", device="eth0"),
            Route(family=4, destination=f"{base}.0/24", device="eth0", protocol="kernel", source=self.public_ip),
        ]
        if self.private_ip:
            first, second = self.private_ip.split(".")[:2]
            network = f"{first}.{second}.0.0/16"
            found.append(Route(family=4, destination=network, device=self.private, protocol="kernel", source=self.private_ip))
        return found


def tunnel(said: Announcement, cards: Cards, port: int) -> Link:
    """flannel's VXLAN device."""
    vni = said.data.vni or 1
    vxlan = Vxlan(vni=vni, port=port, local=said.public_ip, parent=cards.parent)
    mac = said.data.vtep_mac
    return Link(
        index=4, name=f"flannel.{vni}", kind="vxlan", flags=UP, mtu=MTU - OVERHEAD, mac=mac, operstate="UNKNOWN", vxlan=vxlan
    )


def bridge(mtu: int, pods: int, dice: Dice) -> list[Link]:
    """cni0 with one veth a pod."""
    made = [Link(index=5, name="cni0", kind="bridge", flags=UP, mtu=mtu, mac=dice.mac(), operstate="UP")]
    for index in range(6, 6 + pods):
        name, mac = f"veth{dice.getrandbits(32):08x}", dice.mac()
        made.append(
            Link(index=index, name=name, kind="veth", flags=UP, mtu=mtu, mac=mac, operstate="UP", master="cni0", peer_index=2)
        )
    return made


def settings(links: Sequence[Link]) -> dict[str, str]:
    """Kernel settings as kubeadm wants them, reverse path filter loose as distributions have it."""
    found = {"net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1"}
    found |= {f"net/bridge/bridge-nf-call-{name}": "1" for name in ("iptables", "ip6tables", "arptables")}
    for name in ("all", "default", *(link.name for link in links)):
        found[f"net/ipv4/conf/{name}/forwarding"] = "1"
        found[f"net/ipv4/conf/{name}/rp_filter"] = "0" if name == "all" else "2"
    return found


def subnet_env(conf: NetConf, own: Prefix, mtu: int, modified: float | None) -> SubnetEnv:
    """What flanneld wrote for the CNI plugin."""
    values = {
        "FLANNEL_NETWORK": conf.network_written,
        "FLANNEL_SUBNET": f"{show_address(own.family, own.base + 1)}/{own.length}",
        "FLANNEL_MTU": str(mtu),
        "FLANNEL_IPMASQ": "true",
    }
    return SubnetEnv(path=SUBNET_FILE, values=values, modified=modified)


def cni(content: str) -> Cni:
    """flannel's configuration alone, and the plugins it names."""
    files = (CniFile("10-flannel.conflist", content),)
    return Cni(conf_dir="/etc/cni/net.d", files=files, bin_dirs={"/opt/cni/bin": PLUGINS})


def process(pod: Pod, dice: Dice) -> tuple[FlannelProcess, ...]:
    """flanneld as it runs in its pod, none while its container does not."""
    container = pod.detail.containers[0] if pod.detail else None
    status = next((s for s in pod.detail.statuses if not s.init), None) if pod.detail else None
    if container is None or status is None or status.state != "running":
        return ()
    slice_ = f"kubepods-burstable-pod{pod.uid.replace('-', '_')}.slice"
    cgroup = f"/kubepods.slice/kubepods-burstable.slice/{slice_}/cri-containerd-{dice.getrandbits(256):064x}.scope"
    return (
        FlannelProcess(
            pid=dice.randrange(1200, 30000),
            argv=(*container.command, *container.args),
            started=status.started,
            version=container.image.rpartition(":")[2],
            cgroup=cgroup,
            pod_uid=pod.uid,
            state="S",
        ),
    )


def firewall(network: str, own: Prefix | None) -> tuple[SavedTable, ...]:
    """flannel's rules of release 0.28 in iptables mode; nothing else filters on these machines."""
    passed: dict[str, tuple[SavedRule, ...]] = {}
    hidden: dict[str, tuple[SavedRule, ...]] = {}
    if own is not None:
        said = _SAID.format("forward")
        passed["FORWARD"] = (_rule(f"{said} -j FLANNEL-FWD"),)
        passed["FLANNEL-FWD"] = tuple(_rule(f"{side} {network} {said} -j ACCEPT") for side in ("-s", "-d"))
        hidden["POSTROUTING"] = (_rule(f"{_SAID.format('masq')} -j FLANNEL-POSTRTG"),)
        hidden["FLANNEL-POSTRTG"] = _masquerade(network, show(own), _SAID.format("masq"))
    return (
        _table("filter", ("INPUT", "FORWARD", "OUTPUT"), passed),
        _table("nat", ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"), hidden),
    )


def _masquerade(network: str, subnet: str, said: str) -> tuple[SavedRule, ...]:
    return (
        _rule(f"-m mark --mark 0x4000/0x4000 {said} -j RETURN"),
        _rule(f"-s {subnet} -d {network} {said} -j RETURN"),
        _rule(f"-s {network} -d {subnet} {said} -j RETURN"),
        _rule(f"! -s {network} -d {subnet} {said} -j RETURN"),
        _rule(f"-s {network} ! -d 224.0.0.0/4 {said} -j MASQUERADE --random-fully"),
        _rule(f"! -s {network} -d {network} {said} -j MASQUERADE --random-fully"),
    )


def _rule(text: str) -> SavedRule:
    return SavedRule(text)


def _table(name: str, hooks: Sequence[str], rules: dict[str, tuple[SavedRule, ...]]) -> SavedTable:
    names = dict.fromkeys((*hooks, *rules))
    return SavedTable("nft", 4, name, {n: SavedChain(n, "ACCEPT" if n in hooks else "", rules.get(n, ())) for n in names})
