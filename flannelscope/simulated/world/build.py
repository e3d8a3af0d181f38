"""From a Blueprint to the Snapshot of a cluster that was read to its end."""

from __future__ import annotations

from msgspec.structs import replace

from flannelscope.model import Cluster, Pod, Reading, ServiceCidr, Snapshot, Topic
from flannelscope.simulated.world import control_plane, flannel, nodes, workloads
from flannelscope.simulated.world.blueprint import Blueprint

SOURCE = "simulated"


def build(plan: Blueprint) -> Snapshot:
    """Everything the API server of this cluster would tell, at the cluster's clock."""
    flannel_pods = [flannel.pod(plan, machine) for machine in plan.machines]
    mirrors = control_plane.mirror_pods(plan)
    others = [pod for machine in plan.machines for pod in workloads.pods(plan, machine)]
    waiting = [pod for pod in others if not pod.ips]
    made = tuple(nodes.node(plan, machine) for machine in plan.machines)
    events = (
        *control_plane.allocator_events(plan, made),
        *flannel.events(plan, flannel_pods),
        *workloads.sandbox_events(plan, waiting),
    )
    leases = (*(nodes.lease(plan, machine) for machine in plan.machines), control_plane.manager_lease(plan))
    snapshot = Snapshot(
        taken=plan.now,
        source=SOURCE,
        cluster=_cluster(plan),
        nodes=made,
        pods=_by_name([*flannel_pods, *mirrors, *others]),
        flannel_pods=tuple(flannel_pods),
        control_plane_pods=tuple(mirrors),
        daemonsets=(flannel.daemonset(plan),),
        config_maps=(*control_plane.config_maps(plan), flannel.config_map(plan)),
        leases=leases,
        events=events,
        service_cidrs=(ServiceCidr("kubernetes", (plan.service_cidr,)),),
        kubernetes_service_ips=(plan.service_ip,),
        network_policies=0,
    )
    return _read_to_its_end(snapshot)


def _cluster(plan: Blueprint) -> Cluster:
    return Cluster(
        uid=plan.dice("cluster").uid(),
        server="simulated",
        context=f"demo {plan.name}",
        version=nodes.VERSION,
        major=1,
        minor=34,
        now=plan.now,
    )


def _by_name(pods: list[Pod]) -> tuple[Pod, ...]:
    return tuple(sorted(pods, key=lambda pod: (pod.namespace, pod.name)))


def _read_to_its_end(snapshot: Snapshot) -> Snapshot:
    counts = {
        Topic.VERSION: 1,
        Topic.NODES: len(snapshot.nodes),
        Topic.LEASES: len(snapshot.nodes),
        Topic.DAEMONSETS: len(snapshot.daemonsets),
        Topic.FLANNEL_PODS: len(snapshot.flannel_pods),
        Topic.CONTROL_PLANE: len(snapshot.control_plane_pods),
        Topic.CONFIGURATION: len(snapshot.config_maps),
        Topic.SERVICES: len(snapshot.service_cidrs),
        Topic.EVENTS: len(snapshot.events),
        Topic.POLICIES: snapshot.network_policies or 0,
        Topic.PODS: len(snapshot.pods),
    }
    readings = {
        topic: Reading(at=snapshot.taken, source=SOURCE, asked=number, answered=number) for topic, number in counts.items()
    }
    return replace(snapshot, readings=readings)
