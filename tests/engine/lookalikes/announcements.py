"""Look-alikes 1 to 6: addresses, backends and families that differ from the usual, on purpose."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from flannelscope import simulated
from flannelscope.flannel.annotations import DEFAULT_PREFIX
from tests.engine.builders import (
    NOW,
    announced,
    fleet,
    healthy,
    mac_of,
    manager_pod,
    net_conf,
    node,
)
from tests.engine.lookalikes.frame import Pair, lookalike, with_annotations, with_node


@lookalike("FLN203")
def item_01_flannel_on_a_second_card() -> Pair:
    """Every public-ip differs from the InternalIP; the corrupted Node announces another Node's InternalIP."""
    taken = simulated.build("healthy", NOW)
    one, other = taken.nodes[5], taken.nodes[9]
    return taken, with_node(taken, with_annotations(one, public_ip=other.internal_ips[0]))


@lookalike("FLN209")
def item_02_addresses_behind_nat() -> Pair:
    """flannel announces what public-ip-overwrite asks for; corrupted: the overwrite was changed and flannel not restarted."""
    nodes = [
        announced(n, public_ip=f"198.51.100.{i}", public_ip_overwrite=f"198.51.100.{i}") for i, n in enumerate(fleet(4), start=1)
    ]
    taken = healthy(nodes)
    return taken, with_node(taken, with_annotations(nodes[1], public_ip_overwrite="198.51.100.77"))


@lookalike("FLN204")
def item_03_ipv6_only_host_gw() -> Pair:
    """All announce 0.0.0.0 and null in IPv4; corrupted: two announce one IPv6 address."""
    return _ipv6_only("host-gw", lambda name: None)


@lookalike("FLN204")
def item_03_ipv6_only_wireguard() -> Pair:
    """The same with wireguard, which writes its key under IPv6; corrupted: two announce one address and port."""
    return _ipv6_only("wireguard", mac_of)


def _ipv6_only(backend: str, key: Callable[[str], str | None]) -> Pair:
    nodes = []
    for i in range(1, 5):
        bare = node(f"w{i}", f"fd00:10:244:{i}::/64", ip=f"fd00:20::{i}")
        made = announced(bare, backend, "0.0.0.0", public_ipv6=f"fd00:20::{i}", mac_v6=key(bare.name))
        nodes.append(with_annotations(made, backend_data="null"))
    taken = healthy(
        nodes,
        config_maps=[
            net_conf(None, EnableIPv4=False, EnableIPv6=True, IPv6Network="fd00:10:244::/48", backend={"Type": backend})
        ],
        control_plane_pods=[manager_pod("--cluster-cidr=fd00:10:244::/48", "--service-cluster-ip-range=fd00:10:96::/108")],
        kubernetes_service_ips=("fd00:10:96::1",),
    )
    return taken, with_node(taken, with_annotations(nodes[3], public_ipv6="fd00:20::1"))


@lookalike("FLN117")
def item_04_dual_stack_kubernetes_with_ipv4_only_flannel() -> Pair:
    """Nodes have an IPv6 podCIDR that flannel does not serve; corrupted: flannel is to serve both and a Node has one only."""
    nodes = [replace(n, pod_cidrs=(*n.pod_cidrs, f"fd00:10:244:{i}::/64")) for i, n in enumerate(fleet(4), start=1)]
    manager = manager_pod(
        "--cluster-cidr=10.244.0.0/16,fd00:10:244::/48", "--service-cluster-ip-range=10.96.0.0/12,fd00:10:96::/108"
    )
    taken = healthy(nodes, control_plane_pods=[manager])
    both = replace(taken, config_maps=(net_conf(EnableIPv6=True, IPv6Network="fd00:10:244::/48"),))
    return taken, with_node(both, replace(nodes[2], pod_cidrs=nodes[2].pod_cidrs[:1]))


@lookalike("FLN315")
def item_05_direct_routing() -> Pair:
    """DirectRouting is a switch of vxlan; corrupted: misspelt, so that flannel ignores it."""
    taken = healthy(config_maps=[net_conf(backend={"Type": "vxlan", "DirectRouting": True})])
    return taken, replace(taken, config_maps=(net_conf(backend={"Type": "vxlan", "DirectRoute": True}),))


@lookalike("FLN205")
def item_06_wireguard() -> Pair:
    """Keys in place of MACs; corrupted: two Nodes with one key, as cloned machines have."""
    nodes = fleet(4, backend="wireguard")
    taken = healthy(nodes, config_maps=[net_conf(backend={"Type": "wireguard"})])
    first = nodes[0].annotations[DEFAULT_PREFIX + "backend-data"]
    return taken, with_node(taken, with_annotations(nodes[3], backend_data=first))


@lookalike("FLN315")
def item_06_learning_on() -> Pair:
    """`Learning: true` is a choice; corrupted: the text "true" where flannel wants true or false."""
    taken = healthy(config_maps=[net_conf(backend={"Type": "vxlan", "Learning": True})])
    return taken, replace(taken, config_maps=(net_conf(backend={"Type": "vxlan", "Learning": "true"}),))
