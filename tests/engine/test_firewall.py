"""What rule sets of the world do with a packet between pods, and with one of the overlay: walked as the kernel would."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from flannelscope.cidr import parse
from flannelscope.firewall import Outcome, Packet, base_chains, walk
from flannelscope.model import NftChain, NftTable, Prefix, SavedTable
from flannelscope.probes import nft
from flannelscope.probes.firewall_saves import tables

DATA = Path(__file__).parents[1] / "data" / "firewall"
FORWARD = ("prerouting", "forward", "postrouting")
INPUT = ("prerouting", "input")


def prefix(text: str) -> Prefix:
    """A prefix of a test."""
    found = parse(text)
    assert found is not None
    return found


ARRIVING = Packet(
    family=4, source=prefix("10.244.2.0/24"), destination=prefix("10.244.1.0/24"), incoming="flannel.1", outgoing="cni0"
)
LEAVING = Packet(
    family=4, source=prefix("10.244.1.0/24"), destination=prefix("10.244.2.0/24"), incoming="cni0", outgoing="flannel.1"
)
OVERLAY = Packet(
    family=4,
    source=prefix("10.20.0.2/32"),
    destination=prefix("10.20.0.1/32"),
    incoming="eth0",
    protocol="udp",
    destination_port=8472,
    ends_here=True,
)


def saved(text: str, flavour: str = "nft") -> tuple[SavedTable, ...]:
    """Tables of iptables-save, all of its lines understood."""
    unparsed: list[str] = []
    found = tuple(tables(text, flavour, 4, unparsed))
    assert not unparsed
    return found


def recorded(name: str) -> tuple[tuple[SavedTable, ...], tuple[NftTable, ...]]:
    """A rule set of tests/data/firewall."""
    if name.endswith(".json"):
        return (), nft.parse((DATA / name).read_bytes()).value
    return saved((DATA / name).read_text("utf-8")), ()


def through(name: str, packet: Packet, hooks: tuple[str, ...] = FORWARD) -> Outcome:
    """What a recorded rule set does with a packet."""
    return walk(base_chains(*recorded(name), packet.family, hooks), packet)


def forward(*rules: str, policy: str = "ACCEPT", packet: Packet = ARRIVING) -> Outcome:
    """What a FORWARD chain of these rules does with a packet; a rule for another chain says its name first."""
    lines = [rule if rule.startswith("-A ") else f"-A FORWARD {rule}" for rule in rules]
    chains = sorted({line.split()[1] for line in lines} - {"FORWARD"})
    text = "\n".join(("*filter", f":FORWARD {policy} [0:0]", *(f":{chain} - [0:0]" for chain in chains), *lines, "COMMIT"))
    return walk(base_chains(saved(text), (), 4, ("forward",)), packet)


@pytest.mark.parametrize(
    "name",
    [
        "docker.iptables-save",
        "kube-proxy.iptables-save",
        "ufw.iptables-save",
        "canal.iptables-save",
        "firewalld-trusted.nft.json",
    ],
)
@pytest.mark.parametrize("packet", [ARRIVING, LEAVING], ids=["arriving", "leaving"])
def test_rule_sets_that_let_pods_through(name: str, packet: Packet) -> None:
    assert through(name, packet).drop is None


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("stock-rhel.iptables-save", "-j REJECT --reject-with icmp-host-prohibited"),
        ("firewalld-public.nft.json", "reject"),
    ],
)
def test_rule_sets_that_reject_pods(name: str, rule: str) -> None:
    for packet in (ARRIVING, LEAVING):
        drop = through(name, packet).drop
        assert drop is not None
        assert drop.rule == rule


def test_the_rule_that_drops_is_named_with_its_chain() -> None:
    drop = through("firewalld-public.nft.json", ARRIVING).drop
    assert drop is not None
    assert drop.words == "reject (nft, table inet firewalld, chain filter_FWD_public)"
    assert drop.base.show == "nft list table inet firewalld"


def test_a_firewall_that_knows_ssh_only_drops_the_overlay() -> None:
    for name in ("ufw.iptables-save", "stock-rhel.iptables-save", "firewalld-public.nft.json"):
        assert through(name, OVERLAY, INPUT).drop is not None, name
    for name in ("docker.iptables-save", "kube-proxy.iptables-save", "firewalld-trusted.nft.json"):
        assert through(name, OVERLAY, INPUT).drop is None, name
    ssh = replace(OVERLAY, protocol="tcp", destination_port=22)
    assert through("ufw.iptables-save", ssh, INPUT).drop is None


def test_canals_policies_are_policy_and_leave_a_doubt_only_where_nobody_accepts() -> None:
    assert forward("-j cali-FORWARD", "-A cali-FORWARD -j DROP").drop is None
    without_flannel = forward("-j cali-FORWARD", "-A cali-FORWARD -j RETURN", policy="DROP")
    assert without_flannel.drop is None  # calico may have accepted it
    assert without_flannel.doubts == ("policy drop (iptables-nft, table filter, chain FORWARD)",)


def test_an_accept_in_one_base_chain_saves_from_no_drop_in_a_later_one() -> None:
    accepting = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j ACCEPT\nCOMMIT"
    later = NftTable(
        family="ip",
        name="hardening",
        chains={"forward": NftChain(name="forward", type="filter", hook="forward", priority=10, policy="drop")},
    )
    drop = walk(base_chains(saved(accepting), (later,), 4, FORWARD), ARRIVING).drop
    assert drop is not None
    assert drop.words == "policy drop (nft, table ip hardening, chain forward)"
    assert walk(base_chains(saved(accepting), (later,), 6, FORWARD), replace(ARRIVING, family=6)).drop is None


def test_both_flavours_of_iptables_are_walked() -> None:
    rejecting = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -i flannel.1 -j REJECT --reject-with icmp-port-unreachable\nCOMMIT"
    accepting = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j ACCEPT\nCOMMIT"
    drop = walk(base_chains((*saved(accepting), *saved(rejecting, "legacy")), (), 4, FORWARD), ARRIVING).drop
    assert drop is not None
    assert drop.base.show == "iptables-legacy -t filter -S FORWARD"


@pytest.mark.parametrize(
    "rule",
    [
        "-s 10.244.0.0/16 -j DROP",
        "-s 10.244.0.0/255.255.0.0 -j DROP",
        "-i flannel.1 -o cni0 -j REJECT --reject-with icmp-admin-prohibited",
        "-i flannel+ -j DROP",
        "! -i eth0 -j DROP",
        "! -s 192.168.0.0/16 -m conntrack --ctstate NEW -j DROP",
        "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
        "-m comment --comment \"-s 1.2.3.4 -j ACCEPT\" -j DROP",
        "-m mark ! --mark 0x4000/0x4000 -j DROP",
        "-m iprange --src-range 10.244.0.0-10.245.0.0 -j DROP",
        "-m addrtype --dst-type UNICAST -j DROP",
    ],
)  # fmt: skip
def test_a_rule_that_surely_meets_the_packet_drops_it(rule: str) -> None:
    drop = forward(rule).drop
    assert drop is not None
    assert drop.rule == rule


@pytest.mark.parametrize(
    "rule",
    [
        "-s 10.244.2.7/32 -j DROP",  # one pod's
        "-s 192.168.0.0/16 -j DROP",
        "! -s 10.244.0.0/16 -j DROP",
        "-p udp -j DROP",
        "-p tcp -m tcp --dport 25 -j DROP",
        "-p tcp -m multiport --dports 135,137:139,445 -j DROP",
        "-m conntrack --ctstate INVALID -j DROP",
        "-m addrtype --dst-type LOCAL -j DROP",
        "-i docker0 -j DROP",
        "-m mark --mark 0x1 -j DROP",
        "-p icmp -m icmp --icmp-type 8 -j DROP",
        "-j LOG --log-prefix \"dropped: \"",
        "-j TCPMSS --set-mss 1360",
    ],
)  # fmt: skip
def test_a_rule_about_other_packets_leaves_it_alone(rule: str) -> None:
    assert forward(rule).drop is None
    assert not forward(rule).doubts


@pytest.mark.parametrize(
    "rule", ["-m set --match-set blocked src -j DROP", "-m limit --limit 5/min -j DROP", "-m geoip --source-country XX -j DROP"]
)
def test_a_match_of_which_nothing_is_known_is_a_doubt_and_no_drop(rule: str) -> None:
    outcome = forward(rule)
    assert outcome.drop is None
    assert outcome.doubts == (f"{rule} (iptables-nft, table filter, chain FORWARD)",)


def test_what_was_perhaps_accepted_is_not_surely_dropped() -> None:
    outcome = forward("-m set --match-set known src -j ACCEPT", policy="DROP")
    assert outcome.drop is None
    assert outcome.doubts


def test_jumps_return_and_gotos_do_not() -> None:
    assert forward("-j A", "-A A -j RETURN", "-A A -j DROP").drop is None
    assert forward("-j A", "-j DROP", "-A A -s 10.244.0.0/16 -j ACCEPT").drop is None
    assert forward("-g A", "-j ACCEPT", "-A A -p udp -j ACCEPT", policy="DROP").drop is not None
    assert forward("-j A", "-A A -j B", "-A B -j A").drop is None  # a ring that no kernel would take


def test_a_mark_that_was_set_is_not_known_afterwards() -> None:
    assert forward("-j MARK --set-xmark 0x1/0x1", "-m mark --mark 0x1/0x1 -j DROP").doubts
    assert forward("-m mark --mark 0x1/0x1 -j DROP", "-j MARK --set-xmark 0x1/0x1").doubts == ()
