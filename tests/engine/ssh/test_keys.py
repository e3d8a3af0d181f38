"""Who we are: keys in files, certificates, an agent; a passphrase is asked for once, and headless never."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flannelscope.questions import PASSPHRASE
from tests.engine.ssh.desk import Desk, output, reason
from tests.engine.ssh.sshd import USER, Sshd, certify, keygen, public

Server = Callable[..., Sshd]
NODE = {"w1": "127.0.0.1"}
SECRET = "correct horse"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    """The socket of an ssh-agent without keys."""
    path = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL) as process:
        while not path.exists():
            assert process.poll() is None
        yield path
        process.send_signal(signal.SIGTERM)


def hold(agent: Path, key: Path, *more: str) -> None:
    """Give the agent a key."""
    subprocess.run(
        ["ssh-add", "-q", *more, str(key)], check=True, env={**os.environ, "SSH_AUTH_SOCK": str(agent)}, capture_output=True
    )


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_key_of_each_kind_opens(desk: Desk, server: Server, tmp_path: Path, kind: str) -> None:
    one = server().start()
    desk.meet(one)
    key = keygen(tmp_path / "key", kind)
    old = keygen(tmp_path / "old", kind, "", "-m", "PEM")
    for path in (key, old):
        one.allow(public(path))
        assert output(desk.once(NODE, identities=(str(path),))["w1"]) == b"hello\n"


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("where", ["file", "agent"])
def test_a_certificate_opens_where_only_its_authority_is_known(
    desk: Desk, server: Server, tmp_path: Path, agent: Path, kind: str, where: str
) -> None:
    one = server().start()
    authority, key = keygen(tmp_path / "authority"), keygen(tmp_path / "key", kind)
    desk.meet(one, f"Host *\n  IdentityAgent {agent if where == 'agent' else 'none'}\n")
    one.allow(f"cert-authority {public(authority)}")
    assert "does not let us in" in reason(desk.once(NODE, identities=(str(key),))["w1"])
    certify(authority, key, "-I", "operator", "-n", USER)
    if where == "agent":
        hold(agent, key)
        key.unlink()
        key.with_name("key-cert.pub").rename(key)  # says which of the agent's keys is meant
    assert output(desk.once(NODE, identities=(str(key),))["w1"]) == b"hello\n"


def test_what_the_agent_holds_is_not_asked_for(desk: Desk, server: Server, tmp_path: Path, agent: Path) -> None:
    one = server().start()
    desk.meet(one, f"Host *\n  IdentityAgent {agent}\n")
    key = keygen(tmp_path / "key")
    one.allow(public(key))
    hold(agent, key)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", SECRET, "-f", str(key)], check=True, capture_output=True)
    with desk.fleet(answers={}, identities=(str(key),)) as fleet:
        assert output(desk.look(fleet, NODE)["w1"]) == b"hello\n"
    assert desk.asked == []


def test_an_agent_that_does_not_sign_leaves_the_other_keys(desk: Desk, server: Server, tmp_path: Path, agent: Path) -> None:
    one = server().start()
    desk.meet(one, f"Host *\n  IdentityAgent {agent}\n")
    unconfirmed = keygen(tmp_path / "unconfirmed")
    hold(agent, unconfirmed, "-c")  # nobody is there to confirm
    one.allow(public(unconfirmed), public(desk.key))
    unconfirmed.unlink()
    unconfirmed.with_name("unconfirmed.pub").rename(unconfirmed)
    assert output(desk.once(NODE, identities=(str(unconfirmed), str(desk.key)))["w1"]) == b"hello\n"
    assert "the agent does not sign with unconfirmed" in reason(desk.once(NODE, identities=(str(unconfirmed),))["w1"])


def test_an_agent_that_is_gone_is_said_and_files_are_used(desk: Desk, server: Server, tmp_path: Path) -> None:
    one = server().start()
    desk.meet(one, f"Host *\n  IdentityAgent {tmp_path}/nobody\n")
    assert output(desk.once(NODE)["w1"]) == b"hello\n"
    one.allow()
    assert "nobody does not answer" in reason(desk.once(NODE)["w1"])


def test_a_passphrase_is_asked_for_once_for_all_nodes_and_readings(desk: Desk, server: Server, tmp_path: Path) -> None:
    nodes = {f"w{number}": f"127.0.1.{number}" for number in range(1, 6)}
    one = server(*nodes.values()).start()
    desk.meet(one)
    key = keygen(tmp_path / "locked", "ed25519", SECRET)
    one.allow(public(key))
    with desk.fleet(answers={"locked": SECRET}, identities=(str(key),)) as fleet:
        for _ in range(2):
            found = desk.look(fleet, nodes)
            assert [output(found[node]) for node in nodes] == [b"hello\n"] * 5
    assert [(question.kind, question.host, question.secret) for question in desk.asked] == [(PASSPHRASE, str(key), True)]


def test_a_wrong_passphrase_is_asked_for_three_times(desk: Desk, server: Server, tmp_path: Path) -> None:
    one = server().start()
    desk.meet(one)
    key = keygen(tmp_path / "locked", "ed25519", SECRET)
    with desk.fleet(answers={"locked": "wrong"}, identities=(str(key),)) as fleet:
        said = reason(desk.look(fleet, NODE)["w1"])
    assert len(desk.asked) == 3
    assert f"locked and not opened: {key}" in said
    assert f"ssh-add {key}" in said


def test_headless_nobody_is_asked(desk: Desk, server: Server, tmp_path: Path) -> None:
    one = server().start()
    desk.meet(one)
    for form in ([], ["-m", "PEM"]):
        key = keygen(tmp_path / f"locked{len(form)}", "rsa", SECRET, *form)
        one.allow(public(key))
        said = reason(desk.once(NODE, identities=(str(key),))["w1"])
        assert f"locked and not opened: {key}" in said
        assert f"ssh-add {key}" in said
    assert one.logins == 0


def test_a_key_that_others_can_read_is_not_used(desk: Desk, server: Server) -> None:
    one = server().start()
    desk.meet(one)
    desk.key.chmod(0o644)
    assert "can be read by others" in reason(desk.once(NODE)["w1"])


def test_an_answer_and_its_key_are_in_no_representation(tmp_path: Path) -> None:
    from flannelscope.questions import Answer
    from flannelscope.sources.ssh.key_files import KeyFile

    key = KeyFile(str(keygen(tmp_path / "locked", "ed25519", SECRET)))
    assert key.locked
    assert key.unlock(SECRET)
    assert SECRET not in repr(Answer("q1", SECRET)) + repr(vars(key)) + repr(Answer("q1", SECRET).__rich_repr__())
