"""Every path and every name that a lab uses: below one cache folder, one run folder a lab, and names that carry the lab's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
NAMESPACES = Path("/run/netns")  # where `ip netns` keeps them
CGROUPS = Path("/sys/fs/cgroup")
PREFIX = "flannelscope"  # of all names on this machine that do not lie below one of the lab's folders
CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")  # cgroup v1, those a kubelet wants


def cache() -> Path:
    """What all labs of this user share: programs, images, run folders. FLANNELSCOPE_LAB_HOME names another place."""
    home = os.environ.get("FLANNELSCOPE_LAB_HOME")
    return Path(home).absolute() if home else Path.home() / ".cache/flannelscope-lab"


def labs() -> tuple[str, ...]:
    """Names of the labs that have a run folder."""
    return tuple(sorted(path.name for path in (cache() / "labs").glob("*") if path.is_dir()))


def cgroup_name(lab: str, machine: str = "") -> str:
    """The path of a lab's, or a machine's, cgroup below each controller."""
    return f"{PREFIX}-{lab}/{machine}" if machine else f"{PREFIX}-{lab}"


@dataclass(frozen=True)
class Places:
    """The paths of one lab. Nothing is made by asking for one."""

    lab: str

    @property
    def home(self) -> Path:
        """The run folder."""
        return cache() / "labs" / self.lab

    @property
    def lock(self) -> Path:
        """Held while somebody starts or ends the lab; it lies beside the run folder, and survives it."""
        return cache() / "labs" / f"{self.lab}.lock"

    @property
    def state(self) -> Path:
        """Settings of the lab, and how far its start came."""
        return self.home / "state.json"

    @property
    def prefix(self) -> Path:
        """What the names of the lab's namespaces begin with: it is up and ended under these, whatever is usual by then."""
        return self.home / "prefix"

    @property
    def pids(self) -> Path:
        """One file for each process that the lab started: pid and start time, in clock ticks since boot."""
        return self.home / "pids"

    @property
    def logs(self) -> Path:
        """One file for each process that the lab started."""
        return self.home / "logs"

    @property
    def pki(self) -> Path:
        """Certificates, keys and kubeconfigs."""
        return self.home / "pki"

    @property
    def ssh(self) -> Path:
        """The operator's key, known_hosts and SSH configuration."""
        return self.home / "operator/.ssh"

    @property
    def operator(self) -> Path:
        """The home folder of who works on the bastion."""
        return self.home / "operator"

    @property
    def outside(self) -> Path:
        """The home folder of who works outside, and reaches machines through the bastion."""
        return self.home / "outside"

    def node(self, machine: str) -> Path:
        """What belongs to one machine."""
        return self.home / "nodes" / machine

    def root(self, machine: str) -> Path:
        """The root folder that a machine sees; from outside, what was mounted there is not to be seen."""
        return self.node(machine) / "root"

    def network(self, machine: str) -> str:
        """The name of a machine's network namespace."""
        return f"{self._prefix()}-{self.lab}-{machine}"

    def _prefix(self) -> str:
        """What the names of this lab's namespaces begin with: what it was started with. Without a record of that it is "fs"."""
        try:
            return self.prefix.read_text()
        except FileNotFoundError:
            return "fs" if self.state.exists() else PREFIX

    def network_file(self, machine: str) -> Path:
        """The handle of a machine's network namespace."""
        return NAMESPACES / self.network(machine)

    def cgroups(self, machine: str = "") -> tuple[Path, ...]:
        """The lab's, or a machine's, cgroup in every controller."""
        return tuple(CGROUPS / controller / cgroup_name(self.lab, machine) for controller in CONTROLLERS)
