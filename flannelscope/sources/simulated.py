"""A source that holds a Snapshot and answers from it, topic by topic, as a cluster would: demos and tests of the screens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from flannelscope import simulated
from flannelscope.events import TopicProgress
from flannelscope.model import Lease, Reading, Snapshot, Topic
from flannelscope.sources import Answer, Part

PAGE = 100  # Nodes a Part, so that a table fills as it does with pages of a large cluster
KUBELETS = "kube-node-lease"


class SimulatedSource:
    """Answers from `held`. Topics which `held` has no reading of are not offered; its Gaps are told with their topic.

    `gate`, where given, is called with each topic before it is answered: a test holds a topic back by blocking in it.
    """

    kind = "simulated"

    def __init__(self, held: Snapshot, gate: Callable[[Topic], None] | None = None) -> None:
        self.held = held
        self.gate = gate

    @classmethod
    def named(cls, name: str, pods: str = "all", *, kernels: bool = False) -> SimulatedSource:
        """The demo `name`, as it is at this moment, with the pods that --pods asks for (none, suspect, all).

        `kernels`: with what its nodes would say of themselves.

        Raises KeyError when there is none of this name.
        """
        return cls(with_pods(simulated.build(name, kernels=kernels), pods))

    def topics(self) -> Sequence[Topic]:
        """What is held, Nodes before everything that is asked about them."""
        told = {gap.topic for gap in self.held.gaps}
        return tuple(topic for topic in Topic if topic in self.held.readings or topic in told)

    def read(self, topic: Topic, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """All that is held of a topic; Nodes come in several Parts."""
        if self.gate is not None:
            self.gate(topic)
        reading = self.held.readings.get(topic)
        if reading is not None and topic is Topic.NODES:
            yield from self._pages(reading, stop)
        if reading is not None and not stop.is_set():
            yield Part(topic, {**self._fields(topic, known), "source": self.held.source}, reading)
        yield from (gap for gap in self.held.gaps if gap.topic == topic)

    def watch(self, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """Nothing changes in here: waits until `stop`."""
        stop.wait()
        yield from ()

    def close(self) -> None:
        """Nothing is open."""

    def _pages(self, reading: Reading, stop: threading.Event) -> Iterator[Answer]:
        total = len(self.held.nodes)
        for end in range(PAGE, total, PAGE):
            if stop.is_set():
                return
            partial = replace(reading, answered=end, complete=False)
            yield Part(Topic.NODES, {"nodes": self.held.nodes[:end], "source": self.held.source}, partial)
            yield TopicProgress(Topic.NODES, end, total)

    def _fields(self, topic: Topic, known: Snapshot) -> Mapping[str, Any]:
        held = self.held
        match topic:
            case Topic.VERSION:
                return {"cluster": held.cluster}
            case Topic.LEASES:
                return {"leases": _leases(kubelets=held, others=known)}
            case Topic.CONTROL_PLANE:
                return {"control_plane_pods": held.control_plane_pods, "leases": _leases(kubelets=known, others=held)}
            case Topic.CONFIGURATION:
                return {"config_maps": held.config_maps}
            case Topic.SERVICES:
                return {"service_cidrs": held.service_cidrs, "kubernetes_service_ips": held.kubernetes_service_ips}
            case Topic.POLICIES:
                return {"network_policies": held.network_policies}
            case Topic.FLANNEL_PODS:
                return {"flannel_pods": held.flannel_pods}
            case Topic.KERNELS:
                return {"sweep": held.sweep, "second_sweep": held.second_sweep}
            case Topic.NODES | Topic.DAEMONSETS | Topic.EVENTS | Topic.PODS:
                return {topic.value: getattr(held, topic.value)}


def with_pods(held: Snapshot, pods: str) -> Snapshot:
    """The Snapshot as a reading with --pods none or suspect leaves it."""
    if pods == "all":
        return held
    if pods == "none":
        return replace(held, pods=(), readings={t: r for t, r in held.readings.items() if t is not Topic.PODS})
    from flannelscope.sources.topics.pods import suspects  # brings the Kubernetes client, which a demo else does without

    names = frozenset(suspects(held.nodes))
    chosen = tuple(pod for pod in held.pods if pod.node in names)
    reading = replace(held.readings[Topic.PODS], asked=len(chosen), answered=len(chosen), scope=pods)
    return replace(held, pods=chosen, readings={**held.readings, Topic.PODS: reading})


def _leases(kubelets: Snapshot, others: Snapshot) -> tuple[Lease, ...]:
    """Leases of kubelets and of the control plane are read apart, and kept in one field."""
    return (
        *(lease for lease in kubelets.leases if lease.namespace == KUBELETS),
        *(lease for lease in others.leases if lease.namespace != KUBELETS),
    )
