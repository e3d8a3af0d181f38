"""What a run looks at, as one value that can be sent to the child process, and the source it opens."""

from __future__ import annotations

from typing import Any

import msgspec

from flannelscope import simulated
from flannelscope.errors import UsageError
from flannelscope.model import Declared, Snapshot
from flannelscope.sources import Source

DEMOS = simulated.names()  # the default one first


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What to read and how. Holds no secret except `login`, which is sent by pipe only and never shown.

    `kubeconfig` are the files of --kubeconfig or KUBECONFIG, in order; empty means kubectl's defaults. `pods` is none,
    suspect or all. `login` is the ExecCredential (JSON) of an interactive login made before the first frame.
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
            return ("--demo", self.demo)
        if self.from_file:
            return ("--from", self.from_file)
        named = ("--kubeconfig", self.kubeconfig[0]) if len(self.kubeconfig) == 1 else ()
        return (*named, *(("--context", self.context) if self.context else ()))


def open_source(settings: Settings) -> Source:
    """The source these settings name. Libraries are imported here, so that a demo starts without the Kubernetes client.

    Raises UsageError for an unknown demo, NoCluster when no kubeconfig or server can be found.
    """
    if settings.demo:
        if settings.demo not in DEMOS:
            raise UsageError(f"there is no demo named {settings.demo}", "--demo", f"Choose one of {', '.join(DEMOS)}.")
        from flannelscope.sources.simulated import SimulatedSource

        return SimulatedSource.named(settings.demo, settings.pods)
    if settings.from_file:
        from flannelscope.sources.file import FileSource

        return FileSource(settings.from_file)
    from flannelscope.sources.kube import KubeSource

    return KubeSource.connect(settings)
