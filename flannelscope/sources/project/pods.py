"""Pods. 150,000 of them: what is looked at for each is little, the rest stays undecoded unless it is wanted."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from flannelscope.model import ContainerStatus, Pod, PodDetail
from flannelscope.sources import wire
from flannelscope.sources.project.common import config_maps, containers, seconds

T = TypeVar("T")

_LABELS: msgspec.json.Decoder[Any] = msgspec.json.Decoder(dict[str, str] | None)
_CONTAINERS: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[wire.Container] | None)
_STATUSES: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[wire.ContainerStatus] | None)
_VOLUMES: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[wire.Volume] | None)
_CONDITIONS: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[wire.Condition] | None)
# Phases and kinds are shared by name. Names of Nodes and namespaces are not: looking each up costs more than its memory.
_USUAL = {
    text: text for text in ("Running", "Pending", "Succeeded", "Failed", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "Node")
}
_NO_STATUS = wire.PodStatus()


def project_pod(said: wire.Pod) -> Pod:
    """The Pod; `detail` for hostNetwork pods only, `scheduled` only while it has no address."""
    meta, spec = said.metadata, said.spec
    status = said.status or _NO_STATUS
    ips = _ips(status)
    owners = meta.ownerReferences
    owner = owners[0] if owners else None
    if owner is not None and not owner.controller and len(owners or ()) > 1:
        owner = next((o for o in owners or () if o.controller), owner)
    host_network = spec.hostNetwork is True
    return Pod(
        namespace=meta.namespace or "",
        name=meta.name,
        uid=meta.uid or "",
        resource_version=meta.resourceVersion or "",
        node=spec.nodeName or "",
        phase=_usual(status.phase),
        ips=ips,
        host_network=host_network,
        deleting=meta.deletionTimestamp is not None,
        mirror=meta.annotations is not None and len(bytes(meta.annotations.mirror)) > 0,
        owner_kind=_usual(owner.kind) if owner is not None else "",
        owner_name=owner.name if owner is not None else "",
        scheduled=None if ips else _scheduled(status),
        detail=_detail(meta, spec, status) if host_network else None,
    )


def detailed_pod(said: wire.Pod) -> Pod:
    """The Pod with its detail whatever its network: pods that are known to be flannel's or the control plane's."""
    pod = project_pod(said)
    if pod.detail is not None:
        return pod
    return msgspec.structs.replace(pod, detail=_detail(said.metadata, said.spec, said.status or _NO_STATUS))


def _usual(text: str | None) -> str:
    return _USUAL.get(text, text) if text else ""


def _ips(status: wire.PodStatus) -> tuple[str, ...]:
    listed = status.podIPs
    if listed:
        if len(listed) == 1 and listed[0].ip:
            return (listed[0].ip,)
        return tuple(item.ip for item in listed if item.ip)
    return (status.podIP,) if status.podIP else ()


def _opened(decoder: msgspec.json.Decoder[Any], raw: msgspec.Raw) -> Any:
    return decoder.decode(raw) or () if raw else ()


def _scheduled(status: wire.PodStatus) -> float | None:
    for condition in _opened(_CONDITIONS, status.conditions):
        if condition.type == "PodScheduled" and condition.status == "True":
            return seconds(condition.lastTransitionTime)
    return None


def _detail(meta: wire.PodMeta, spec: wire.PodSpec, status: wire.PodStatus) -> PodDetail:
    statuses = [_status(s, init=False) for s in _opened(_STATUSES, status.containerStatuses)]
    statuses += [_status(s, init=True) for s in _opened(_STATUSES, status.initContainerStatuses)]
    return PodDetail(
        labels=dict(_opened(_LABELS, meta.labels)),
        containers=containers(_opened(_CONTAINERS, spec.containers)),
        init_containers=containers(_opened(_CONTAINERS, spec.initContainers)),
        statuses=tuple(statuses),
        config_maps=config_maps(_opened(_VOLUMES, spec.volumes)),
        created=seconds(meta.creationTimestamp),
    )


def _status(said: wire.ContainerStatus, *, init: bool) -> ContainerStatus:
    state, last = said.state or wire.State(), (said.lastState or wire.State()).terminated
    ended = state.terminated
    why = state.waiting or ended
    running_since = state.running.startedAt if state.running is not None else None
    return ContainerStatus(
        name=said.name,
        init=init,
        image=said.image or "",
        ready=bool(said.ready),
        restarts=said.restartCount or 0,
        state=_state_name(state),
        reason=(why.reason if why is not None else None) or "",
        message=(why.message if why is not None else None) or "",
        started=seconds(running_since or (ended.startedAt if ended is not None else None)),
        finished=seconds(ended.finishedAt) if ended is not None else None,
        exit_code=ended.exitCode if ended is not None else None,
        last_reason=(last.reason if last is not None else None) or "",
        last_exit_code=last.exitCode if last is not None else None,
        last_started=seconds(last.startedAt) if last is not None else None,
        last_finished=seconds(last.finishedAt) if last is not None else None,
    )


def _state_name(state: wire.State) -> str:
    for name in ("running", "waiting", "terminated"):
        if getattr(state, name) is not None:
            return name
    return ""
