"""Whom a Node's name or address leads to: OpenSSH is asked, rarely; our own reader stands in where there is none."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from flannelscope.sources.ssh import Host, SshSettings, Target
from flannelscope.sources.ssh.asked_openssh import AskedOpenssh
from flannelscope.sources.ssh.own_reader import OwnReader
from flannelscope.sources.ssh.routes import Routes, configuration
from tests.engine.ssh.sshd import USER

NODES = [Host(f"w{number}", f"172.30.0.{number}") for number in range(1, 61)]
PLAIN = """
Host bastion
  HostName bastion.example.com
  User jump
  Port 2222
Host 172.30.0.*
  ProxyJump bastion
  User ops
Host *
  ConnectTimeout 3
"""


class Desk:
    """A configuration file, and a program `ssh` that counts how often it is asked."""

    def __init__(self, folder: Path, config: str) -> None:
        self.config = folder / "config"
        self.config.write_text(config)
        self._count = folder / "count"
        self._count.write_text("")
        self.program = folder / "ssh"
        self.program.write_text(f'#!/bin/sh\necho "$@" >>{self._count}\nexec ssh "$@"\n')
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)

    @property
    def asked(self) -> int:
        """How often so far."""
        return len(self._count.read_text().splitlines())

    def resolve(self, hosts: list[Host], *, own: bool = False, **changes: str) -> dict[str, Target | str]:
        """Each Node's target, or why there is none."""
        settings = SshSettings(**{"config": str(self.config), **changes})  # type: ignore[arg-type]
        reader = OwnReader(settings) if own else AskedOpenssh(str(self.program), settings)
        targets, failed = Routes(settings, reader).targets(hosts)
        return {**{target.node: target for target in targets}, **{one.node: one.reason for one in failed}}


def one(found: Target | str) -> Target:
    """It, where there is one."""
    assert isinstance(found, Target), found
    return found


@pytest.fixture(params=[False, True], ids=["openssh", "own reader"])
def own(request: pytest.FixtureRequest) -> bool:
    """Both readers must say the same of what both know."""
    return bool(request.param)


def test_internal_ip_user_and_jump_host(tmp_path: Path, own: bool) -> None:
    found = one(Desk(tmp_path, PLAIN).resolve(NODES, own=own)["w7"])
    assert (found.host, found.port, found.user, found.hops) == ("172.30.0.7", 22, "ops", ("bastion",))
    assert found.origin == "ssh ops@172.30.0.7 via bastion"
    hop = found.route[0]
    assert (hop.host, hop.port, hop.user, hop.known_as) == ("bastion.example.com", 2222, "jump", ("[bastion.example.com]:2222",))
    assert found.login.policy.patience == 3


def test_a_name_that_configuration_is_made_for_stands_for_the_node(tmp_path: Path, own: bool) -> None:
    desk = Desk(tmp_path, "Host w1\n  HostName 10.9.9.9\nHost w2 !w3\n  ProxyJump jump@10.0.0.1:2200\nHost *\n  User all\n")
    found = desk.resolve(NODES[:3], own=own)
    assert (one(found["w1"]).host, one(found["w1"]).login.alias) == ("10.9.9.9", "w1")
    assert (one(found["w2"]).host, one(found["w2"]).login.alias) == ("172.30.0.2", "w2")
    assert one(found["w2"]).route[0].words == "jump@10.0.0.1:2200"
    assert (one(found["w3"]).host, one(found["w3"]).login.alias) == ("172.30.0.3", "172.30.0.3")


def test_a_pattern_for_everything_makes_no_name(tmp_path: Path, own: bool) -> None:
    desk = Desk(tmp_path, "Host * !bastion\n  User ops\nHost ??\n  Port 24\n")
    assert one(desk.resolve(NODES, own=own)["w7"]).login.alias == "172.30.0.7"


def test_a_hostname_made_of_the_name(tmp_path: Path, own: bool) -> None:
    desk = Desk(tmp_path, "Host w*\n  HostName %h.example.com\n")
    found = desk.resolve(NODES, own=own)
    assert [one(found[host.node]).host for host in NODES] == [f"{host.node}.example.com" for host in NODES]


def test_options_win_over_the_configuration(tmp_path: Path, own: bool) -> None:
    found = one(Desk(tmp_path, PLAIN).resolve(NODES, own=own, user="root")["w1"])
    assert (found.user, found.route[0].user) == ("root", "jump")


def test_included_files_count(tmp_path: Path, own: bool) -> None:
    (tmp_path / "more").write_text("Host 172.30.0.1\n  User included\nHost 172.30.0.2\n  Port 99\n")
    desk = Desk(tmp_path, f"Host 172.30.*\n  Include {tmp_path}/mo*\n  Port 77\nHost 10.*\n  Include {tmp_path}/more\n")
    found = desk.resolve(NODES, own=own)
    assert [(one(found[node]).user, one(found[node]).port) for node in ("w1", "w2", "w3")] == [
        ("included", 77),
        (USER, 99),
        (USER, 77),
    ]


