"""The simulated clusters are consistent in themselves, and are read like a real one: topic by topic."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter

import msgspec
import pytest

from flannelscope import cidr, simulated
from flannelscope.collect import collect, follow
from flannelscope.errors import UsageError
from flannelscope.events import GapFound, Grown, TopicDone, TopicProgress
from flannelscope.flannel.annotations import read
from flannelscope.model import IN_API, Gap, Node, Pod, Snapshot, Topic
from flannelscope.session import DEMOS, Settings, open_source
from flannelscope.sources.simulated import PAGE, SimulatedSource

NOW = 1_795_000_000.0
EVERY_DEMO = pytest.mark.parametrize("name", simulated.names())


def demo(name: str) -> Snapshot:
    return simulated.build(name, NOW)


def test_a_demo_is_found_by_the_name_of_its_file_and_the_default_comes_first() -> None:
    assert DEMOS == ("twins", "exhausted", "healthy")
    with pytest.raises(KeyError):
        simulated.build("world")


def test_an_unknown_demo_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(UsageError, match="twins, exhausted, healthy"):
        open_source(Settings(demo="banana"))


@EVERY_DEMO
def test_the_same_seed_and_clock_give_the_same_cluster_to_the_last_mac(name: str) -> None:
    first, second = msgspec.to_builtins(demo(name)), msgspec.to_builtins(demo(name))
    assert first == second
    other = msgspec.to_builtins(simulated.build(name, NOW, seed=7))
    assert other["nodes"][0]["uid"] != first["nodes"][0]["uid"]
    assert other["nodes"][0]["pod_cidrs"] == first["nodes"][0]["pod_cidrs"]


@EVERY_DEMO
def test_all_ages_follow_the_clock(name: str) -> None:
    earlier, later = demo(name), simulated.build(name, NOW + 86_400)
    assert [b.created - a.created for a, b in zip(earlier.nodes, later.nodes, strict=True) if a.created and b.created] == [
        86_400.0
    ] * len(earlier.nodes)
    assert all((node.created or 0) < NOW for node in earlier.nodes)
    assert all(writer.at is not None and writer.at <= NOW for node in earlier.nodes for writer in node.writers)
    assert all(
        event.first is not None and event.last is not None and event.first <= event.last <= NOW for event in earlier.events
    )


@EVERY_DEMO
def test_every_object_belongs_to_the_cluster(name: str) -> None:
    snapshot = demo(name)
    nodes = {node.name: node for node in snapshot.nodes}
    assert {pod.node for pod in snapshot.pods} <= set(nodes)
    assert {pod.node for pod in snapshot.flannel_pods} == set(nodes)
    assert {lease.name for lease in snapshot.leases if lease.namespace == "kube-node-lease"} == set(nodes)
    assert sum(node.name.startswith("cp") for node in snapshot.nodes) == 3
    uids = [*(n.uid for n in snapshot.nodes), *(p.uid for p in snapshot.pods), *(d.uid for d in snapshot.daemonsets)]
    assert max(Counter(uids).values()) == 1
    assert max(Counter((pod.namespace, pod.name) for pod in snapshot.pods).values()) == 1
    assert max(Counter(node.internal_ips for node in snapshot.nodes).values()) == 1
    known = {(pod.namespace, pod.name, pod.uid) for pod in snapshot.pods} | {("default", n.name, n.uid) for n in snapshot.nodes}
    assert {(event.namespace, event.name, event.uid) for event in snapshot.events} <= known


@EVERY_DEMO
def test_every_pod_has_its_address_from_where_it_runs(name: str) -> None:
    snapshot = demo(name)
    nodes = {node.name: node for node in snapshot.nodes}
    assert [pod.name for pod in snapshot.pods if not fits(pod, nodes[pod.node])] == []


def fits(pod: Pod, node: Node) -> bool:
    if pod.host_network:
        return pod.ips == node.internal_ips
    if not node.pod_cidrs:
        return pod.ips == ()
    prefix, address = cidr.parse(node.pod_cidrs[0]), cidr.parse_address(pod.ips[0])
    return prefix is not None and address is not None and cidr.holds(prefix, *address)


@EVERY_DEMO
def test_a_node_announces_what_its_flannel_pod_runs(name: str) -> None:
    snapshot = demo(name)
    for pod, node in zip(snapshot.flannel_pods, snapshot.nodes, strict=True):
        said = read(node)
        assert pod.detail is not None
        state = pod.detail.statuses[-1].state
        assert (said.member, state) in {(True, "running"), (False, "waiting")}
        assert bool(node.pod_cidrs) == said.member
        assert said.data.absent == (said.backend_type != "vxlan")


def test_a_demo_is_read_like_a_cluster_nodes_page_by_page() -> None:
    source = SimulatedSource(demo("twins"))
    told = list(collect(source, Snapshot(), threading.Event()))
    grown = [event for event in told if isinstance(event, Grown)]
    sizes = [len(event.snapshot.nodes) for event in grown if event.topic is Topic.NODES]
    assert sizes == [PAGE, 2 * PAGE, 300]
    assert [event.read for event in told if isinstance(event, TopicProgress)] == [PAGE, 2 * PAGE]
    assert not grown[1].snapshot.has(Topic.NODES)
    assert [event.topic for event in told if isinstance(event, TopicDone)] == list(IN_API)
    assert msgspec.to_builtins(grown[-1].snapshot) == msgspec.to_builtins(source.held)


def test_reading_again_changes_nothing() -> None:
    source = SimulatedSource(demo("healthy"))
    once = snapshot_of(source, Snapshot())
    again = snapshot_of(source, once)
    assert msgspec.to_builtins(again) == msgspec.to_builtins(once)


def snapshot_of(source: SimulatedSource, known: Snapshot) -> Snapshot:
    snapshot = known
    for event in collect(source, known, threading.Event()):
        if isinstance(event, (Grown, GapFound)):
            snapshot = event.snapshot
    return snapshot


def test_what_a_snapshot_could_not_read_is_told_and_what_it_never_read_is_not_offered() -> None:
    held = demo("healthy")
    readings = {topic: reading for topic, reading in held.readings.items() if topic not in (Topic.PODS, Topic.EVENTS)}
    gap = Gap(Topic.PODS, "forbidden", verb="list", resource="pods")
    source = SimulatedSource(msgspec.structs.replace(held, readings=readings, gaps=(gap,)))
    assert Topic.EVENTS not in source.topics()
    told = list(collect(source, Snapshot(), threading.Event()))
    assert [event.gap for event in told if isinstance(event, GapFound)] == [gap]
    assert not any(isinstance(event, Grown) and event.topic is Topic.PODS for event in told)


def test_what_is_missing_stays_said_however_often_it_is_read() -> None:
    held = demo("healthy")
    gaps = (Gap(Topic.NODES, "one Node could not be read", node="w7"), Gap(Topic.EVENTS, "an event could not be read"))
    source = SimulatedSource(msgspec.structs.replace(held, gaps=gaps))
    once = snapshot_of(source, Snapshot())
    again = snapshot_of(source, once)
    assert (set(once.gaps), len(once.gaps)) == (set(gaps), 2)
    assert (set(again.gaps), len(again.gaps)) == (set(gaps), 2)


def test_a_demo_reads_the_pods_that_were_asked_for() -> None:
    none = open_source(Settings(demo="twins", pods="none"))
    assert Topic.PODS not in none.topics()
    suspect = open_source(Settings(demo="twins", pods="suspect"))
    assert isinstance(suspect, SimulatedSource)
    taken = snapshot_of(suspect, Snapshot())
    twins = {f"w{number:03d}" for number in (*range(31, 41), *range(231, 241))}
    assert {pod.node for pod in taken.pods} == {*twins, "w045", *(f"w{number}" for number in range(251, 256))}
    assert taken.readings[Topic.PODS].scope == "suspect"


def test_a_gate_holds_a_topic_back_until_the_test_lets_it_go() -> None:
    reached, opened = threading.Event(), threading.Event()

    def gate(topic: Topic) -> None:
        if topic is Topic.PODS:
            reached.set()
            assert opened.wait(10)

    done: list[Topic] = []
    source = SimulatedSource(demo("healthy"), gate)

    def run() -> None:
        for event in collect(source, Snapshot(), threading.Event()):
            if isinstance(event, TopicDone):
                done.append(event.topic)  # noqa: PERF401  (what is done so far must be seen while it goes on)

    reader = threading.Thread(target=run)
    reader.start()
    assert reached.wait(10)
    held_back = Topic.PODS not in done
    opened.set()
    reader.join(10)
    assert held_back
    assert done == list(IN_API)


def test_watching_a_demo_ends_when_it_is_stopped_and_tells_nothing() -> None:
    stop = threading.Event()
    stop.set()
    assert list(follow(SimulatedSource(demo("healthy")), Snapshot(), stop)) == []


def test_a_stopped_reading_ends_at_once() -> None:
    stop = threading.Event()
    told = []
    for event in collect(SimulatedSource(demo("twins")), Snapshot(), stop):
        told.append(event)
        if isinstance(event, TopicProgress):
            stop.set()
    assert not any(isinstance(event, Grown) and event.topic is Topic.PODS for event in told)


def test_a_demo_starts_without_the_kubernetes_client() -> None:
    code = (
        "import sys; from flannelscope.session import Settings, open_source; open_source(Settings(demo='twins'));"
        "sys.exit(any(name.split('.')[0] in ('kubernetes', 'yaml', 'urllib3') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
