"""Connections whose other end vanished without a word: a reboot, a suspended laptop, a NAT that forgot."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flannelscope.sources.ssh.dial import _Through
from flannelscope.sources.ssh.ending import Ending
from flannelscope.sources.ssh.wire import Wire
from tests.engine.ssh.desk import Desk, output
from tests.engine.ssh.hostile import Prompting, Relay
from tests.engine.ssh.sshd import Sshd, keygen, public

Server = Callable[..., Sshd]


def through(desk: Desk, relay: Relay, server: Sshd, alias: str, more: str = "") -> None:
    """Reach this server through the relay as `alias`."""
    server.allow(public(desk.key))
    with desk.known_hosts.open("a") as file:
        file.write(f"[127.0.0.1]:{relay.port} {public(server.host_keys[0])}\n")
    with desk.config.open("a") as file:
        file.write(f"Host {alias}\n  HostName 127.0.0.1\n  Port {relay.port}\n  IdentityFile {desk.key}\n{more}")


def test_a_jump_host_that_vanished_is_connected_to_anew(desk: Desk, server: Server) -> None:
    nodes = {f"w{number}": f"127.0.1.{number}" for number in range(1, 4)}
    node, bastion = server(*nodes.values()).start(), server().start()
    desk.meet(node, "Host 127.0.1.*\n  ProxyJump bastion\n")
    with Relay(bastion.port) as relay:
        through(desk, relay, bastion, "bastion")
        with desk.fleet() as fleet:
            for _ in range(2):
                found = desk.look(fleet, nodes)
                assert [output(found[name]) for name in nodes] == [b"hello\n"] * 3
                relay.freeze()
    assert bastion.logins == 2


def test_a_node_that_vanished_is_connected_to_anew(desk: Desk, server: Server) -> None:
    one = server().start()
    with Relay(one.port) as relay:
        through(desk, relay, one, "w1")
        with desk.fleet() as fleet:
            for _ in range(2):
                assert output(desk.look(fleet, {"w1": "127.0.0.1"})["w1"]) == b"hello\n"
                relay.freeze()
    assert one.logins == 2


class Deaf:
    """A channel of a jump host that takes nothing any more, and the connection to that."""

    closed = False

    def __init__(self) -> None:
        self.given_up = threading.Event()
        self.wire = self
        self.recv = self.send = self.settimeout = lambda *_: None

    def close(self) -> None:
        """As a channel it cannot say goodbye until the connection is given up; as the connection it is given up."""
        if threading.current_thread().name == "flannelscope-part":
            assert self.given_up.wait(60)
        else:
            self.given_up.set()


def test_a_jump_host_that_takes_nothing_keeps_nobody_from_ending() -> None:
    deaf: Any = Deaf()
    ours, theirs = socket.socketpair()
    ending = Ending(threading.Event())
    ending.attach(Wire(_Through(deaf, deaf)), until=0.0)
    ending.attach(Wire(ours), until=0.0)
    with theirs:
        theirs.settimeout(60)
        assert theirs.recv(1) == b"", "the other connection is closed at its time"
    assert deaf.given_up.wait(60), "and the jump host in the end"
    ending.set()


def test_what_was_declined_is_asked_again_only_when_that_is_wanted(desk: Desk, server: Server, tmp_path: Path) -> None:
    one = server().start()
    desk.key = keygen(tmp_path / "locked", "ed25519", "sesame")
    desk.meet(one)
    with desk.fleet(answers={}) as fleet:
        for _ in range(3):
            desk.look(fleet, {"w1": "127.0.0.1"})
        assert [question.host for question in desk.asked] == [str(desk.key)]
        fleet.ask_again()
        desk.look(fleet, {"w1": "127.0.0.1"})
        assert len(desk.asked) == 2


def test_a_prompt_that_was_declined_is_not_asked_again(desk: Desk, server: Server, tmp_path: Path) -> None:
    desk.meet(server("127.0.1.1").start(), "Host 127.0.1.*\n  ProxyJump bastion\n")
    with Prompting(keygen(tmp_path / "host"), code="123456") as bastion:
        with desk.known_hosts.open("a") as file:
            file.write(f"[127.0.0.1]:{bastion.port} {public(tmp_path / 'host')}\n")
        with desk.config.open("a") as config:
            config.write(f"Host bastion\n  HostName 127.0.0.1\n  Port {bastion.port}\n  IdentityFile none\n")
        with desk.fleet(answers={}) as fleet:
            for _ in range(2):
                desk.look(fleet, {"w1": "127.0.1.1"})
    assert len(desk.asked) == 1
