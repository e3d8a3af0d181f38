"""Home folders of who works on the bastion, and of who works outside and goes through it as a jump host.

Each has a key, known hosts and an SSH configuration; nothing of this machine's own users.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.lab import networks
from tests.lab.places import Places
from tests.lab.processes import checked
from tests.lab.programs.shelf import program
from tests.lab.settings import Settings

# OpenSSH looks for its configuration in the account's home, not in HOME: this goes first on the operator's PATH.
WRAPPER = '#!/bin/sh\nexec /usr/bin/{program} -F "{config}" "$@"\n'


def make_key(places: Places) -> None:
    """The operator's key, which all machines let in."""
    places.ssh.mkdir(parents=True, exist_ok=True, mode=0o700)
    checked(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", str(places.ssh / "id_ed25519")])


def write(places: Places, settings: Settings) -> None:
    """Everything by which the machines are found and known, as root from the bastion, as `ops` from outside."""
    machines = [networks.control_plane(), *networks.full_nodes(settings), *networks.light_nodes(settings)]
    there = {machine.name: machine.private for machine in machines if _host_key(places, machine.name).exists()}
    known = [_known(places, name, address) for name, address in there.items()]
    direct = [_host(name, address) for name, address in there.items()]
    _write_home(places.operator, known, direct, "root")
    if not _host_key(places, "bastion").exists():
        return
    through = [f"{entry}  ProxyJump bastion\n" for entry in direct]
    shutil.copytree(places.ssh, places.outside / ".ssh", dirs_exist_ok=True)
    known.append(_known(places, "bastion", networks.DOOR))
    _write_home(places.outside, known, [_host("bastion", networks.DOOR), *through], "ops")


def _write_home(home: Path, known: list[str], hosts: list[str], user: str) -> None:
    own = home / ".ssh"
    (own / "known_hosts").write_text("".join(known))
    common = f"Host *\n  User {user}\n  IdentityFile {own}/id_ed25519\n  UserKnownHostsFile {own}/known_hosts\n"
    config = own / "config"
    config.write_text(f"{''.join(hosts)}{common}  StrictHostKeyChecking yes\n  IdentitiesOnly yes\n")
    (home / "bin").mkdir(exist_ok=True)
    for name in ("ssh", "scp"):
        wrapper = home / "bin" / name
        wrapper.write_text(WRAPPER.format(program=name, config=config))
        wrapper.chmod(0o755)
    kubectl = home / "bin/kubectl"
    kubectl.unlink(missing_ok=True)
    kubectl.symlink_to(program("kubectl"))


def _host(name: str, address: str) -> str:
    return f"Host {name}\n  HostName {address}\n"


def _known(places: Places, name: str, address: str) -> str:
    kind, key, *_ = _host_key(places, name).read_text().split()
    return f"{name},{address} {kind} {key}\n"


def _host_key(places: Places, name: str) -> Path:
    return places.root(name) / "etc/ssh/ssh_host_ed25519_key.pub"
