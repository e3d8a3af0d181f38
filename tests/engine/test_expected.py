"""What each backend wants of a kernel, written out by hand for one pair and held against the one that all nodes share."""

from __future__ import annotations

import pytest

from flannelscope.cidr import parse
from flannelscope.flannel.annotations import read
from flannelscope.flannel.expected import Backend, Peer, backend_of, peer_of
from flannelscope.flannel.netconf import parse_net_conf
from flannelscope.model import Link, Node
from tests.engine.builders import announced, mac_of, node

W1 = node("w1", "10.244.1.0/24", "fd00:0:0:1::/64", ip=("10.20.0.1", "fd01::1"))


def peer(what: Node, family: int = 4) -> Peer:
    found = peer_of(read(what), [parse(text) for text in what.pod_cidrs], family)
    assert isinstance(found, Peer), found
    return found


def backend(announced_type: str, conf: str = "{}") -> Backend:
    found = backend_of(announced_type, parse_net_conf(conf))
    assert not isinstance(found, str)
    return found


@pytest.mark.parametrize(
    ("kind", "device", "route"),
    [
        ("vxlan", "flannel.1", "10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink"),
        ("host-gw", "", "10.244.1.0/24 via 10.20.0.1"),
        ("ipip", "flannel.ipip", "10.244.1.0/24 via 10.20.0.1 dev flannel.ipip onlink"),
    ],
)
def test_the_route_to_a_peer(kind: str, device: str, route: str) -> None:
    wanted = backend(kind).wanted(peer(announced(W1, kind)), device)
    assert wanted.route() == route
    assert wanted.mac == (mac_of("w1") if kind == "vxlan" else "")


def test_direct_routing_wants_a_route_alone() -> None:
    wanted = backend("vxlan").direct(peer(announced(W1)))
    assert (wanted.route(), wanted.mac) == ("10.244.1.0/24 via 10.20.0.1", "")


@pytest.mark.parametrize("kind", ["wireguard", ""])
def test_some_want_one_route_for_all(kind: str) -> None:
    made = backend(kind, '{"Network": "10.244.0.0/16", "Backend": {"Type": "udp"}}')
    assert made.wanted(peer(announced(W1, kind)), "x").whole


@pytest.mark.parametrize(
    ("kind", "family", "conf", "name", "address"),
    [
        ("vxlan", 4, "{}", "flannel.1", "10.244.1.0/32"),
        ("vxlan", 6, "{}", "flannel-v6.1", "fd00:0:0:1::/128"),
        ("ipip", 4, "{}", "flannel.ipip", "10.244.1.0/32"),
        ("wireguard", 4, "{}", "flannel-wg", "10.244.1.0/32"),
        ("wireguard", 6, "{}", "flannel-wg-v6", "fd00:0:0:1::/128"),
        ("", 4, '{"Backend": {"Type": "udp"}}', "flannel0", ""),
    ],
)
def test_the_tunnel_of_a_node(kind: str, family: int, conf: str, name: str, address: str) -> None:
    device = backend(kind, conf).device(peer(announced(W1, kind, public_ipv6="fd01::1"), family))
    assert device is not None
    assert (device.name, device.address) == (name, address)


def test_a_vxlan_device_has_what_is_announced_and_configured() -> None:
    made = backend("vxlan", '{"Backend": {"Type": "vxlan", "VNI": 7, "Port": 4789}}')
    device = made.device(peer(announced(W1, vni=7)))
    assert device is not None
    assert (device.name, device.vni, device.port, device.mac) == ("flannel.7", 7, 4789, mac_of("w1"))
    unsaid = made.device(peer(announced(W1, vni=None)))  # until v0.13 no VNI is announced
    assert unsaid is not None and unsaid.name == "flannel.7"
    silent = backend("vxlan").device(peer(announced(W1)))
    assert silent is not None and silent.port == 8472


def test_the_device_that_is_there_counts_whatever_is_announced() -> None:
    own = peer(announced(W1, vni=77))
    links = [Link(index=1, name="eth0"), Link(index=2, name="flannel.1"), Link(index=3, name="flannel-v6.1")]
    assert backend("vxlan").found(own, links) == "flannel.1"
    assert backend("vxlan").found(own, [*links, Link(index=4, name="flannel.77")]) == "flannel.77"
    assert backend("vxlan").found(own, []) == "flannel.77"


@pytest.mark.parametrize("family", [4, 6])
def test_wireguard_in_one_device_for_both_families(family: int) -> None:
    own = peer(announced(W1, "wireguard", public_ipv6="fd01::1"), family)
    assert backend("wireguard").found(own, [Link(index=1, name="flannel-wg")]) == "flannel-wg"


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (announced(node("w2", ip="10.20.0.2")), "no IPv4 podCIDR"),
        (announced(node("w2", "10.244.2.0/24"), public_ip="0.0.0.0"), "no usable IPv4 address"),
        (announced(node("w2", "10.244.2.0/24", ip="10.20.0.2"), backend_data="null"), "no usable VtepMAC"),
    ],
)
def test_what_no_peer_takes_in_is_said(what: Node, why: str) -> None:
    found = peer_of(read(what), [parse(text) for text in what.pod_cidrs], 4)
    assert isinstance(found, str)
    assert why in found


@pytest.mark.parametrize("kind", ["ipsec", "extension", "tencent-vpc", ""])
def test_what_is_not_judged_is_said(kind: str) -> None:
    assert "is not judged" in str(backend_of(kind, None))
