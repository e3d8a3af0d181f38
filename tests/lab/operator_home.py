"""The home folder of who works on the bastion: key, known hosts, SSH configuration; nothing of this machine's own users."""

from __future__ import annotations

from tests.lab import networks
from tests.lab.places import Places
from tests.lab.processes import checked
from tests.lab.programs.shelf import program
from tests.lab.settings import Settings

# OpenSSH looks for its configuration in the account's home, not in HOME: this goes first on the bastion's PATH.
WRAPPER = '#!/bin/sh\nexec /usr/bin/{program} -F "{config}" "$@"\n'


def make_key(places: Places) -> None:
    """The operator's key, which all machines let in."""
    places.ssh.mkdir(parents=True, exist_ok=True, mode=0o700)
    checked(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", str(places.ssh / "id_ed25519")])


def write(places: Places, settings: Settings) -> None:
    """Everything by which the machines are found and known."""
    machines = [networks.control_plane(), *networks.full_nodes(settings), *networks.light_nodes(settings)]
    there = [machine for machine in machines if (places.root(machine.name) / "etc/ssh").exists()]
    known = []
    for machine in there:
        key = (places.root(machine.name) / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()
        known.append(f"{machine.name},{machine.private} {key[0]} {key[1]}\n")
    (places.ssh / "known_hosts").write_text("".join(known))
    addresses = "".join(f"Host {machine.name}\n  HostName {machine.private}\n" for machine in there)
    common = f"Host *\n  User root\n  IdentityFile {places.ssh}/id_ed25519\n  UserKnownHostsFile {places.ssh}/known_hosts\n"
    config = places.ssh / "config"
    config.write_text(f"{addresses}{common}  StrictHostKeyChecking yes\n  IdentitiesOnly yes\n")
    (places.operator / "bin").mkdir(exist_ok=True)
    for name in ("ssh", "scp"):
        wrapper = places.operator / "bin" / name
        wrapper.write_text(WRAPPER.format(program=name, config=config))
        wrapper.chmod(0o755)
    kubectl = places.operator / "bin/kubectl"
    kubectl.unlink(missing_ok=True)
    kubectl.symlink_to(program("kubectl"))
