"""Servers and a desk for the tests of SSH."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.ssh.desk import Desk
from tests.engine.ssh.sshd import SSHD, Sshd


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """With our own transport."""
    return Desk(tmp_path / "desk")


@pytest.fixture(params=["paramiko", "openssh"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    """Once with our own transport, once with the system's ssh: both promise the same."""
    return Desk(tmp_path / "desk", request.param)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[..., Sshd]]:
    """Makes servers that are ended with the test; each is started by the test."""
    if SSHD is None:
        pytest.skip("needs OpenSSH's sshd")
    made: list[Sshd] = []

    def make(*addresses: str, host_kinds: tuple[str, ...] = ("ed25519",)) -> Sshd:
        made.append(Sshd(tmp_path / f"sshd{len(made)}", *addresses, host_kinds=host_kinds))
        return made[-1]

    yield make
    for one in made:
        one.stop()
