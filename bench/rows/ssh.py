"""Against OpenSSH and clush: what a reading of many nodes costs the operator's machine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator

from bench.measure import ROOT, seconds
from bench.ssh import KNOWN, NODES
from bench.table import Row, Skip
from tests.engine.ssh.sshd import SSHD

PLACE = 9
WORK = f"{NODES} nodes over SSH"


def measure() -> Iterator[Row]:
    """All of it on one sshd, which has the same cores: walls are mostly the server's, CPU is the client's."""
    if SSHD is None or shutil.which("unshare") is None:
        raise Skip("needs sshd and unshare")
    # bash runs ~/.bashrc for sshd too: whatever stands there is no part of this.
    ready = 'ip link set lo up; [ ! -f ~/.bashrc ] || mount --bind /dev/null ~/.bashrc; exec "$@"'
    inside = ["sh", "-ec", ready, "sh", sys.executable, "-m", "bench.ssh"]
    done = subprocess.run(["unshare", "--net", "--mount", *inside], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skip(f"could not be run: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    found = json.loads(done.stdout.splitlines()[-1])
    wall, cpu = found["cold"]
    each = cpu / NODES * 1000
    told = f"{each:.1f} ms (and {seconds(found['imported'])} once to import)"
    yield Row(f"{WORK}: cold, {KNOWN:,} lines of known_hosts, client's CPU a node", "at most 8 ms", told, each <= 8)
    rival = found["their_cold"][0]
    told = f"{seconds(wall)} : {seconds(rival)} = {wall / rival:.2f}"
    yield Row(f"{WORK}: cold, wall against {found['tool']}, 64 at a time, curve25519", "at most 1.0 x", told, wall <= rival)
    (wall, cpu), (their_wall, their_cpu) = found["warm"], found["their_warm"]
    told = f"{seconds(cpu)} : {seconds(their_cpu)} = {cpu / their_cpu:.2f}"
    yield Row(
        f"{WORK}: warm true, CPU against {found['tool']} with ControlPersist", "at most 0.4 x", told, cpu <= 0.4 * their_cpu
    )
    told = f"{seconds(wall)} : {seconds(their_wall)} = {wall / their_wall:.2f}"
    yield Row(f"{WORK}: warm true, wall against the same", "at most 1.0 x", told, wall <= their_wall)
