"""ConfigMaps, Leases, Events, Services and their ranges."""

from __future__ import annotations

from flannelscope.sources.wire.base import FullMeta, Meta, Wire


class ConfigMap(Wire):
    metadata: FullMeta
    data: dict[str, str] | None = None


class LeaseSpec(Wire):
    holderIdentity: str | None = None
    renewTime: str | None = None
    leaseDurationSeconds: int | None = None


class Lease(Wire):
    metadata: Meta
    spec: LeaseSpec | None = None


class Involved(Wire):
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None


class EventSource(Wire):
    component: str | None = None


class Series(Wire):
    count: int | None = None
    lastObservedTime: str | None = None


class Event(Wire):
    metadata: Meta
    involvedObject: Involved | None = None
    reason: str | None = None
    type: str | None = None
    message: str | None = None
    source: EventSource | None = None
    reportingComponent: str | None = None
    count: int | None = None
    firstTimestamp: str | None = None
    lastTimestamp: str | None = None
    eventTime: str | None = None
    series: Series | None = None


class ServiceCidrSpec(Wire):
    cidrs: list[str] | None = None


class ServiceCidr(Wire):
    metadata: Meta
    spec: ServiceCidrSpec | None = None


class ServiceSpec(Wire):
    clusterIP: str | None = None
    clusterIPs: list[str] | None = None


class Service(Wire):
    metadata: Meta
    spec: ServiceSpec | None = None
