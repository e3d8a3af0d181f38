"""What a healthy node says of itself beside its routes: settings, rules, files, processes; as flannel 0.28 leaves it.

taken = whole(healthy(nodes))                                   # read twice, the same both times
taken = put(taken, "w001", sysctls={**SYSCTLS, "net/ipv4/ip_forward": "0"})
found = findings(taken, "FLN411")
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from msgspec.structs import replace

from flannelscope.cidr import show
from flannelscope.facts import Facts
from flannelscope.flannel.discovery import DEFAULT_SUBNET_FILE
from flannelscope.model import (
    Cni,
    CniFile,
    FlannelProcess,
    Kernel,
    Link,
    Node,
    SavedChain,
    SavedRule,
    SavedTable,
    Snapshot,
    SubnetEnv,
    Sweep,
)
from tests.engine.builders import OLD
from tests.engine.kernels import UP, seen

SYSCTLS: Mapping[str, str] = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/forwarding": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/eth0/forwarding": "1",
    "net/ipv4/conf/eth0/rp_filter": "0",
    "net/ipv4/conf/cni0/forwarding": "1",
    "net/ipv4/conf/flannel.1/forwarding": "1",
    "net/ipv4/conf/flannel.1/rp_filter": "0",
    "net/ipv6/conf/all/forwarding": "1",
    "net/bridge/bridge-nf-call-iptables": "1",
    "net/bridge/bridge-nf-call-ip6tables": "1",
}
CONFLIST = json.dumps(
    {
        "name": "cbr0",
        "cniVersion": "0.3.1",
        "plugins": [
            {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
)
PLUGINS = ("bridge", "flannel", "host-local", "loopback", "portmap")
CNI = Cni(conf_dir="/etc/cni/net.d", files=(CniFile("10-flannel.conflist", CONFLIST),), bin_dirs={"/opt/cni/bin": PLUGINS})
ARGV = ("/opt/bin/flanneld", "--ip-masq", "--kube-subnet-mgr")
NETWORK = "10.244.0.0/16"
APART = 8.0  # seconds between the readings


def rules(*texts: str) -> tuple[SavedRule, ...]:
    """Rules of a chain."""
    return tuple(SavedRule(text) for text in texts)


def masquerade(block: str, network: str = NETWORK, flavour: str = "nft", family: int = 4) -> SavedTable:
    """flannel's nat table, since v0.21."""
    many = "224.0.0.0/4" if family == 4 else "ff00::/8"
    own = rules(
        '-m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN',
        f'-s {block} -d {network} -m comment --comment "flanneld masq" -j RETURN',
        f'-s {network} -d {block} -m comment --comment "flanneld masq" -j RETURN',
        f'! -s {network} -d {block} -m comment --comment "flanneld masq" -j RETURN',
        f'-s {network} ! -d {many} -m comment --comment "flanneld masq" -j MASQUERADE --random-fully',
        f'! -s {network} -d {network} -m comment --comment "flanneld masq" -j MASQUERADE --random-fully',
    )
    entry = rules('-m comment --comment "flanneld masq" -j FLANNEL-POSTRTG')
    chains = {
        "POSTROUTING": SavedChain("POSTROUTING", "ACCEPT", entry),
        "FLANNEL-POSTRTG": SavedChain("FLANNEL-POSTRTG", "", own),
    }
    return SavedTable(flavour, family, "nat", chains)


def forwarding(*before: str, policy: str = "ACCEPT", flavour: str = "nft", network: str = NETWORK, family: int = 4) -> SavedTable:
    """flannel's filter table, with rules before its own."""
    jump = '-m comment --comment "flanneld forward" -j FLANNEL-FWD'
    accept = (f"-s {network} -j ACCEPT", f"-d {network} -j ACCEPT")
    chains = {
        "INPUT": SavedChain("INPUT", "ACCEPT"),
        "OUTPUT": SavedChain("OUTPUT", "ACCEPT"),
        "FORWARD": SavedChain("FORWARD", policy, rules(*before, jump)),
        "FLANNEL-FWD": SavedChain("FLANNEL-FWD", "", rules(*accept)),
    }
    return SavedTable(flavour, family, "filter", chains)


def chain(name: str, *texts: str, policy: str = "ACCEPT", flavour: str = "nft", table: str = "filter") -> SavedTable:
    """A table with one chain of one's own."""
    return SavedTable(flavour, 4, table, {name: SavedChain(name, policy, rules(*texts))})


def env_of(blocks: Mapping[int, str], networks: Mapping[int, str], mtu: int) -> SubnetEnv:
    """flannel's subnet.env for podCIDRs of one family or of both."""
    values = {"FLANNEL_MTU": str(mtu), "FLANNEL_IPMASQ": "true"}
    for family, block in blocks.items():
        first, length = str(next(ip_network(block).hosts())), block.partition("/")[2]
        words = "" if family == 4 else "IPV6_"
        values |= {f"FLANNEL_{words}NETWORK": networks[family], f"FLANNEL_{words}SUBNET": f"{first}/{length}"}
    return SubnetEnv(path="/run/flannel/subnet.env", values=values, modified=OLD)


