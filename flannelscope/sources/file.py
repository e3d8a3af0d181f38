"""A source that reads what was saved with kubectl: Nodes, and whatever else of interest is in the same file.

What is not in the file was not looked at, and is said to be so; nobody knows whether pods of all namespaces were saved,
so that only what is there counts: without a flannel pod in the file, nothing is said of missing flannel pods. The time of
the file is the newest heartbeat in it, because ages must be those of the moment when it was saved.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from flannelscope.errors import UsageError
from flannelscope.flannel.names import CLUSTER_CONFIG_MAPS, config_map_candidates, flannel_container
from flannelscope.model import ConfigMap, DaemonSet, Gap, Pod, Reading, Snapshot, Topic, Value
from flannelscope.sources import Answer, Part, saved, wire
from flannelscope.sources.project import nodes, others, pods
from flannelscope.sources.project.common import seconds
from flannelscope.text import clean

SOURCE = "file"
_KUBELETS = "kube-node-lease"
_CONTROL_PLANE = ("kube-controller-manager", "kube-apiserver")


class Kind(Value, frozen=True):
    """How objects of one kind are read, and the topic they belong to."""

    topic: Topic
    shape: type[Any]
    project: Callable[[Any], Any]


KINDS = {
    "Node": Kind(Topic.NODES, wire.Node, nodes.project_node),
    "Lease": Kind(Topic.LEASES, wire.Lease, others.project_lease),
    "DaemonSet": Kind(Topic.DAEMONSETS, wire.DaemonSet, others.project_daemonset),
    "ConfigMap": Kind(Topic.CONFIGURATION, wire.ConfigMap, others.project_config_map),
    "ServiceCIDR": Kind(Topic.SERVICES, wire.ServiceCidr, others.project_service_cidr),
    "Event": Kind(Topic.EVENTS, wire.Event, others.project_event),
    "NetworkPolicy": Kind(Topic.POLICIES, wire.Named, others.project_uid),
    "Pod": Kind(Topic.PODS, wire.Pod, pods.project_pod),
}


class Contents(Value, frozen=True, kw_only=True):
    """What a file holds: values by kind, and the objects that are not as they should be."""

    at: float
    values: Mapping[str, Sequence[Any]]
    odd: Sequence[Gap]


class FileSource:
    """Reads the file at `path`, or stdin for `-`, at the first question. Raises UsageError when it is of no use."""

    kind = SOURCE

    def __init__(self, path: str) -> None:
        self.path = path

    def topics(self) -> Sequence[Topic]:
        """The topics of which the file holds anything."""
        told = {gap.topic for gap in self._contents.odd}
        return tuple(topic for topic in Topic if topic in self._parts or topic in told)

    def read(self, topic: Topic, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """All that the file holds of a topic, and a Gap for each object that could not be read."""
        gaps = [gap for gap in self._contents.odd if gap.topic == topic]
        if topic in self._parts and not stop.is_set():
            fields, number = self._parts[topic]
            scope = "" if topic is Topic.NODES else "those in the file"
            reading = Reading(at=self._contents.at, source=SOURCE, asked=number + len(gaps), answered=number, scope=scope)
            yield Part(topic, {**fields, "source": SOURCE}, reading)
        yield from gaps

    def watch(self, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """A file does not change: waits until `stop`."""
        stop.wait()
        yield from ()

    def close(self) -> None:
        """Nothing is open."""

    @cached_property
    def _contents(self) -> Contents:
        return contents(saved.read_bytes(self.path), self.path)

    @cached_property
    def _parts(self) -> Mapping[Topic, tuple[Mapping[str, Any], int]]:
        """Fields of the Snapshot by topic, and how many objects they are made of; only what the file holds."""
        held = self._contents.values
        every: Sequence[Pod] = held.get("Pod", ())
        daemonsets = held.get("DaemonSet", ())
        flannel = tuple(pod for pod in every if pod.detail is not None and flannel_container(pod.detail.containers))
        control_plane = tuple(pod for pod in every if _is_control_plane(pod))
        wanted = {*CLUSTER_CONFIG_MAPS, *config_map_candidates(daemonsets, flannel)}
        maps: Sequence[ConfigMap] = [m for m in held.get("ConfigMap", ()) if (m.namespace, m.name) in wanted]
        leases = held.get("Lease", ())
        ranges, policies = held.get("ServiceCIDR", ()), held.get("NetworkPolicy", ())
        parts: dict[Topic, tuple[Mapping[str, Any], int]] = {
            Topic.NODES: _part("nodes", held.get("Node", ())),
            Topic.LEASES: _part("leases", leases if any(lease.namespace == _KUBELETS for lease in leases) else ()),
            Topic.DAEMONSETS: _part("daemonsets", daemonsets if any(map(_runs_flannel, daemonsets)) else ()),
            Topic.FLANNEL_PODS: _part("flannel_pods", flannel),
            Topic.CONTROL_PLANE: _part("control_plane_pods", control_plane),
            Topic.CONFIGURATION: _part("config_maps", maps),
            Topic.SERVICES: _part("service_cidrs", ranges),
            Topic.EVENTS: _part("events", held.get("Event", ())),
            Topic.POLICIES: ({"network_policies": len(policies)}, len(policies)),
            Topic.PODS: _part("pods", every),
        }
        return {topic: part for topic, part in parts.items() if part[1]}


def contents(text: bytes, path: str) -> Contents:
    """Everything of interest in the text of a file. Raises UsageError when there is no Node in it."""
    decoders = {name: msgspec.json.Decoder(kind.shape) for name, kind in KINDS.items()}
    values: dict[str, list[Any]] = {}
    odd: list[Gap] = []
    others_seen: set[str] = set()
    for thing in saved.objects(text, path):
        kind = KINDS.get(thing.kind)
        if kind is None:
            others_seen.add(thing.kind or "objects without a kind")
            continue
        try:
            values.setdefault(thing.kind, []).append(kind.project(decoders[thing.kind].decode(thing.body)))
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            odd.append(_gap(kind.topic, thing, error))
    if "Node" not in values and not any(gap.topic is Topic.NODES for gap in odd):
        held = ", ".join(sorted(others_seen | set(values))) or "an empty list"
        raise UsageError(f"There is no Node in this file, but {clean(held, 80)}.", path, saved.HOW_TO_SAVE)
    stamp = saved.last_stamp(text)
    at = seconds(f"{stamp}Z") if stamp else None
    return Contents(at=time.time() if at is None else at, values=values, odd=odd)


def _gap(topic: Topic, thing: saved.Saved, error: Exception) -> Gap:
    try:
        name = msgspec.json.decode(thing.body, type=wire.Named).metadata.name
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        name = ""
    reason = f"{thing.kind} {name or 'without a name'} in the file cannot be read: {error}"
    return Gap(topic, clean(reason, 200), node=name if topic is Topic.NODES else "")


def _part(field: str, values: Sequence[Any]) -> tuple[Mapping[str, Any], int]:
    return {field: tuple(values)}, len(values)


def _runs_flannel(daemonset: DaemonSet) -> bool:
    return flannel_container(daemonset.containers) is not None


def _is_control_plane(pod: Pod) -> bool:
    return pod.detail is not None and pod.namespace == "kube-system" and pod.detail.labels.get("component") in _CONTROL_PLANE
