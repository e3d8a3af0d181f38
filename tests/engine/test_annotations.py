"""What Nodes announce, in every form that flannel from v0.10 to v0.28 writes, and in forms that people write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flannelscope.flannel.annotations import DEFAULT_PREFIX, announcements, backend_data, normal_prefix, prefixes, read
from flannelscope.model import Node

from .builders import announced, node

P = DEFAULT_PREFIX


def said(**annotations: str) -> Node:
    """A Node with these annotations under flannel's default prefix."""
    return node("w1", annotations={P + key.replace("_", "-"): value for key, value in annotations.items()})


def test_what_flannel_writes_today() -> None:
    item = read(announced(node("w1", ip="10.20.0.1"), mac="02:00:00:00:00:01"))
    assert item.member
    assert (item.backend_type, item.public_ip) == ("vxlan", "10.20.0.1")
    assert (item.data.vni, item.data.vtep_mac, item.data.port) == (1, "02:00:00:00:00:01", None)
    assert item.v6_data.absent


def test_releases_up_to_v0_13_write_no_vni() -> None:
    data = backend_data("vxlan", '{"VtepMAC":"4e:a1:fd:be:38:3b"}')
    assert (data.vni, data.vtep_mac, data.broken) == (None, "4e:a1:fd:be:38:3b", "")


def test_wireguard() -> None:
    data = backend_data("wireguard", '{"PublicKey":"4s5o=","Port":51821}')
    assert (data.public_key, data.port, data.vtep_mac) == ("4s5o=", 51821, "")
    assert backend_data("wireguard", '{"PublicKey":"4s5o="}').port is None


@pytest.mark.parametrize("text", [None, "", "null", " null", '""'])
def test_null_is_absence_and_no_fault(text: str | None) -> None:
    data = backend_data("host-gw", text)
    assert data.absent
    assert not data.broken


def test_other_backends_do_not_look_into_their_data() -> None:
    assert not backend_data("host-gw", "{VtepMAC: x}").broken
    assert not backend_data("extension", "anything").broken


@pytest.mark.parametrize(
    "text",
    ["{VtepMAC:aa}", "[1]", '{"VNI":"1"}', '{"VtepMAC":"aa:bb"}', '{"VNI":1', '"x"', "[" * 100_000, '{"VtepMAC":"\\ud800"}'],
)
def test_what_peers_cannot_decode_is_broken(text: str) -> None:
    assert backend_data("vxlan", text).broken


@pytest.mark.parametrize("mac", ["AA:BB:CC:00:11:22", "aa-bb-cc-00-11-22", "aabb.cc00.1122"])
def test_every_form_of_a_mac_is_one_mac(mac: str) -> None:
    assert backend_data("vxlan", f'{{"vni":1,"vtepmac":"{mac}"}}').vtep_mac == "aa:bb:cc:00:11:22"


def test_200_kilobytes_of_annotation_are_read() -> None:
    text = '{"VNI":1,"VtepMAC":"aa:bb:cc:00:11:22","Note":"' + "x" * 200_000 + '"}'
    assert backend_data("vxlan", text).vtep_mac == "aa:bb:cc:00:11:22"


def test_0_0_0_0_is_an_absent_address_and_what_was_written_is_kept() -> None:
    item = read(said(kube_subnet_manager="true", backend_type="host-gw", public_ip="0.0.0.0", public_ipv6="fd00:0::0:1"))
    assert (item.public_ip, item.raw_public_ip) == ("", "0.0.0.0")
    assert item.public_ipv6 == "fd00::1"


@pytest.mark.parametrize("gate", ["True", "yes", "", "false"])
def test_only_true_makes_a_member(gate: str) -> None:
    assert not read(said(kube_subnet_manager=gate)).member


def test_overwrites() -> None:
    item = read(said(public_ip_overwrite="203.0.113.7", public_ipv6_overwrite="2001:db8::7", node_public_ip="10.0.0.9"))
    assert (item.overwrite, item.overwrite_v6, item.node_public_ip) == ("203.0.113.7", "2001:db8::7", "10.0.0.9")


def test_a_custom_prefix_is_a_network_of_its_own() -> None:
    both = announced(announced(node("w1", ip="10.20.0.1")), prefix="example.com/fl-", backend="host-gw")
    assert prefixes(both) == ("example.com/fl-", P)
    assert [(a.prefix, a.backend_type) for a in announcements(both)] == [("example.com/fl-", "host-gw"), (P, "vxlan")]


def test_a_key_that_only_ends_alike_is_no_gate() -> None:
    assert prefixes(replace(node("w1"), annotations={"notkube-subnet-manager": "true"})) == ()


@pytest.mark.parametrize(
    ("flag", "prefix"),
    [
        ("flannel.alpha.coreos.com", "flannel.alpha.coreos.com/"),
        ("example.com/", "example.com/"),
        ("example.com/fl", "example.com/fl-"),
        ("example.com/fl-", "example.com/fl-"),
    ],
)
def test_the_prefix_that_flannel_makes_of_its_option(flag: str, prefix: str) -> None:
    assert normal_prefix(flag) == prefix


@given(st.sampled_from(["vxlan", "wireguard", "host-gw", ""]), st.text())
def test_any_text_as_backend_data_is_decoded_or_said_to_be_broken(backend: str, text: str) -> None:
    data = backend_data(backend, text)
    assert not (data.broken and (data.vtep_mac or data.public_key))
