"""Machines of a cluster with a root folder of their own: their files, their services, and their start."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.lab import cgroups, networks
from tests.lab.networks import Machine
from tests.lab.places import CONTROLLERS, Places, cache
from tests.lab.processes import PATH, checked, start
from tests.lab.settings import Settings

INIT = Path(__file__).with_name("node.sh")
FOLDERS = (
    "dev etc/alternatives etc/cni/net.d etc/iproute2 etc/kubernetes etc/lab/dev etc/lab/services etc/ld.so.conf.d etc/pam.d"
    " etc/security etc/ssh etc/sudoers.d home/ops/.ssh mnt opt/cni/bin"
    " opt/lab/programs opt/lab/images proc root/.ssh run sys tmp usr var/lib/cni var/lib/containerd var/lib/kubelet var/log"
    " var/tmp"
)
# What of this machine's own settings a program of it cannot do without, and what says nothing of this machine.
TAKEN = (
    *("debian_version", "ethertypes", "ld.so.cache", "ld.so.conf", "localtime", "login.defs", "os-release", "protocols"),
    "services",
)
# Folders of the same sort are lent by a mount: one of them has hundreds of links, and there may be hundreds of machines.
LENT = ("alternatives", "iproute2", "ld.so.conf.d")
# Programs' folders that are links where /usr holds them all, and what a kernel does not put into /dev.
LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
DEVICES = {
    "ptmx": "pts/ptmx",
    "fd": "/proc/self/fd",
    **{name: f"/proc/self/fd/{number}" for number, name in enumerate(("stdin", "stdout", "stderr"))},
}
USERS = {
    "root": "x:0:0:root:/root:/bin/bash",
    "sshd": "x:102:65534::/run/sshd:/usr/sbin/nologin",
    "ops": "x:1000:1000:operator:/home/ops:/bin/bash",
    "nobody": "x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
}
GROUPS = {"root": 0, "adm": 4, "tty": 5, "ops": 1000, "nogroup": 65534}
FILES: Mapping[str, str] = {
    "etc/passwd": "".join(f"{name}:{rest}\n" for name, rest in USERS.items()),
    "etc/group": "".join(f"{name}:x:{number}:\n" for name, number in GROUPS.items()),
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
    "etc/sudoers": "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
    "etc/sudoers.d/ops": "ops ALL=(ALL:ALL) NOPASSWD: ALL\n",
    "etc/pam.d/sudo": "auth required pam_deny.so\naccount required pam_permit.so\nsession required pam_permit.so\n",
    "etc/pam.d/other": "auth required pam_deny.so\naccount required pam_deny.so\nsession required pam_deny.so\n",
    "etc/ssh/sshd_config": "Port 22\nHostKey /etc/ssh/ssh_host_ed25519_key\nPermitRootLogin prohibit-password\n"
    "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nPidFile none\nMaxStartups 100\nPrintMotd no\n",
}
PRIVATE_FILES: Mapping[str, tuple[str, int]] = {
    # An asterisk: no password fits, but the account is not locked, so that a key does.
    "etc/shadow": ("".join(f"{name}:*:19000:0:99999:7:::\n" for name in USERS), 0o640),
    **{path: (FILES[path], 0o440) for path in ("etc/sudoers", "etc/sudoers.d/ops")},
}


def make_root(places: Places, machine: Machine) -> None:
    """The root folder of a machine: accounts, keys, settings. Nothing of it is this machine's own but what TAKEN names."""
    root = places.root(machine.name)
    for folder in FOLDERS.split():
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "host").mkdir(exist_ok=True)  # where the init puts this machine's own root for a moment
    for folder in ("tmp", "var/tmp"):
        (root / folder).chmod(0o1777)
    _make_links(root)
    for name in TAKEN:
        _take(Path("/etc") / name, root / "etc" / name)
    for path, text in FILES.items():
        (root / path).write_text(text)
    for path, (text, mode) in PRIVATE_FILES.items():
        (root / path).write_text(text)
        (root / path).chmod(mode)
    (root / "etc/hostname").write_text(f"{machine.name}\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n::1 localhost\n{machine.private} {machine.name}\n")
    _make_keys(places, machine, root)
    (places.logs / machine.name).mkdir(parents=True, exist_ok=True)


def _make_links(root: Path) -> None:
    (root / "var/run").symlink_to("/run")
    for name in LINKS:
        if Path("/", name).is_symlink():
            (root / name).symlink_to(Path("/", name).readlink())
    for name, target in DEVICES.items():
        (root / "etc/lab/dev" / name).symlink_to(target)


def _take(source: Path, target: Path) -> None:
    if source.exists():
        shutil.copy(source, target)


def _make_keys(places: Places, machine: Machine, root: Path) -> None:
    """A host key of its own; the operator's key for root and for ops."""
    key = root / "etc/ssh/ssh_host_ed25519_key"
    if not key.exists():
        checked(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"root@{machine.name}", "-f", str(key)])
    public = (places.ssh / "id_ed25519.pub").read_text()
    for home, owner in (("root", 0), ("home/ops", 1000)):
        keys = root / home / ".ssh/authorized_keys"
        keys.write_text(public)
        for path, mode in ((root / home, 0o755), (keys.parent, 0o700), (keys, 0o600)):
            path.chmod(mode)
            shutil.chown(path, owner, owner)


def service(places: Places, machine: str, name: str, command: str) -> None:
    """A service of a machine: a line of shell that is run again whenever it ends. They start in the order of their names."""
    (places.root(machine) / "etc/lab/services" / name).write_text(f"exec {command}\n")


def start_machine(places: Places, settings: Settings, machine: Machine) -> None:
    """Plug a machine in and start it; it is in namespaces and cgroups of its own, and its pid is on record."""
    networks.connect(places, settings, [machine])
    boot(places, machine)


def boot(places: Places, machine: Machine, *, forwarding: bool = True) -> None:
    """Start a machine whose network is there; `forwarding`: whether it hands on packets that are for others, as nodes do."""
    cgroups.make(places, [machine.name])
    environment = {
        "PATH": f"{PATH}", "LC_ALL": "C", "NODE": machine.name, "ROOT": str(places.root(machine.name)),
        "LOGS": str(places.logs / machine.name), "CACHE": str(cache()), "CONTROLLERS": " ".join(CONTROLLERS),
        "LENT": " ".join(LENT), "FORWARDING": str(int(forwarding)),
    }  # fmt: skip
    init = places.node(machine.name) / "init.sh"
    shutil.copy(INIT, init)  # a shell reads its script while it runs, and somebody may be working on that file
    inner = ["unshare", "--mount", "--uts", "--ipc", "--cgroup", "--pid", "--fork", "--kill-child", "bash", str(init)]
    argv = ["ip", "netns", "exec", places.network(machine.name), *inner]
    start(places, machine.name, argv, machine.name, environment)
