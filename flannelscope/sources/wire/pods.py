"""Pods: most of each stays undecoded."""

from __future__ import annotations

from msgspec import Raw, field

from flannelscope.sources.wire.base import Meta, Owner, Wire


class PodAnnotations(Wire):
    mirror: Raw = field(default=Raw(), name="kubernetes.io/config.mirror")


class PodMeta(Meta):
    annotations: PodAnnotations | None = None
    ownerReferences: list[Owner] | None = None
    labels: Raw = Raw()


class PodSpec(Wire):
    nodeName: str | None = None
    hostNetwork: bool | None = None
    containers: Raw = Raw()
    initContainers: Raw = Raw()
    volumes: Raw = Raw()


class PodIP(Wire):
    ip: str | None = None


class PodStatus(Wire):
    phase: str | None = None
    podIP: str | None = None
    podIPs: list[PodIP] | None = None
    conditions: Raw = Raw()
    containerStatuses: Raw = Raw()
    initContainerStatuses: Raw = Raw()


class Pod(Wire):
    metadata: PodMeta
    spec: PodSpec
    status: PodStatus | None = None