def test_sixty_nodes_alike_are_asked_for_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, PLAIN)
    assert len(desk.resolve(NODES)) == 60
    assert desk.asked == 2  # an address, and the jump host


def test_plain_match_is_asked_for_once_for_each_kind_of_node(tmp_path: Path) -> None:
    desk = Desk(
        tmp_path, "Match host 172.30.0.7\n  User seven\nMatch originalhost w9 user nobody\n  User nine\nMatch host w9\n  Port 9\n"
    )
    found = desk.resolve(NODES)
    assert [one(found[host.node]).user for host in NODES] == [USER] * 6 + ["seven"] + [USER] * 53
    assert (one(found["w9"]).login.alias, one(found["w9"]).port) == ("w9", 9)
    assert desk.asked == 3


def test_what_may_differ_for_each_is_asked_for_each(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "Host w*\n  HostName 10.0.0.%h\nMatch host 10.0.0.w7\n  User seven\n")
    found = desk.resolve(NODES)
    assert [one(found[host.node]).user for host in NODES] == [USER] * 6 + ["seven"] + [USER] * 53
    assert desk.asked == 60


def test_a_command_that_is_the_same_for_all_is_run_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 'Match host 172.30.* exec "true"\n  User yes\nMatch exec "false"\n  Port 99\n')
    found = desk.resolve(NODES)
    assert {(one(target).user, one(target).port) for target in found.values()} == {("yes", 22)}
    assert desk.asked == 1


def test_match_exec_is_understood_by_openssh(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 'Match exec "test %h = w3"\n  HostName 10.3.3.3\n')
    assert one(desk.resolve(NODES[:4])["w3"]).host == "10.3.3.3"


def test_our_own_reader_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    for line in ("Match host x", "KnownHostsCommand /bin/true", "Hostnaem x"):
        desk = Desk(tmp_path, f"Host *\n  User ops\n{line}\n")
        assert f"config:3: {line.split()[0].lower()}" in str(desk.resolve(NODES[:1], own=True)["w1"])


def test_a_configuration_that_openssh_refuses_is_said(tmp_path: Path) -> None:
    assert "Bad configuration option" in str(Desk(tmp_path, "Hostnaem x\n").resolve(NODES)["w1"])
    assert "no such file" in str(Desk(tmp_path, "").resolve(NODES, own=True, config="/nowhere")["w1"]).lower()


def test_jump_hosts_that_lead_to_each_other(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\nHost 172.*\n  ProxyJump a\n")
    assert "without end" in str(desk.resolve(NODES)["w1"])


@pytest.mark.parametrize(("jump", "user", "host", "port"), [
    ("bob@10.0.0.1:2022", "bob", "10.0.0.1", 2022),
    ("[fd00::1]:2022", USER, "fd00::1", 2022),
    ("ssh://bob@10.0.0.1:2022", "bob", "10.0.0.1", 2022),
])  # fmt: skip
def test_how_a_jump_host_may_be_written(tmp_path: Path, jump: str, user: str, host: str, port: int) -> None:
    hop = one(Desk(tmp_path, f"Host 172.*\n  ProxyJump {jump}\n").resolve(NODES)["w1"]).route[0]
    assert (hop.user, hop.host, hop.port) == (user, host, port)


def test_tokens_of_a_jump_host_stand_for_the_node(tmp_path: Path, own: bool) -> None:
    desk = Desk(tmp_path, "Host 172.*\n  User ops\n  ProxyJump %r@gw-%h\nHost gw-*\n  HostName gate.example.com\n")
    hop = one(desk.resolve(NODES, own=own)["w1"]).route[0]
    assert (hop.user, hop.alias, hop.host) == ("ops", "gw-172.30.0.1", "gate.example.com")


def test_what_only_the_systems_ssh_does_is_refused_but_for_that(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "Host *\n  ProxyCommand nc %h %p\n")
    assert "only the system's ssh" in str(desk.resolve(NODES)["w1"])
    assert one(desk.resolve(NODES, transport="openssh")["w1"]).hops == ()


def test_without_openssh_our_own_reader_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(configuration(SshSettings()), AskedOpenssh)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert isinstance(configuration(SshSettings()), OwnReader)
    assert os.environ["PATH"] == str(tmp_path)


@pytest.mark.parametrize("evil", ["$(touch x)", "-oProxyCommand=touch x", "1.2.3.4`x`", "fe80::1%x", "10.0.0.1 x", "w1"])
def test_what_the_api_says_reaches_no_command_line_unless_it_is_an_address(tmp_path: Path, own: bool, evil: str) -> None:
    desk = Desk(tmp_path, "Host w*\n  User ops\nHost *\n  User all\n")
    found = desk.resolve([Host("w1", evil), Host("x1", evil), Host("w$(x)", "10.0.0.1")], own=own)
    assert "is no address" in str(found["w1"])
    assert "is no address" in str(found["x1"])
    assert one(found["w$(x)"]).login.alias == "10.0.0.1"
    assert evil not in (tmp_path / "count").read_text().replace(" w1\n", "")
