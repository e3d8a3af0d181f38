"""A script on nodes: what comes back, apart and within bounds, over connections that are kept."""

from __future__ import annotations

from collections.abc import Callable

from flannelscope.sources.ssh import Answered
from tests.engine.ssh.desk import Desk, output, reason
from tests.engine.ssh.sshd import USER, Sshd

Server = Callable[..., Sshd]


def test_output_errors_and_exit_status_come_apart_and_with_their_origin(either: Desk, server: Server) -> None:
    one = server("127.0.1.1", "127.0.1.2").start()
    either.meet(one)
    found = either.once({"w1": "127.0.1.1", "w2": "127.0.1.2"}, "echo $LC_ALL; echo oops >&2; exit 3")
    for node, address in (("w1", "127.0.1.1"), ("w2", "127.0.1.2")):
        answer = found[node]
        assert isinstance(answer, Answered)
        assert (answer.output, answer.error, answer.status, answer.cut) == (b"C\n", "oops", 3, False)
        assert answer.origin == f"ssh {USER}@{address}:{one.port}"


def test_a_connection_serves_the_next_script_too(either: Desk, server: Server) -> None:
    one = server().start()
    either.meet(one)
    with either.fleet() as fleet:
        said = [output(either.look(fleet, {"w1": "127.0.0.1"}, f"echo {number}")["w1"]) for number in range(3)]
    assert said == [b"0\n", b"1\n", b"2\n"]
    assert one.logins == 1


def test_a_connection_that_died_between_two_readings_is_made_anew(desk: Desk, server: Server) -> None:
    one = server().start()
    desk.meet(one)
    with desk.fleet() as fleet:
        parent = output(desk.look(fleet, {"w1": "127.0.0.1"}, "echo $PPID")["w1"])
        assert int(parent) > 1
        desk.look(fleet, {"w1": "127.0.0.1"}, "kill -9 $PPID")
        assert output(desk.look(fleet, {"w1": "127.0.0.1"}, "echo back")["w1"]) == b"back\n"


def test_more_output_than_the_limit_is_cut_there_and_said(either: Desk, server: Server) -> None:
    one = server("127.0.1.1", "127.0.1.2").start({"127.0.1.1": "head -c 100000000 /dev/zero"})
    either.meet(one)
    with either.fleet() as fleet:
        found = either.look(fleet, {"big": "127.0.1.1", "good": "127.0.1.2"}, limit=50_000)
    big = found["big"]
    assert isinstance(big, Answered)
    assert (big.output, big.cut) == (bytes(50_000), True)
    assert output(found["good"]) == b"hello\n"


def test_a_flood_of_errors_does_not_hold_up_the_output(either: Desk, server: Server) -> None:
    one = server().start()
    either.meet(one)
    answer = either.once({"w1": "127.0.0.1"}, "head -c 3000000 /dev/zero >&2; echo done")["w1"]
    assert output(answer) == b"done\n"
    assert isinstance(answer, Answered)
    assert len(answer.error) <= 300


def test_what_is_said_before_ours_is_passed_on(either: Desk, server: Server) -> None:
    one = server().start({"127.0.0.1": 'head -c 1000000 /dev/zero | tr "\\\\0" m; exec sh -s'})
    either.meet(one)
    with either.fleet() as fleet:
        said = output(either.look(fleet, {"w1": "127.0.0.1"}, limit=2_000_000)["w1"])
    assert said == b"m" * 1_000_000 + b"hello\n"


def test_a_node_without_address_is_said(desk: Desk) -> None:
    assert "no InternalIP" in reason(desk.once({"w1": ""})["w1"])