def env(block: str, **changes: str) -> SubnetEnv:
    """flannel's subnet.env for a podCIDR."""
    first, length = str(next(ip_network(block).hosts())), block.partition("/")[2]
    values = {
        "FLANNEL_NETWORK": NETWORK,
        "FLANNEL_SUBNET": f"{first}/{length}",
        "FLANNEL_MTU": "1450",
        "FLANNEL_IPMASQ": "true",
    }
    return SubnetEnv(path="/run/flannel/subnet.env", values={**values, **changes}, modified=OLD)


def facts(node: Node, networks: Mapping[int, str], links: tuple[Link, ...], subnet_file: str) -> dict[str, Any]:
    """All of it for one node, in the families of these Networks."""
    of_family = {6 if ":" in block else 4: block for block in node.pod_cidrs}
    blocks = {family: of_family[family] for family in networks if family in of_family}
    nat = tuple(masquerade(block, networks[family], family=family) for family, block in blocks.items())
    names = [link.name for link in links]
    per_device = {f"net/ipv4/conf/{n}/{key}": value for n in names for key, value in (("forwarding", "1"), ("rp_filter", "0"))}
    return {
        "sysctls": {**SYSCTLS, **per_device},
        "iptables": (*(forwarding(network=networks[family], family=family) for family in blocks), *nat),
        "nft": (),
        "subnet_env": replace(env_of(blocks, networks, tunnel_mtu(links)), path=subnet_file),
        "cni": CNI,
        "host_local": (),
        "containers": (),
    }


def veth(number: int, mtu: int = 1450) -> Link:
    """A pod's interface in the bridge."""
    return Link(index=100 + number, name=f"veth{number:08x}", kind="veth", flags=UP, mtu=mtu, master="cni0")


def tunnel_mtu(links: tuple[Link, ...]) -> int:
    """What flannel tells pods: its IPv4 tunnel's MTU (over IPv6 alone 20 more than the tunnel has), or the card's."""
    mtus = {
        link.name.partition(".")[0].removesuffix("-v6"): link.mtu for link in reversed(links) if link.name.startswith("flannel")
    }
    alone = all("-v6." in link.name for link in links if link.kind == "vxlan") and any(link.kind == "vxlan" for link in links)
    return next(iter(mtus.values()), 1500) + (20 if alone else 0)


def whole(taken: Snapshot, **options: Any) -> Snapshot:
    """The Snapshot with healthy kernels that say all of it, and one pod's interface each."""
    made = seen(taken, **options)
    judged = Facts(taken)
    for node in made.nodes:
        on = [i for i in judged.discovery.installations if node.name in i.covered] or judged.discovery.installations
        conf = on[0].net_conf if on else None
        networks = {f: show(n) for f, n in ((4, conf.network), (6, conf.ipv6_network)) if n} if conf else {4: NETWORK}
        networks = {f: n for f, n in networks.items() if f in (options.get("families") or (4,))}
        links: tuple[Link, ...] = kernel_of(made, node.name).facts["links"]
        made = put(made, node.name, **facts(node, networks, links, on[0].subnet_file if on else DEFAULT_SUBNET_FILE))
        runs = next((item.pod.detail for item in judged.flannel_on.get(node.name, ()) if item.pod.detail), None)
        argv = next(((*c.command, *c.args) for c in runs.containers if "flanneld" in " ".join(c.command)), ARGV) if runs else ARGV
        process = FlannelProcess(pid=4711, argv=argv, started=OLD, state="S")
        made = put(made, node.name, links=(*links, veth(1, tunnel_mtu(links))), flannel_process=(process,))
    assert made.second_sweep is not None
    again = {name: replace(kernel, at=kernel.at + APART) for name, kernel in made.second_sweep.kernels.items()}
    return replace(made, second_sweep=replace(made.second_sweep, kernels=again))


def kernel_of(taken: Snapshot, name: str) -> Kernel:
    """The first reading of a node."""
    assert taken.sweep is not None
    return taken.sweep.kernels[name]


def put(taken: Snapshot, name: str, *, once: bool = False, **changes: Any) -> Snapshot:
    """The Snapshot with other facts of one node, in both readings or the first (`once`). None: missing, as without sudo."""
    assert taken.sweep is not None and taken.second_sweep is not None
    second = taken.second_sweep if once else _put(taken.second_sweep, name, changes)
    return replace(taken, sweep=_put(taken.sweep, name, changes), second_sweep=second)


def _put(made: Sweep, name: str, changes: Mapping[str, Any]) -> Sweep:
    kernel = made.kernels[name]
    held = {**kernel.facts, **changes}
    missing = {**kernel.missing, **{key: "sudo asks for a password there" for key, value in changes.items() if value is None}}
    read = {key: value for key, value in held.items() if value is not None}
    return replace(made, kernels={**made.kernels, name: replace(kernel, facts=read, missing=missing)})
