"""The system's own ssh, held to what we promise whatever the operator's configuration says."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flannelscope.sources.ssh.system_ssh import SystemSsh
from tests.engine.ssh.desk import Desk, output, reason
from tests.engine.ssh.sshd import Sshd

Server = Callable[..., Sshd]
NODE = {"w1": "127.0.0.1"}
DOORS = """
Host *
  NoHostAuthenticationForLocalhost yes
  VerifyHostKeyDNS yes
  StdinNull yes
  SessionType none
  ForkAfterAuthentication yes
  GSSAPIDelegateCredentials yes
  Tunnel yes
"""


@pytest.fixture
def system(tmp_path: Path) -> Desk:
    """With the system's ssh."""
    return Desk(tmp_path / "desk", "openssh")


def test_the_script_runs_and_is_heard_whatever_is_configured(system: Desk, server: Server) -> None:
    system.meet(server().start(), DOORS)
    assert output(system.once(NODE)["w1"]) == b"hello\n"


def test_an_unknown_key_opens_nothing_on_this_machine_either(system: Desk, server: Server) -> None:
    system.meet(server().start(), DOORS)
    system.known_hosts.write_text("")
    assert "not in known_hosts" in reason(system.once(NODE)["w1"])


def test_kept_connections_end_with_the_fleet(system: Desk, server: Server) -> None:
    system.meet(server().start())
    with system.fleet() as fleet:
        assert output(system.look(fleet, NODE)["w1"]) == b"hello\n"
        transport = fleet._open()
        assert isinstance(transport, SystemSsh)
        (master,) = [entry for entry in transport._folder.iterdir() if entry.is_socket()]
        asked = ["ssh", "-F", "none", "-O", "check", "-o", f"ControlPath={master}", "x"]
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stderr
        process = int(re.findall(r"pid=(\d+)", told)[0])
    assert not master.parent.exists()
    until = time.monotonic() + 30
    while _runs(process):
        assert time.monotonic() < until, "the master outlives us"


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
