"""A node that misbehaves is one node that was not read, with a sentence; the others are complete and on time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest

from flannelscope.sources.ssh import Answered
from tests.engine.ssh.desk import Desk, output, reason
from tests.engine.ssh.hostile import Raw, Speaking
from tests.engine.ssh.sshd import Sshd, free_port, keygen, public

Server = Callable[..., Sshd]
BAD = "127.0.0.1"
GOOD = "127.0.1.1"
HOSTS = {"bad": BAD, "good": GOOD}


@contextmanager
def beside(desk: Desk, good: Sshd, port: int, host_key: Path | None = None) -> Iterator[None]:
    """The bad node has its own port; a good one stands beside it and must answer whatever the bad one does."""
    desk.config.write_text(f"Host {BAD}\n  Port {port}\n")
    desk.meet(good)
    if host_key is not None:
        with desk.known_hosts.open("a") as file:
            file.write(f"[{BAD}]:{port} {public(host_key)}\n")
    yield


def said(desk: Desk, good: Sshd, port: int, host_key: Path | None = None, deadline: float = 30.0, wait: float = 20.0) -> str:
    """Why the bad node was not read."""
    with beside(desk, good, port, host_key), desk.fleet(connect_timeout=wait) as fleet:
        found = desk.look(fleet, HOSTS, deadline=deadline)
        assert output(found["good"]) == b"hello\n"
        return reason(found["bad"])


def test_nobody_answers(desk: Desk, server: Server) -> None:
    with socket.socket() as full:
        full.bind((BAD, 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.create_connection((BAD, port)):  # fills the queue: further connections are not taken
            assert f"no answer from {BAD} port {port} within 2 s" in said(desk, server(GOOD).start(), port, wait=2)


def test_nothing_listens(desk: Desk, server: Server) -> None:
    assert "refuses connections" in said(desk, server(GOOD).start(), free_port(BAD))


def test_a_name_that_nobody_knows(desk: Desk, server: Server) -> None:
    good = server(GOOD).start()
    desk.meet(good, "Host bad\n  HostName nobody.invalid\nHost *\n")
    found = desk.once(HOSTS)
    assert "the name nobody.invalid is not known here" in reason(found["bad"])
    assert output(found["good"]) == b"hello\n"


def test_it_takes_the_connection_and_says_nothing(desk: Desk, server: Server) -> None:
    with Raw(lambda connection: _drain(connection)) as bad:
        assert "did not go on in time" in said(desk, server(GOOD).start(), bad.port, wait=2)


@pytest.mark.parametrize("speech", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\xff" * 1000, b"no line ends here " * 100])
def test_something_else_answers(desk: Desk, server: Server, speech: bytes) -> None:
    with Raw(lambda connection: _say(connection, speech)) as bad:
        assert "no SSH server" in said(desk, server(GOOD).start(), bad.port)


def test_it_never_stops_talking_before_its_version(desk: Desk, server: Server) -> None:
    def talk(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"x" * 65536)

    with Raw(talk) as bad:
        assert "no SSH server" in said(desk, server(GOOD).start(), bad.port)


def test_garbage_after_its_version(desk: Desk, server: Server) -> None:
    with Raw(lambda connection: _say(connection, b"SSH-2.0-bad\r\n" + bytes(range(256)) * 40)) as bad:
        assert "broke off while keys were exchanged" in said(desk, server(GOOD).start(), bad.port)


def test_it_closes_every_connection_at_once(desk: Desk, server: Server) -> None:
    tries: list[socket.socket] = []

    def close(connection: socket.socket) -> None:
        tries.append(connection)
        connection.close()

    with Raw(close) as bad:
        assert "closed the connection at once, 4 times" in said(desk, server(GOOD).start(), bad.port)
    assert len(tries) == 4


def test_a_banner_of_a_megabyte_is_survived(desk: Desk, server: Server, tmp_path: Path) -> None:
    key = keygen(tmp_path / "host")
    with (
        Speaking(key, lambda channel: _later(_answer, channel), banner="spam " * 200_000) as bad,
        beside(desk, server(GOOD).start(), bad.port, key),
    ):
        found = desk.once(HOSTS)
    assert {node: output(outcome) for node, outcome in found.items()} == {"bad": b"hello\n", "good": b"hello\n"}


def test_a_banner_without_end(desk: Desk, server: Server, tmp_path: Path) -> None:
    key = keygen(tmp_path / "host")
    with Speaking(key, lambda channel: False, banner="spam " * 2_000_000) as bad:
        assert "far more than was asked for" in said(desk, server(GOOD).start(), bad.port, key)


def test_it_hangs_after_the_login(desk: Desk, server: Server, tmp_path: Path) -> None:
    ended = threading.Event()
    key = keygen(tmp_path / "host")
    with Speaking(key, lambda channel: ended.wait(60)) as bad:
        assert "logged in, then nothing came within" in said(desk, server(GOOD).start(), bad.port, key, deadline=3)
        ended.set()


def test_it_refuses_to_run_anything(desk: Desk, server: Server, tmp_path: Path) -> None:
    key = keygen(tmp_path / "host")
    with Speaking(key, lambda channel: False) as bad:
        assert "refuses to run a command" in said(desk, server(GOOD).start(), bad.port, key)


def test_the_connection_is_cut_in_the_middle(desk: Desk, server: Server, tmp_path: Path) -> None:
    def cut(channel: paramiko.Channel) -> None:
        _read_script(channel)
        channel.sendall(b"begin\n")
        channel.get_transport().close()

    key = keygen(tmp_path / "host")
    with Speaking(key, lambda channel: _later(cut, channel)) as bad:
        words = said(desk, server(GOOD).start(), bad.port, key)
    assert "the connection ended in the middle of the answer, after 6 bytes" in words


FORCED = {
    "the script hangs": ("echo begin; cat >/dev/null; exec sleep 8", "stopped|had not ended after 6 bytes"),
    "nothing comes and nothing ends": ("cat >/dev/null; exec sleep 8", "logged in, then nothing came within"),
    "killed before it says anything": ("kill -9 $$", "session was closed without an answer"),
    "a restricted shell": (
        "echo 'rbash: exec: restricted' >&2; exit 1",
        "does not run our command (exit 1): rbash: exec: restricted",
    ),
    "no shell at all": ("exec /nonexistent/sh", "does not run our command (exit 127)"),
}


@pytest.mark.parametrize("case", FORCED)
def test_after_a_good_login(desk: Desk, server: Server, case: str) -> None:
    command, wanted = FORCED[case]
    one = server(BAD, GOOD).start({BAD: command})
    desk.meet(one)
    with desk.fleet() as fleet:
        found = desk.look(fleet, HOSTS, deadline=4)
    assert output(found["good"]) == b"hello\n"
    assert any(words in reason(found["bad"]) for words in wanted.split("|")), found["bad"]


def test_of_an_answer_that_has_begun_is_kept_what_came_in_time(either: Desk, server: Server) -> None:
    """One probe that waits for a lock must not take the answers of all others with it."""
    begun = "0123456789abcdef0123456789abcdef ^ 0"
    one = server(BAD).start({BAD: f"printf '\\n{begun}\\nroutes\\n'; cat >/dev/null; exec sleep 8"})
    either.meet(one)
    with either.fleet() as fleet:
        answer = either.look(fleet, {"bad": BAD}, deadline=4)["bad"]
    assert isinstance(answer, Answered), answer
    assert (answer.output, answer.cut, answer.status) == (f"\n{begun}\nroutes\n".encode(), True, None)


def test_nothing_with_a_good_end_is_an_answer_for_who_reads_it(either: Desk, server: Server) -> None:
    one = server(BAD).start({BAD: "true"})
    either.meet(one)
    answer = either.once({"bad": BAD})["bad"]
    assert isinstance(answer, Answered)
    assert (answer.output, answer.status) == (b"", 0)


def test_words_of_a_server_are_cleaned(desk: Desk, server: Server) -> None:
    one = server(BAD).start({BAD: "printf '\\\\033[2Jgone \\\\342\\\\200\\\\256' >&2; exit 9"})
    desk.meet(one)
    words = reason(desk.once({"bad": BAD})["bad"])
    assert "gone" in words
    assert "\x1b" not in words
    assert "\u202e" not in words


def _drain(connection: socket.socket) -> None:
    while connection.recv(4096):
        continue


def _say(connection: socket.socket, speech: bytes) -> None:
    connection.sendall(speech)
    connection.shutdown(socket.SHUT_WR)
    _drain(connection)
    connection.close()


def _later(act: Callable[[paramiko.Channel], None], channel: paramiko.Channel) -> bool:
    """Confirm the command first: the server's own thread must be free for that."""
    threading.Thread(target=act, args=(channel,), daemon=True).start()
    return True


def _read_script(channel: paramiko.Channel) -> None:
    while channel.recv(65536):
        continue


def _answer(channel: paramiko.Channel) -> None:
    _read_script(channel)
    channel.sendall(b"hello\n")
    channel.send_exit_status(0)
    channel.close()
