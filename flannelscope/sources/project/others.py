"""DaemonSets, ConfigMaps, Leases, Events, Services and their ranges."""

from __future__ import annotations

from flannelscope.model import ConfigMap, DaemonSet, Event, Lease, NodeRequirement, ServiceCidr, Toleration
from flannelscope.sources import wire
from flannelscope.sources.project.common import config_maps, containers, seconds

_KURED_LOCK = ("weave.works/kured", "kured.dev/")


def project_daemonset(said: wire.DaemonSet) -> DaemonSet:
    """The DaemonSet with what decides which Nodes it covers."""
    meta, spec, status = said.metadata, said.spec, said.status or wire.DaemonSetStatus()
    template = spec.template or wire.Template()
    pod = template.spec or wire.TemplateSpec()
    return DaemonSet(
        namespace=meta.namespace or "",
        name=meta.name,
        uid=meta.uid or "",
        resource_version=meta.resourceVersion or "",
        created=seconds(meta.creationTimestamp),
        generation=meta.generation or 0,
        observed_generation=status.observedGeneration or 0,
        desired=status.desiredNumberScheduled or 0,
        current=status.currentNumberScheduled or 0,
        updated=status.updatedNumberScheduled or 0,
        available=status.numberAvailable or 0,
        labels=meta.labels or {},
        match_labels=(spec.selector.matchLabels if spec.selector is not None else None) or {},
        template_labels=(template.metadata.labels if template.metadata is not None else None) or {},
        annotations={k: v for k, v in (meta.annotations or {}).items() if k.startswith(_KURED_LOCK)},
        update_strategy=(spec.updateStrategy.type if spec.updateStrategy is not None else None) or "RollingUpdate",
        node_selector=pod.nodeSelector or {},
        affinity=_affinity(pod.affinity),
        tolerations=tuple(_toleration(t) for t in pod.tolerations or ()),
        containers=containers(pod.containers),
        init_containers=containers(pod.initContainers),
        config_maps=config_maps(pod.volumes),
        service_account=pod.serviceAccountName or "",
        host_network=bool(pod.hostNetwork),
    )


def _toleration(said: wire.Toleration) -> Toleration:
    return Toleration(said.key or "", said.operator or "Equal", said.value or "", said.effect or "")


def _affinity(said: wire.Affinity | None) -> tuple[tuple[NodeRequirement, ...], ...] | None:
    """The required node affinity: terms are alternatives, the requirements of one hold together."""
    node = said.nodeAffinity if said is not None else None
    if node is None or node.required is None:
        return None
    return tuple(
        (
            *(NodeRequirement(r.key, r.operator, tuple(r.values or ())) for r in term.matchExpressions or ()),
            *(NodeRequirement(r.key, r.operator, tuple(r.values or ()), field=True) for r in term.matchFields or ()),
        )
        for term in node.required.nodeSelectorTerms or ()
    )


def project_config_map(said: wire.ConfigMap) -> ConfigMap:
    """The ConfigMap with the newest time at which anyone wrote it."""
    meta = said.metadata
    times = [when for entry in meta.managedFields or () if (when := seconds(entry.time)) is not None]
    return ConfigMap(meta.namespace or "", meta.name, said.data or {}, seconds(meta.creationTimestamp), max(times, default=None))


def project_lease(said: wire.Lease) -> Lease:
    """The Lease."""
    spec = said.spec or wire.LeaseSpec()
    return Lease(
        said.metadata.namespace or "",
        said.metadata.name,
        spec.holderIdentity or "",
        seconds(spec.renewTime),
        spec.leaseDurationSeconds,
    )


def project_event(said: wire.Event) -> Event:
    """The Event, written by the old recorder (count, timestamps) or the new one (eventTime, series)."""
    about, series = said.involvedObject or wire.Involved(), said.series or wire.Series()
    first = seconds(said.firstTimestamp) or seconds(said.eventTime) or seconds(said.metadata.creationTimestamp)
    return Event(
        reason=said.reason or "",
        type=said.type or "Normal",
        kind=about.kind or "",
        namespace=about.namespace or "",
        name=about.name or "",
        uid=about.uid or "",
        message=said.message or "",
        component=(said.source.component if said.source is not None else None) or said.reportingComponent or "",
        count=series.count or said.count or 1,
        first=first,
        last=seconds(series.lastObservedTime) or seconds(said.lastTimestamp) or first,
    )


def project_service_cidr(said: wire.ServiceCidr) -> ServiceCidr:
    """The ServiceCIDR."""
    return ServiceCidr(said.metadata.name, tuple((said.spec.cidrs if said.spec is not None else None) or ()))


def project_service_ips(said: wire.Service) -> tuple[str, ...]:
    """The addresses of a Service: clusterIPs, before 1.20 only clusterIP; a headless one has none."""
    spec = said.spec or wire.ServiceSpec()
    return tuple(ip for ip in spec.clusterIPs or [spec.clusterIP or ""] if ip not in ("", "None"))


def project_uid(said: wire.Named) -> str:
    """The uid of any object."""
    return said.metadata.uid or ""
