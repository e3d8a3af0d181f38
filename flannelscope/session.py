"""What a run looks at, as one value that can be sent to the child process, and the source it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from flannelscope import simulated
from flannelscope.errors import UsageError
from flannelscope.model import Declared, Snapshot
from flannelscope.questions import Questions
from flannelscope.sources import Source
from flannelscope.ssh_settings import SshSettings

if TYPE_CHECKING:
    from flannelscope.sources.login import Login

DEMOS = simulated.names()  # the default one first


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What to read and how. Holds no secret except `login`, which is sent by pipe only and never shown.

    `kubeconfig` are the files of --kubeconfig or KUBECONFIG, in order; empty means kubectl's defaults. `pods` is none,
    suspect or all. `login` is the ExecCredential (JSON) of an interactive login made before the first frame. `ssh` says how
    nodes are logged in to; None: they are not.
    """

    kubeconfig: tuple[str, ...] = ()
    context: str = ""
    demo: str = ""
    from_file: str = ""
    pods: str = "all"
    nodes_proxy: bool = False
    timeout: float = 15.0
    cluster_cidrs: tuple[str, ...] = ()
    node_masks: tuple[int, ...] = ()
    service_cidrs: tuple[str, ...] = ()
    login: str = ""
    ssh: SshSettings | None = None

    def __repr__(self) -> str:
        return f"Settings(context={self.context!r}, demo={self.demo!r}, from_file={self.from_file!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What rich shows of it, for instance in the traceback with locals of a console that crashed."""
        return [("context", self.context), ("demo", self.demo), ("from_file", self.from_file)]

    @property
    def start(self) -> Snapshot:
        """The Snapshot to grow from: only what was declared."""
        declared = Declared(
            cluster_cidrs=self.cluster_cidrs,
            node_masks=self.node_masks,
            service_cidrs=self.service_cidrs,
            world=self._world(),
        )
        return Snapshot(declared=declared)

    def _world(self) -> tuple[str, ...]:
        if self.demo:
            return ("--demo", self.demo, *(("--ssh",) if self.ssh else ()))
        if self.from_file:
            return ("--from", self.from_file, *self._nodes())
        named = ("--kubeconfig", self.kubeconfig[0]) if len(self.kubeconfig) == 1 else ()
        return (*named, *(("--context", self.context) if self.context else ()), *self._nodes())

    def _nodes(self) -> tuple[str, ...]:
        if self.ssh is None:
            return ()
        said = (("--ssh-config", self.ssh.config), ("--ssh-user", self.ssh.user))
        single = (word for option, value in said if value for word in (option, value))
        lists = (("--identity", self.ssh.identities), ("--known-hosts", self.ssh.known_hosts))
        return ("--ssh", *single, *(word for option, values in lists for value in values for word in (option, value)))


def open_source(settings: Settings, login: Login | None = None) -> Source:
    """The source these settings name, with eyes on its nodes where there is a `login` for that.

    Libraries are imported here, so that a demo starts without the Kubernetes client.
    Raises UsageError for an unknown demo, NoCluster when no kubeconfig or server can be found.
    """
    source = _open(settings)
    if login is None or settings.ssh is None or settings.demo:
        return source
    from flannelscope.sources.eyes import Eyes

    return Eyes(source, login)


def open_login(settings: Settings, questions: Questions) -> Login | None:
    """What logs in to nodes as long as the session lasts; None where that was not asked for."""
    if settings.ssh is None or settings.demo:
        return None
    from flannelscope.sources.login import Login

    return Login(settings.ssh, questions)


def _open(settings: Settings) -> Source:
    if settings.demo:
        if settings.demo not in DEMOS:
            raise UsageError(f"there is no demo named {settings.demo}", "--demo", f"Choose one of {', '.join(DEMOS)}.")
        from flannelscope.sources.simulated import SimulatedSource

        return SimulatedSource.named(settings.demo, settings.pods, kernels=settings.ssh is not None)
    if settings.from_file:
        from flannelscope.sources.file import FileSource

        return FileSource(settings.from_file)
    from flannelscope.sources.kube import KubeSource

    return KubeSource.connect(settings)
