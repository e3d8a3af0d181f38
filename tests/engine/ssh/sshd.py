"""A real OpenSSH server on loopback, as whoever runs the tests, with host keys and authorized keys of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
USER = getpass.getuser()


def keygen(path: Path, kind: str = "ed25519", passphrase: str = "", *more: str) -> Path:
    """A new key pair; its private half."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path), *more], check=True)
    return path


def certify(authority: Path, key: Path, *more: str) -> Path:
    """A certificate for the public half of `key`; the file, beside it."""
    public = key.with_name(key.name + ".pub")
    subprocess.run(["ssh-keygen", "-q", "-s", str(authority), *more, str(public)], check=True)
    return key.with_name(key.name + "-cert.pub")


def public(key: Path) -> str:
    """Kind and key, as they stand in authorized_keys and known_hosts."""
    return " ".join(key.with_name(key.name + ".pub").read_text().split()[:2])


def fingerprint(key: Path) -> str:
    """SHA256:…"""
    told = subprocess.run(["ssh-keygen", "-lf", f"{key}.pub"], check=True, capture_output=True, text=True)
    return told.stdout.split()[1]


def free_port(address: str) -> int:
    """A port that is free there now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


class Sshd:
    """Started with `start`, ended with `stop`."""

    def __init__(self, folder: Path, *addresses: str, host_kinds: Sequence[str] = ("ed25519",), port: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.addresses = addresses or ("127.0.0.1",)
        self.port = port or free_port(self.addresses[0])
        self.host_keys = [keygen(folder / f"host_{kind}", kind) for kind in host_kinds]
        self.authorized = folder / "authorized_keys"
        self.log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def known(self) -> str:
        """The lines of known_hosts for it."""
        names = ",".join(f"[{address}]:{self.port}" for address in self.addresses)
        return "".join(f"{names} {public(key)}\n" for key in self.host_keys)

    @property
    def logins(self) -> int:
        """How many logged in so far."""
        return self.log.read_text().count("Accepted ")

    def allow(self, *keys: str) -> None:
        """Let these public keys in (lines of authorized_keys)."""
        self.authorized.write_text("".join(f"{key}\n" for key in keys))

    def start(self, forced: Mapping[str, str] | None = None, **settings: str) -> Sshd:
        """With further settings of sshd_config(5); `forced` is what runs at an address whatever the client wants."""
        assert SSHD is not None
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        every = {
            "PidFile": "none",
            "AuthorizedKeysFile": str(self.authorized),
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "yes",
            "MaxStartups": "1000",
            **settings,
        }
        lines = [f"ListenAddress {address}:{self.port}" for address in self.addresses]
        lines += [f"HostKey {key}" for key in self.host_keys] + [f"{name} {value}" for name, value in every.items()]
        for address, command in (forced or {}).items():
            lines += [f"Match LocalAddress {address}", f"ForceCommand {command}"]
        config = self.folder / "sshd_config"
        config.write_text("\n".join(lines) + "\n")
        self._process = subprocess.Popen([SSHD, "-D", "-f", str(config), "-E", str(self.log)], start_new_session=True)
        until = time.monotonic() + 20
        while not self._listens():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, "sshd does not listen"
        return self

    def stop(self) -> None:
        """End it; sessions that it has go on until their clients end them."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.addresses[-1], self.port)) == 0
