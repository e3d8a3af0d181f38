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


def forwarding(*before: str, policy: str = "ACCEPT", flavour: str = "nft", network: str = NETWORK) -> SavedTable:
    """flannel's filter table, with rules before its own."""
    jump = '-m comment --comment "flanneld forward" -j FLANNEL-FWD'
    accept = (f"-s {network} -j ACCEPT", f"-d {network} -j ACCEPT")
    chains = {
        "INPUT": SavedChain("INPUT", "ACCEPT"),
        "OUTPUT": SavedChain("OUTPUT", "ACCEPT"),
        "FORWARD": SavedChain("FORWARD", policy, rules(*before, jump)),
        "FLANNEL-FWD": SavedChain("FLANNEL-FWD", "", rules(*accept)),
    }
    return SavedTable(flavour, 4, "filter", chains)


def chain(name: str, *texts: str, policy: str = "ACCEPT", flavour: str = "nft", table: str = "filter") -> SavedTable:
    """A table with one chain of one's own."""
    return SavedTable(flavour, 4, table, {name: SavedChain(name, policy, rules(*texts))})


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


def facts(node: Node) -> dict[str, Any]:
    """All of it for one node of one IPv4 podCIDR."""
    block = node.pod_cidrs[0]
    return {
        "sysctls": SYSCTLS,
        "iptables": (forwarding(), masquerade(block)),
        "nft": (),
        "subnet_env": env(block),
        "cni": CNI,
        "host_local": (),
        "containers": (),
        "flannel_process": (FlannelProcess(pid=4711, argv=ARGV, started=OLD, state="S"),),
    }


def veth(number: int, mtu: int = 1450) -> Link:
    """A pod's interface in the bridge."""
    return Link(index=100 + number, name=f"veth{number:08x}", kind="veth", flags=UP, mtu=mtu, master="cni0")


def whole(taken: Snapshot, **options: Any) -> Snapshot:
    """The Snapshot with healthy kernels that say all of it, and one pod's interface each."""
    made = seen(taken, **options)
    for node in made.nodes:
        made = put(made, node.name, **facts(node))
        kernel = kernel_of(made, node.name)
        made = put(made, node.name, links=(*kernel.facts["links"], veth(1)))
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
