"""How many at a time: windows that narrow when servers turn us away, and an end that comes at once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from flannelscope.questions import Answer, Questions
from flannelscope.sources.ssh import Answered, Failed, Fleet, Host, Target
from flannelscope.sources.ssh.ending import Ending
from flannelscope.sources.ssh.failures import TurnedAway
from flannelscope.sources.ssh.fan_out import TRIES, UNREAD, fan_out
from flannelscope.sources.ssh.values import Login, Policy
from flannelscope.sources.ssh.window import Window
from tests.engine.ssh.desk import Desk, output, reason
from tests.engine.ssh.hostile import Raw
from tests.engine.ssh.sshd import Sshd

Server = Callable[..., Sshd]


def target(node: str) -> Target:
    """A node that nobody dials."""
    login = Login(alias=node, host=node, port=22, user="ops", known_as=(node,), policy=Policy())
    return Target(node=node, route=(login,))


def answer(node: Target) -> Answered:
    """What it says."""
    return Answered(node=node.node, at=0.0, origin=node.origin, output=b"", error="", status=0, seconds=0.0)


def test_never_more_at_a_time_than_the_window() -> None:
    lock, meeting = threading.Lock(), threading.Barrier(4)
    now: list[str] = []
    most: list[int] = []

    def work(node: Target) -> Answered:
        with lock:
            now.append(node.node)
            most.append(len(now))
        meeting.wait(20)  # only four together get on
        with lock:
            now.remove(node.node)
        return answer(node)

    ending, window = Ending(threading.Event()), Window(4)
    outcomes = [*fan_out([target(f"w{number}") for number in range(40)], work, lambda _: window, ending)]
    ending.set()
    assert len(outcomes) == 40
    assert max(most) == 4


def test_answers_wait_in_small_number_for_who_reads_them() -> None:
    """Each may be megabytes: hundreds of them beside one reader would fill the memory."""
    ran_ahead = threading.Event()
    done: list[str] = []

    def work(node: Target) -> Answered:
        done.append(node.node)
        if len(done) > 1 + UNREAD + 2:  # one was taken, and each of two workers holds one
            ran_ahead.set()
        return answer(node)

    ending, window = Ending(threading.Event()), Window(2)
    outcomes = fan_out([target(f"w{number}") for number in range(40)], work, lambda _: window, ending)
    next(outcomes)
    assert not ran_ahead.wait(0.5)
    assert len([*outcomes]) == 39
    ending.set()


def test_a_window_halves_once_for_a_burst_and_widens_again() -> None:
    ending, window = Ending(threading.Event()), Window(16)
    turns = [window.enter(ending) for _ in range(16)]
    for era in turns:
        assert era is not None
        window.leave(era, refused=True)
    assert window.size == 8
    for _ in range(200):
        turn = window.enter(ending)
        assert turn is not None
        window.leave(turn, refused=False)
    assert window.size == 16
    ending.set()


def test_who_is_turned_away_is_tried_again_and_in_the_end_said() -> None:
    tries: dict[str, int] = {}

    def work(node: Target) -> Answered:
        tries[node.node] = tries.get(node.node, 0) + 1
        if node.node == "never" or tries[node.node] == 1:
            raise TurnedAway("too many")
        return answer(node)

    ending = Ending(threading.Event())
    found = {one.node: one for one in fan_out([target("later"), target("never")], work, lambda _: Window(8), ending)}
    ending.set()
    assert isinstance(found["later"], Answered)
    assert reason(found["never"]).startswith(f"too many, {TRIES} times")
    assert tries == {"later": 2, "never": TRIES}


def test_a_surprise_with_one_node_is_that_nodes_matter() -> None:
    def work(node: Target) -> Answered:
        if node.node == "bad":
            raise ZeroDivisionError
        return answer(node)

    ending = Ending(threading.Event())
    found = {one.node: one for one in fan_out([target("bad"), target("good")], work, lambda _: Window(8), ending)}
    ending.set()
    assert isinstance(found["good"], Answered)
    assert "ZeroDivisionError" in reason(found["bad"])


def test_a_server_that_takes_few_logins_at_a_time_is_read_all_the_same(desk: Desk, server: Server) -> None:
    nodes = {f"w{number}": f"127.0.1.{number}" for number in range(1, 16)}
    one = server(*nodes.values()).start(MaxStartups="2:100:2")
    desk.meet(one)
    found = desk.once(nodes)
    assert sum(isinstance(outcome, Answered) for outcome in found.values()) >= 8, found
    assert all("turned away" in reason(o) or "at once" in reason(o) for o in found.values() if isinstance(o, Failed))


@pytest.mark.parametrize("transport", ["paramiko", "openssh"])
def test_stop_closes_what_is_open_at_once(desk: Desk, transport: str) -> None:
    taken, closed = threading.Semaphore(0), threading.Semaphore(0)

    def serve(connection: socket.socket) -> None:
        taken.release()
        while connection.recv(4096):
            continue
        closed.release()

    stop = threading.Event()
    with Raw(serve) as silent:
        desk.config.write_text(f"Host *\n  Port {silent.port}\n")
        fleet = Fleet(desk.settings(transport=transport), Questions.headless())
        targets, _ = fleet.targets([Host("w1", "127.0.0.1")])
        found: list[object] = []
        run = threading.Thread(
            target=lambda: found.extend(fleet.run(targets, b"true", limit=100, deadline=100.0, stop=stop)), daemon=True
        )
        run.start()
        assert taken.acquire(timeout=20)
        stop.set()
        assert closed.acquire(timeout=15)
        run.join(15)
        assert not run.is_alive()
        fleet.close()
    assert found == []


def test_an_answer_that_does_not_come_in_time_is_none() -> None:
    ask = Questions(patience=0.3)
    question = ask.new("passphrase", "key", "?", secret=True)
    other = ask.new("passphrase", "other", "?", secret=True)
    ask.answers.put(Answer(other.id, "for the other"))
    assert ask.wait(question, lambda: False) is None
    assert ask.wait(other, lambda: False) == "for the other"
    assert Questions.headless().wait(question, lambda: False) is None


def test_good_nodes_of_a_narrowed_window_are_complete(desk: Desk, server: Server) -> None:
    nodes = {f"w{number}": f"127.0.1.{number}" for number in range(1, 9)}
    desk.meet(server(*nodes.values()).start())
    found = desk.once(nodes, window_direct=2)
    assert [output(found[node]) for node in nodes] == [b"hello\n"] * 8
