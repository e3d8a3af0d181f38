"""Looking up how a host is reached costs as much as reading it, so it is done once, and again after the host was not reached."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from flannelscope.questions import Questions
from flannelscope.sources.ssh import Failed, Fleet, Host, SshSettings, Target, fleet
from flannelscope.sources.ssh.values import Login, Policy

HOSTS = [Host("w1", "10.0.0.1"), Host("w2", "10.0.0.2")]


def _target(host: Host) -> Target:
    login = Login(alias=host.node, host=host.address, port=22, user="ops", known_as=(host.address,), policy=Policy())
    return Target(node=host.node, route=(login,))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The names that were looked up, call by call."""
    calls: list[list[str]] = []

    class Counted:
        def __init__(self, *_: object) -> None:
            pass

        def targets(self, hosts: Sequence[Host]) -> tuple[list[Target], list[Failed]]:
            calls.append([host.node for host in hosts])
            return [_target(host) for host in hosts], []

    monkeypatch.setattr(fleet, "Routes", Counted)
    monkeypatch.setattr(fleet, "configuration", lambda settings: None)
    return calls


def test_a_second_reading_looks_nobody_up_again(asked: list[list[str]]) -> None:
    made = Fleet(SshSettings(), Questions.headless())
    first, _ = made.targets(HOSTS)
    again, _ = made.targets(HOSTS)
    assert asked == [["w1", "w2"]]
    assert [one is other for one, other in zip(first, again, strict=True)] == [True, True]


def test_a_node_with_another_address_is_another_host(asked: list[list[str]]) -> None:
    made = Fleet(SshSettings(), Questions.headless())
    made.targets(HOSTS)
    made.targets([HOSTS[0], Host("w2", "10.0.0.9")])
    assert asked[1:] == [["w2"]]


def test_what_was_not_reached_is_looked_up_anew(asked: list[list[str]]) -> None:
    made = Fleet(SshSettings(), Questions.headless())
    made.targets(HOSTS)
    made._forget(Failed(node="w1", reason="no route to host"))
    made.targets(HOSTS)
    assert asked[1:] == [["w1"]]


def test_after_ten_minutes_it_is_looked_up_anew(asked: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    made = Fleet(SshSettings(), Questions.headless())
    made.targets(HOSTS)
    now = time.monotonic() + fleet.RESOLVED + 1
    monkeypatch.setattr(time, "monotonic", lambda: now)
    made.targets(HOSTS)
    assert asked[1:] == [["w1", "w2"]]
