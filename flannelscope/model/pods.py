"""Pods and their containers; most of a pod is kept only where it runs in its host's network."""

from __future__ import annotations

from collections.abc import Mapping

from flannelscope.model.base import Value


class Container(Value, frozen=True, kw_only=True):
    """A container's specification. `env` holds only names that start with FLANNELD_ (Canal's settings)."""

    name: str
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    memory_limit: str = ""


class ContainerStatus(Value, frozen=True, kw_only=True):
    """How a container runs. `state` is running, waiting, terminated or ""; `last_*` tell of its previous life."""

    name: str
    init: bool = False
    image: str = ""
    ready: bool = False
    restarts: int = 0
    state: str = ""
    reason: str = ""  # of waiting or terminated
    message: str = ""
    started: float | None = None
    finished: float | None = None
    exit_code: int | None = None
    last_reason: str = ""
    last_exit_code: int | None = None
    last_started: float | None = None
    last_finished: float | None = None

    def ended_twice(self, now: float, within: float) -> bool:
        """Whether it ended at least twice in the last `within` seconds, as far as the API tells, which keeps one end only.

        The end before the last one came before the last start: a start in that time too tells of it.
        """
        since = now - within
        finished, started = self.last_finished, self.last_started
        return self.restarts >= 2 and finished is not None and finished >= since and (started is None or started >= since)


class PodDetail(Value, frozen=True, kw_only=True):
    """What is kept of hostNetwork pods only: flannel, the control plane and their like are found among these."""

    labels: Mapping[str, str] = {}
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    statuses: tuple[ContainerStatus, ...] = ()
    config_maps: tuple[str, ...] = ()  # names mounted as volumes
    created: float | None = None


class Pod(Value, frozen=True, kw_only=True):
    """A Pod, projected. `phase` is Pending, Running, Succeeded, Failed or Unknown; `node` is "" while unscheduled."""

    namespace: str
    name: str
    uid: str = ""
    resource_version: str = ""
    node: str = ""
    phase: str = ""
    ips: tuple[str, ...] = ()
    host_network: bool = False
    deleting: bool = False
    mirror: bool = False
    owner_kind: str = ""
    owner_name: str = ""
    scheduled: float | None = None  # kept only while the pod has no address
    detail: PodDetail | None = None
