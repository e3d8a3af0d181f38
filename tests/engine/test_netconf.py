"""net-conf.json as flanneld reads it: what it takes, what ends it, what it passes over in silence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flannelscope.cidr import show
from flannelscope.flannel.netconf import NetConf, parse_net_conf

GOOD = {"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}


def conf(release: tuple[int, int, int] | None = None, **keys: Any) -> NetConf:
    """A good net-conf with these keys set; None takes one away."""
    written = {key: value for key, value in {**GOOD, **keys}.items() if value is not None}
    return parse_net_conf(json.dumps(written), release)


def test_the_upstream_manifest_is_right() -> None:
    read = parse_net_conf('{"Network": "10.244.0.0/16", "EnableNFTables": false, "Backend": {"Type": "vxlan"}}')
    assert read.problems == ()
    assert read.network is not None
    assert show(read.network) == "10.244.0.0/16"
    assert (read.backend, read.announced_type, read.vni) == ("vxlan", "vxlan", 1)
    assert read.families == frozenset({4})


def test_keys_match_whatever_their_case_and_the_later_of_two_counts() -> None:
    read = parse_net_conf('{"NETWORK": "10.1.0.0/16", "network": "10.2.0.0/16", "backend": {"type": "VXLAN", "vni": 7}}')
    assert read.network is not None
    assert show(read.network) == "10.2.0.0/16"
    assert (read.backend, read.vni, read.problems) == ("vxlan", 7, ())


def test_host_bits_are_masked_and_what_was_written_is_kept() -> None:
    read = conf(Network="10.244.0.0/12")
    assert read.network is not None
    assert (show(read.network), read.network_written) == ("10.240.0.0/12", "10.244.0.0/12")
    assert read.problems == ()


def test_dual_stack() -> None:
    read = conf(EnableIPv6=True, IPv6Network="fd00:10:244::/56")
    assert read.families == frozenset({4, 6})
    assert read.ipv6_network is not None
    assert read.problems == ()


def test_without_backend_flannel_takes_udp() -> None:
    read = conf(Backend=None)
    assert (read.backend, read.announced_type, read.broken) == ("udp", "", "")
    assert "udp" in read.problems[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ('{"Network": "10.244.0.0/16",}', "not JSON"),
        ('{"Network": "10.244.0.0/16"} x', "not JSON"),
        ('["10.244.0.0/16"]', "must be a JSON object and is a list"),
        ('{"Network": NaN}', "NaN"),
        ("[" * 100_000, "not JSON"),
        ('{"SubnetLen": ' + "9" * 5000 + "}", "not JSON"),
    ],
)
def test_what_is_no_json_object_ends_flanneld(text: str, says: str) -> None:
    read = parse_net_conf(text)
    assert says in read.broken
    assert read.families is None


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"Network": "10.244.0.0"}, "Network is '10.244.0.0'"),
        ({"Network": "010.244.0.0/16"}, "Network"),  # Go refuses leading zeros
        ({"Network": "fd00::/48"}, "no IPv4 prefix"),
        ({"IPv6Network": "10.244.0.0/16"}, "no IPv6 prefix"),
        ({"Network": 10}, "Network"),
        ({"EnableIPv6": "true"}, "EnableIPv6 must be true or false and is a string"),
        ({"EnableIPv4": False}, "none defined stack"),
        ({"SubnetLen": "24"}, "SubnetLen must be a number"),
        ({"Backend": "vxlan"}, "Backend must be an object and is a string"),
        ({"Backend": {}}, "no backend of type ''"),
        ({"Backend": {"Type": 1}}, "Type must be a string"),
        ({"Backend": {"Type": "vxlna"}}, "vxlan is meant?"),
        ({"Backend": {"Type": "vxlan", "Port": "8472"}}, "Port must be a number and is '8472'"),
        ({"Backend": {"Type": "vxlan", "DirectRouting": "true"}}, "DirectRouting must be true or false"),
        ({"Backend": {"Type": "vxlan", "VNI": 1.5}}, "VNI must be a number"),
        ({"Backend": {"Type": "vxlan", "VNI": 2**24}}, "at most 16777215"),
        ({"Backend": {"Type": "wireguard", "Mode": "both"}}, "separate, auto, ipv4, ipv6"),
    ],
)
def test_what_ends_flanneld(keys: dict[str, Any], says: str) -> None:
    read = conf(**keys)
    assert says in read.broken
    assert read.broken in read.problems


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"Backend": {"Type": "vxlan", "DirectRoute": True}}, "'DirectRoute' and passes over it; DirectRouting is meant?"),
        ({"Backend": {"Type": "vxlan", "Colour": "red"}}, "no setting 'Colour'"),
        ({"EnableIPv6s": True}, "EnableIPv6 is meant?"),
        ({"Netwrok": "10.0.0.0/8"}, "Network is meant?"),
    ],
)
def test_what_is_passed_over_in_silence_is_said(keys: dict[str, Any], says: str) -> None:
    read = conf(**keys)
    assert read.broken == ""
    assert says in read.problems[0]


@pytest.mark.parametrize(
    "keys",
    [
        {"Backend": {"Type": "host-gw", "DirectRouting": True}},  # left over from vxlan, harmless
        {"Backend": {"Type": "vxlan", "VNI": 4096, "Port": 4789, "MacPrefix": "0E-2A", "Name": "flannel"}},
        {"Backend": {"Type": "wireguard", "PersistentKeepaliveInterval": 25, "PSK": "x"}},
        {"Backend": {"Type": "aws-vpc", "RouteTableID": ["rtb-1"]}},
        {"Comment": "by the platform team"},
        {"SubnetLen": 24, "SubnetMin": "10.244.1.0", "SubnetMax": "10.244.200.0"},
        {"EnableIPv4": None, "SubnetLen": None},
    ],
)
def test_what_is_no_problem(keys: dict[str, Any]) -> None:
    assert conf(**keys).problems == ()


@pytest.mark.parametrize(
    ("release", "keys", "problem"),
    [
        ((0, 19, 2), {"Backend": {"Type": "aws-vpc"}}, ""),
        ((0, 20, 0), {"Backend": {"Type": "aws-vpc"}}, "has no aws-vpc backend"),
        ((0, 15, 1), {"Backend": {"Type": "wireguard"}}, "has no wireguard backend"),
        ((0, 16, 0), {"Backend": {"Type": "wireguard"}}, ""),
        ((0, 14, 0), {"EnableIPv6": True, "IPv6Network": "fd00::/56"}, "v0.15.0"),
        ((0, 24, 0), {"EnableNFTables": True}, "v0.25.0"),
        ((0, 20, 0), {"Backend": {"Type": "vxlan", "MTU": 1400}}, "MTU is known since v0.21.3"),
        ((0, 28, 10), {"Backend": {"Type": "vxlan", "MTU": 1400}}, ""),
    ],
)
def test_some_backends_and_keys_exist_in_some_releases_only(
    release: tuple[int, int, int], keys: dict[str, Any], problem: str
) -> None:
    problems = conf(release, **keys).problems
    assert problem in " ".join(problems)
    assert bool(problems) is bool(problem)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["Network", "backend", "TYPE", "VNI", "EnableIPv6"]) | st.text(), inner)
    ),
    max_leaves=12,
)


@given(st.text() | JSON.map(json.dumps))
def test_whatever_stands_there_is_read_or_said_to_be_wrong(text: str) -> None:
    read = parse_net_conf(text)
    assert (read.families is None) is bool(read.broken)
    assert read.broken in ("", *read.problems)
