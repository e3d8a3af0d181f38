"""Through jump hosts: one connection to each, shared by the nodes behind it; prompts only there, once a hop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flannelscope.questions import PROMPT
from flannelscope.sources.ssh import Answered
from tests.engine.ssh.desk import Desk, output, reason
from tests.engine.ssh.hostile import Prompting
from tests.engine.ssh.sshd import USER, Sshd, keygen, public

Server = Callable[..., Sshd]


def test_all_nodes_share_one_connection_to_the_jump_host(either: Desk, server: Server) -> None:
    nodes = {f"w{number}": f"127.0.1.{number}" for number in range(1, 13)}
    node, bastion = server(*nodes.values()).start(), server("127.0.2.1").start()
    either.meet(node, "Host 127.0.1.*\n  ProxyJump bastion\n")
    either.meet(bastion, "Host bastion\n  HostName 127.0.2.1\n")
    with either.fleet() as fleet:
        for _ in range(2):
            found = either.look(fleet, nodes)
            assert [output(found[name]) for name in nodes] == [b"hello\n"] * 12
    assert bastion.logins == 1
    assert node.logins == 12
    answer = found["w1"]
    assert isinstance(answer, Answered)
    assert answer.origin == f"ssh {USER}@127.0.1.1:{node.port} via bastion"


def test_one_jump_host_behind_another(either: Desk, server: Server) -> None:
    node, inner, outer = server("127.0.1.1").start(), server("127.0.2.1").start(), server("127.0.3.1").start()
    either.meet(node, "Host w*\n  ProxyJump inner\n")
    either.meet(inner, "Host inner\n  HostName 127.0.2.1\n  ProxyJump outer\n")
    either.meet(outer, "Host outer\n  HostName 127.0.3.1\n")
    with either.fleet() as fleet:
        found = either.look(fleet, {"w1": "127.0.1.1"})
    assert output(found["w1"]) == b"hello\n"
    assert isinstance(found["w1"], Answered)
    assert found["w1"].origin.endswith("via outer, inner")
    assert (node.logins, inner.logins, outer.logins) == (1, 1, 1)


def test_a_jump_host_that_is_down_is_said_of_the_nodes_behind_it_only(either: Desk, server: Server) -> None:
    one = server("127.0.1.1", "127.0.2.1").start()
    either.meet(one, "Host 127.0.1.*\n  ProxyJump nobody@127.0.9.9\nHost *\n")
    found = either.once({"behind": "127.0.1.1", "beside": "127.0.2.1"})
    assert "its jump host 127.0.9.9" in reason(found["behind"])
    assert output(found["beside"]) == b"hello\n"


def test_a_node_that_the_jump_host_does_not_reach_is_said(desk: Desk, server: Server) -> None:
    bastion = server("127.0.2.1").start()
    desk.meet(bastion, "Host 127.0.1.*\n  ProxyJump 127.0.2.1\nHost *\n")
    assert "the jump host does not reach 127.0.1.1" in reason(desk.once({"w1": "127.0.1.1"})["w1"])


def test_a_jump_host_that_does_not_forward_is_said(desk: Desk, server: Server) -> None:
    bastion = server("127.0.2.1").start(AllowTcpForwarding="no")
    desk.meet(bastion, "Host 127.0.1.*\n  ProxyJump 127.0.2.1\nHost *\n")
    said = reason(desk.once({"w1": "127.0.1.1"})["w1"])
    assert "the jump host does not forward to 127.0.1.1" in said
    assert "administratively prohibited" in said


def test_a_prompt_of_the_jump_host_is_asked_once_before_any_node_is_dialled(desk: Desk, server: Server, tmp_path: Path) -> None:
    nodes = {f"w{number}": f"127.0.1.{number}" for number in range(1, 6)}
    node = server(*nodes.values()).start()
    desk.meet(node, "Host 127.0.1.*\n  ProxyJump bastion\n")
    with Prompting(keygen(tmp_path / "host"), code="123456") as bastion:
        with desk.known_hosts.open("a") as file:
            file.write(f"[127.0.0.1]:{bastion.port} {public(tmp_path / 'host')}\n")
        with desk.config.open("a") as config:
            config.write(f"Host bastion\n  HostName 127.0.0.1\n  Port {bastion.port}\n  User ops\n  IdentityFile none\n")
        with desk.fleet(answers={f"ops@127.0.0.1:{bastion.port}": "123456"}) as fleet:
            for _ in range(2):
                found = desk.look(fleet, nodes)
                assert [output(found[name]) for name in nodes] == [b"hello\n"] * 5
        asked = [(question.kind, question.text, question.secret) for question in desk.asked]
        assert asked == [(PROMPT, "Second factor Look at your device Code:", True)]
        assert "does not let us in" in reason(desk.once(nodes)["w1"])  # headless: nobody is asked


def test_a_node_never_gets_to_ask(desk: Desk, tmp_path: Path) -> None:
    with Prompting(keygen(tmp_path / "host"), code="123456") as node:
        desk.known_hosts.write_text(f"[127.0.0.1]:{node.port} {public(tmp_path / 'host')}\n")
        desk.config.write_text(f"Host *\n  Port {node.port}\n  IdentityFile {desk.key}\n")
        with desk.fleet(answers={"": "123456"}) as fleet:
            assert "it wants keyboard-interactive" in reason(desk.look(fleet, {"w1": "127.0.0.1"})["w1"])
    assert desk.asked == []
