"""200 addresses of one sshd on loopback, read by us and by clush (or xargs) with ControlPersist.

`python -m bench.ssh` prints what it measured as JSON. It wants a network namespace of its own, where nobody else reaches
its sshd: bench/rows/ssh.py starts it in one. CPU is that of the client's process tree, kept masters included.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.engine.ssh.sshd import Sshd, keygen, public

NODES = 200
KNOWN = 5000  # lines of known_hosts
PARALLEL = 64
ROUNDS = 3
PORT = 2222
ADDRESSES = [f"127.0.1.{number}" for number in range(1, NODES + 1)]


class Ground:
    """The server, and the files of its clients."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = keygen(folder / "id")
        self.server = Sshd(folder / "sshd", "0.0.0.0", port=PORT)
        self.server.allow(public(self.key))
        self.known = folder / "known_hosts"
        own = public(self.server.host_keys[0])
        others = [f"[10.{n >> 8}.{n & 255}.1]:{PORT} ssh-ed25519 {_key()}" for n in range(KNOWN - NODES)]
        self.known.write_text("\n".join([*others, *(f"[{address}]:{PORT} {own}" for address in ADDRESSES)]) + "\n")
        self.config = folder / "config"
        self.config.write_text(
            f"Host *\n  Port {PORT}\n  IdentityFile {self.key}\n  IdentitiesOnly yes\n  UserKnownHostsFile {self.known}\n"
            "  StrictHostKeyChecking yes\n  GlobalKnownHostsFile /dev/null\n  UpdateHostKeys no\n  LogLevel ERROR\n"
        )
        self.control = folder / "c"
        self.control.mkdir()
        self.server.start()


class Cost:
    """Wall and CPU seconds."""

    def __init__(self, wall: float, cpu: float) -> None:
        self.wall = wall
        self.cpu = cpu


def _key() -> str:
    return b64encode(b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + secrets.token_bytes(32)).decode()


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def ours(config: str) -> dict[str, Any]:
    """In a process of its own: a cold reading, then warm ones, and the import of paramiko apart."""
    from flannelscope.questions import Questions
    from flannelscope.sources.ssh import Answered, Fleet, Host, SshSettings

    def spent() -> float:
        return _cpu(resource.RUSAGE_SELF) + _cpu(resource.RUSAGE_CHILDREN)

    begun = spent()
    import flannelscope.sources.ssh.connections  # noqa: F401 - what the first reading imports

    imported = spent() - begun
    fleet = Fleet(SshSettings(config=config, window_direct=PARALLEL), Questions.headless())
    costs = []
    for _ in range(1 + ROUNDS):
        begun, started = spent(), time.monotonic()
        targets, failed = fleet.targets([Host(address, address) for address in ADDRESSES])
        found = [*fleet.run(targets, b"true\n", limit=10_000, deadline=60.0, stop=threading.Event())]
        costs.append((time.monotonic() - started, spent() - begun))
        bad = [*failed, *(one for one in found if not isinstance(one, Answered))]
        if bad or len(found) != NODES:
            raise RuntimeError(f"{len(bad)} nodes not read: {bad[:3]}")
    fleet.close()
    return {"imported": imported, "costs": costs}


def measured(ground: Ground, work: Callable[[], None]) -> Cost:
    """What the children and the masters they left spend."""
    before, started = _cpu(resource.RUSAGE_CHILDREN) + _masters(ground), time.monotonic()
    work()
    return Cost(time.monotonic() - started, _cpu(resource.RUSAGE_CHILDREN) + _masters(ground) - before)


def _masters(ground: Ground) -> float:
    """CPU of the processes whose title names our folder of sockets."""
    total = 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(ground.control).encode() in (entry / "cmdline").read_bytes():
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                total += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return total / os.sysconf("SC_CLK_TCK")


def theirs(ground: Ground, *, kept: bool) -> Callable[[], None]:
    """`true` everywhere by clush where it is installed, else by xargs; with a key exchange that costs them least."""
    settings = ["KexAlgorithms curve25519-sha256"]
    if kept:
        settings += ["ControlMaster auto", f"ControlPath {ground.control}/%h", "ControlPersist 120"]
    config = ground.folder / ("kept" if kept else "plain")
    config.write_text("".join(f"{line}\n" for line in settings) + ground.config.read_text())
    options = ["-F", str(config)]
    if shutil.which("clush"):
        argv: Sequence[str] = [
            "clush",
            "-q",
            "-S",
            "-f",
            str(PARALLEL),
            "-o",
            " ".join(options),
            "-w",
            ",".join(ADDRESSES),
            "true",
        ]
    else:
        argv = ["xargs", f"-P{PARALLEL}", "-I{}", "ssh", *options, "{}", "true"]

    def work() -> None:
        done = subprocess.run(argv, input="\n".join(ADDRESSES), text=True, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{argv[0]}: {done.stderr[:300]}")

    return work


def main() -> dict[str, Any]:
    """Ours and theirs, in turns where that means something."""
    with tempfile.TemporaryDirectory(prefix="bench-ssh-") as name:
        ground = Ground(Path(name))
        try:
            plain = measured(ground, theirs(ground, kept=False))
            done = subprocess.run(
                [sys.executable, "-m", "bench.ssh", str(ground.config)], capture_output=True, text=True, check=True
            )
            told = json.loads(done.stdout.splitlines()[-1])
            keep = theirs(ground, kept=True)
            measured(ground, keep)  # the cold one
            warm = [measured(ground, keep) for _ in range(ROUNDS)]
        finally:
            ground.server.stop()
            _end(ground)
    return {
        "tool": "clush" if shutil.which("clush") else "xargs",
        "imported": told["imported"],
        "cold": told["costs"][0],
        "warm": [median(cost[kind] for cost in told["costs"][1:]) for kind in (0, 1)],
        "their_cold": [plain.wall, plain.cpu],
        "their_warm": [median(cost.wall for cost in warm), median(cost.cpu for cost in warm)],
    }


def _end(ground: Ground) -> None:
    for socket in ground.control.iterdir():
        subprocess.run(["ssh", "-F", "none", "-O", "exit", "-o", f"ControlPath={socket}", "x"], capture_output=True, check=False)


if __name__ == "__main__":
    print(json.dumps(ours(sys.argv[1]) if len(sys.argv) > 1 else main()))
