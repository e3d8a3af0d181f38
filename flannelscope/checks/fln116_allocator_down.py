"""The controller manager is down. Nodes that join get no podCIDR, so flannel does not start on them; and nothing else is
reconciled either: no Deployments, no evictions, no clean-up of pods on dead Nodes.

How it is known

All its pods are seen not to run, to crash again and again, or to have ended twice within ten minutes; or none is seen to
run, and its Lease is more than a minute old by the API server's clock while a Node has waited for a podCIDR for over two
minutes. A pod that runs on a living Node outweighs an old Lease: leader election may be off, and its machine's clock behind.
A manager that is no pod (k3s, RKE1, a managed control plane, a systemd unit) cannot be seen, and its absence proves nothing.

How to see it

Restarts and last state of its pods, and who holds its Lease since when.

    kubectl -n kube-system get pods -l component=kube-controller-manager -o wide
    kubectl -n kube-system get lease kube-controller-manager -o yaml

What to do

Read its last log: a start that ends with "failed to mark cidr" or "out the range of cluster cidr" is FLN103. Otherwise its
certificates, its arguments and the API server are the usual causes.

How to undo it

There is nothing to undo: nothing is changed by looking.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.effective.manager import MANAGER, component_pods, manager_lease
from flannelscope.facts import Facts
from flannelscope.model import CLUSTER, Evidence, Finding, Pod, Remedy, Severity, Topic, Unknown, pod_subject
from flannelscope.proofs import pod_origin, show_pod, when


@check(
    "FLN116",
    "allocator-down",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.CONTROL_PLANE),
    swallows=("FLN105", "FLN106"),
)
def allocator_down(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for the cluster."""
    configuration = facts.configuration
    if configuration.manager_up is None and facts.pod_cidrs:
        yield this.unknown(configuration.manager_reason)
    if configuration.manager_up is not False:
        return
    pods = component_pods(facts.snapshot, MANAGER)
    yield this.finding(
        f"The controller manager is down: {configuration.manager_reason}. Nodes that join get no podCIDR.",
        tuple(pod_subject(pod) for pod in pods) or (CLUSTER,),
        evidence=(*map(_state, pods), *_lease(facts)),
        remedy=Remedy(
            "Read why it ended, and start it again.",
            tuple(f"kubectl -n {shlex.quote(pod.namespace)} logs {shlex.quote(pod.name)} --previous --tail 50" for pod in pods),
        ),
        reach=tuple(node.name for node in facts.waiting),
    )


def _state(pod: Pod) -> Evidence:
    status = next((s for s in (pod.detail.statuses if pod.detail else ()) if s.name == MANAGER), None)
    value = f"pod {pod.phase}"
    if status is not None:
        ended = f", ended {when(status.last_finished)} with {status.last_exit_code}" if status.last_finished else ""
        value = f"{status.state} {status.reason}".strip() + f", {status.restarts} restarts{ended}"
    return Evidence(f"controller manager on {pod.node}", value, pod_origin(pod), show_pod(pod))


def _lease(facts: Facts) -> tuple[Evidence, ...]:
    lease = manager_lease(facts.snapshot)
    if lease is None:
        return ()
    value = f"held by {lease.holder or 'nobody'}, renewed {when(lease.renewed)}"
    command = f"kubectl -n kube-system get lease {MANAGER}"
    return (Evidence("Lease of the manager", value, f"Lease kube-system/{MANAGER}", command),)
