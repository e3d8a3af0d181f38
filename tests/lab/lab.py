"""A lab that is up, and what a test, a fault or a person may do with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.lab.cluster_access import ClusterAccess, Object
from tests.lab.flannel_access import FlannelAccess
from tests.lab.networks import OUTSIDE, full_nodes, light_nodes
from tests.lab.places import REPOSITORY, Places
from tests.lab.processes import PATH, LabFailed, Result, children, recorded, run, wait_until
from tests.lab.settings import CONTROL_PLANE, DEFAULT_FLAGS, Settings

__all__ = ["DEFAULT_FLAGS", "REPOSITORY", "ROOM", "Lab", "LabFailed", "Object", "Result", "attached", "brought_up", "wait_until"]
ROOM = 1800.0  # seconds that labs of tests wait for the end of others


class Lab(ClusterAccess, FlannelAccess):
    """A handle on a lab that is up: it holds no state but its settings, so that any number of them may be made."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.places = Places(settings.name)

    @property
    def home(self) -> Path:
        """The run folder: certificates, logs, what belongs to the machines."""
        return self.places.home

    @property
    def admin(self) -> Path:
        """The kubeconfig of the cluster's administrator."""
        return self.places.pki / "admin.conf"

    @property
    def nodes(self) -> tuple[str, ...]:
        """Full nodes, "n1" and so on; the control plane's machine "cp" is not among them."""
        return tuple(machine.name for machine in full_nodes(self.settings))

    @property
    def light(self) -> tuple[str, ...]:
        """Light nodes, "l001" and so on."""
        return tuple(machine.name for machine in light_nodes(self.settings))

    def process(self, name: str) -> int:
        """The pid of a program of the lab: a machine, "etcd", …; raises LabFailed when it does not run."""
        return recorded(self.places, name)

    def command(self, where: str, *argv: str) -> list[str]:
        """The command line that runs a program in all namespaces of a node or "cp", or in the network of "bastion", "outside",
        "router" or a switch: with this machine's files."""
        if where not in (CONTROL_PLANE, *self.nodes, *self.light):
            return ["ip", "netns", "exec", self.places.network(where), *argv]
        inner = children(self.process(where))
        if not inner:
            raise LabFailed(f"the machine {where} is down; read {self.places.logs / where}.log")
        return ["nsenter", "-t", str(inner[0]), "-a", *argv]

    def inside(self, where: str, *argv: str, stdin: str = "", check: bool = True) -> str:
        """What a program printed that ran in all of a machine's namespaces, as root with nothing of this machine's environment.

        Raises LabFailed when it fails, unless `check` is False: then what it printed before.
        """
        command = self.command(where, *argv)
        result = run(command, stdin, environment={"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8"})
        if check and result.returncode:
            raise LabFailed(f"{where}$ {' '.join(argv)}\nexit {result.returncode}: {result.stdout}{result.stderr}")
        return result.stdout

    def in_bastion(self, *argv: str) -> list[str]:
        """The command line that runs a program in the bastion."""
        return self.command("bastion", *argv)

    def bastion(
        self, *argv: str, stdin: str = "", environment: Mapping[str, str] | None = None, seconds: float = 120.0
    ) -> Result:
        """Run a program in the bastion, whatever its exit code."""
        return run(self.in_bastion(*argv), stdin, seconds, {**os.environ, **(environment or {})})

    def outside(
        self, *argv: str, stdin: str = "", environment: Mapping[str, str] | None = None, seconds: float = 120.0
    ) -> Result:
        """Run a program on the machine that reaches only the bastion, as the operator there, whatever its exit code."""
        whole = {**os.environ, **self.operator_environment(where=OUTSIDE), **(environment or {})}
        return run(self.command(OUTSIDE, *argv), stdin, seconds, whole)

    def operator_environment(self, kubeconfig: Path | None = None, where: str = "bastion") -> dict[str, str]:
        """What an operator on the bastion, or outside, has set, and a home folder that is nobody else's."""
        home = self.places.outside if where == OUTSIDE else self.places.operator
        own = self.places.outside / "kubeconfig" if where == OUTSIDE else self.admin
        return {
            "HOME": str(home),
            "KUBECONFIG": str(kubeconfig or own),
            "FLANNELSCOPE_SSH_CONFIG": str(home / ".ssh/config"),  # which ssh on this PATH is given as well
            "PATH": f"{home / 'bin'}:{Path(sys.executable).parent}:{os.environ.get('PATH', '')}:{PATH}",
        }

    def flannelscope(
        self, *args: str, kubeconfig: Path | None = None, stdin: str = "", environment: Mapping[str, str] | None = None,
        seconds: float = 120.0, where: str = "bastion",
    ) -> Result:  # fmt: skip
        """Run the installed program in the bastion, or outside, with nothing of this machine's own configuration."""
        whole = self.operator_environment(kubeconfig, where) | {"NO_COLOR": "1"} | dict(environment or {})
        program = str(Path(sys.executable).with_name("flannelscope"))
        return run(self.command(where, program, *args), stdin, seconds, {**os.environ, **whole})


def attached(name: str = "lab") -> Lab:
    """A handle on the lab of that name; raises LabFailed when it is not wholly up."""
    from tests.lab.lifecycle import settings_of

    return Lab(settings_of(name))


@contextmanager
def brought_up(settings: Settings) -> Iterator[Lab]:
    """A lab with these settings, all its own: brought up, and taken down whatever happens.

    What a killed run left behind under the same name is taken down first; a lab in use by somebody else is left alone
    (LabFailed). Where other labs leave no room for it, it waits for them.
    """
    from tests.lab.lifecycle import reserved, take_down, up

    with reserved(Places(settings.name)):
        take_down(settings.name)
        try:
            up(settings, patience=ROOM)
            yield Lab(settings)
        finally:
            take_down(settings.name)
