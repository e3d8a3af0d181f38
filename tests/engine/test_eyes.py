"""Nodes read beside the API: what is asked before, what comes in, what fails, and what is read again."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope import suspects
from flannelscope.changes import noticed
from flannelscope.collect import collect
from flannelscope.events import Event, GapFound, Grown, TopicProgress
from flannelscope.following import Following
from flannelscope.model import Gap, Node, Reading, Snapshot, Topic, Value
from flannelscope.present import coverage
from flannelscope.probes import all_probes
from flannelscope.questions import LEAVE, Question, Questions
from flannelscope.questions import Answer as Said
from flannelscope.sources import Answer, Part, Source, eyes
from flannelscope.sources.eyes import Eyes
from flannelscope.sources.login import Login, plan
from flannelscope.sources.ssh.values import Answered, Failed, Host, Policy, Target
from flannelscope.sources.ssh.values import Login as Hop
from flannelscope.ssh_settings import SshSettings

NODES = tuple(Node(name=f"w{n}", uid=str(n), internal_ips=(f"198.51.100.{n}",), os="linux") for n in range(1, 5))


class Api:
    """Nodes from an API; `changes` come while it is followed."""

    kind = "api"

    def __init__(self, nodes: tuple[Node, ...] = NODES) -> None:
        self.nodes = nodes
        self.listed = 0
        self.changes: list[tuple[Node, ...]] = []
        self.go = threading.Event()

    def now(self) -> float:
        """The server's clock stands."""
        return 1000.0

    def topics(self) -> Sequence[Topic]:
        """Nodes alone."""
        return (Topic.NODES,)

    def read(self, topic: Topic, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """All Nodes."""
        self.listed += 1
        yield self._part(False)

    def watch(self, known: Snapshot, stop: threading.Event) -> Iterator[Answer]:
        """Changes, one after the other, each when the test lets it."""
        for nodes in self.changes:
            self.go.wait()
            self.nodes = nodes
            yield self._part(True)
        stop.wait()

    def refresh(self) -> bool:
        """Nothing is too old."""
        return True

    def close(self) -> None:
        """Nothing is open."""

    def _part(self, change: bool) -> Part:
        number = len(self.nodes)
        return Part(Topic.NODES, {"nodes": self.nodes}, Reading(at=999.0, asked=number, answered=number), change)


class FakeFleet:
    """Answers as a script would that found nothing to ask; `failing` says who does not, and why."""

    def __init__(self, failing: Mapping[str, str] = {}, odd: Mapping[str, bytes] = {}) -> None:
        self.failing, self.odd = failing, odd
        self.runs: list[tuple[str, ...]] = []
        self.closed = False
        self.asks_again = 0

    def targets(self, hosts: Sequence[Host]) -> tuple[list[Target], list[Failed]]:
        """Everybody with an address, through one bastion."""
        reached = [Target(node=h.node, route=(hop("bastion", "me"), hop(h.address, "ops"))) for h in hosts if h.address]
        return reached, [Failed(node=h.node, reason="It has no InternalIP.") for h in hosts if not h.address]

    def run(
        self, targets: Sequence[Target], script: bytes, *, limit: int, deadline: float, stop: threading.Event
    ) -> Iterator[Answered | Failed | Question]:
        """At once."""
        self.runs.append(tuple(target.node for target in targets))
        nonce = next(line for line in script.decode().splitlines() if line.startswith("N=")).removeprefix("N=")
        for target in targets:
            if target.node in self.failing:
                yield Failed(node=target.node, reason=self.failing[target.node], do="ssh-keyscan it")
                continue
            output = self.odd.get(target.node, answer(nonce))
            fields: dict[str, Any] = {"at": 0.0, "error": "", "status": 0, "seconds": 0.1}
            yield Answered(node=target.node, origin=target.origin, output=output, **fields)

    def ask_again(self) -> None:
        """Count it."""
        self.asks_again += 1

    def close(self) -> None:
        """Remember it."""
        self.closed = True


RECORDED = Path(__file__).resolve().parents[1] / "data" / "probes"
BASICS = ("links", "addresses", "routes", "rules", "neighbours", "fdb")


def answer(nonce: str, *refused: str, machine: str = "", basics: tuple[str, ...] = BASICS) -> bytes:
    """A whole answer with the network of a real node, in which nothing else is installed, and these probes were refused.

    `machine` is what its probe prints.
    """
    told = {name: (RECORDED / name / "vxlan.json").read_bytes() for name in basics}
    told |= {"machine": machine.encode()} if machine else {}
    others = (name for name in all_probes() if name not in told)
    asked = [f"\n{nonce} - {name} {'sudo' if name in refused else 'missing a-program'}\n" for name in others]
    ran = [f"\n{nonce} + {name} 0\n".encode() + said + f"\n{nonce} = 0\n".encode() for name, said in told.items()]
    return b"".join((f"\n{nonce} ^ 0\n".encode(), *ran, "".join(asked).encode(), f"\n{nonce} !\n\n{nonce} .\n".encode()))


def hop(host: str, user: str) -> Hop:
    return Hop(alias=host, host=host, port=22, user=user, known_as=(host,), policy=Policy())


def seeing(api: Api, fleet: FakeFleet, *, asks: bool = False, patience: float = 10.0) -> Eyes:
    return Eyes(api, Login(SshSettings(), Questions(asks=asks, patience=patience), fleet))


def gathered(source: Source, events: list[Event] | None = None) -> Snapshot:
    """What a whole reading comes to."""
    snapshot = Snapshot()
    for event in collect(source, Snapshot(), threading.Event()):
        if events is not None:
            events.append(event)
        if isinstance(event, (Grown, GapFound)):
            snapshot = event.snapshot
    return snapshot


def node_gaps(snapshot: Snapshot) -> dict[str, str]:
    return {gap.node: gap.reason for gap in snapshot.gaps if gap.topic is Topic.KERNELS}


def test_every_node_answers_and_the_nodes_are_read_again_afterwards() -> None:
    api = Api()
    snapshot = gathered(seeing(api, FakeFleet()))

    assert snapshot.sweep is not None
    assert snapshot.sweep.kernels.keys() == {"w1", "w2", "w3", "w4"}
    assert snapshot.sweep.after is not None and snapshot.sweep.after.keys() == snapshot.sweep.before.keys()
    assert (snapshot.sweep.begun, api.listed, snapshot.gaps) == (1000.0, 2, ())
    assert snapshot.sweep.kernels["w1"].origin == "ssh ops@198.51.100.1 via bastion"


def test_a_node_that_does_not_answer_is_a_gap_with_what_helps_and_the_others_are_there() -> None:
    fleet = FakeFleet({"w2": "Its host key changed: SHA256:abc."}, {"w3": b"motd\nThis account is currently not available.\n"})
    nodes = (*NODES[:3], replace(NODES[3], internal_ips=()))
    snapshot = gathered(seeing(Api(nodes), fleet))

    assert node_gaps(snapshot)["w2"] == "Its host key changed: SHA256:abc. ssh-keyscan it"
    assert "This account is currently not available" in node_gaps(snapshot)["w3"]
    assert node_gaps(snapshot)["w4"] == "It has no InternalIP."
    line = next(line for line in coverage(snapshot) if line.topic == "kernels")
    assert (line.asked, line.answered, len(line.missing)) == (4, 1, 3)


def test_probes_that_are_refused_are_one_gap_of_that_node_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = FakeFleet({}, {"w2": answer("0badc0de", "iptables", "nft")})
    monkeypatch.setattr("secrets.token_hex", lambda size: "0badc0de")
    snapshot = gathered(seeing(Api(), fleet))

    assert node_gaps(snapshot) == {"w2": "iptables, nft: it needs root, and sudo is not installed there"}
    line = next(line for line in coverage(snapshot) if line.topic == "kernels")
    assert (line.asked, line.answered) == (4, 4)


def test_windows_nodes_are_not_asked_and_the_coverage_says_so() -> None:
    fleet = FakeFleet()
    snapshot = gathered(seeing(Api((*NODES[:2], replace(NODES[2], os="windows"))), fleet))

    assert fleet.runs == [("w1", "w2")]
    line = next(line for line in coverage(snapshot) if line.topic == "kernels")
    assert (line.asked, line.answered, line.scope) == (2, 2, "1 Windows node told of by the API alone")


def test_what_will_be_done_is_said_before_it_is_done_and_only_once() -> None:
    source, events = seeing(Api(), FakeFleet()), list[Event]()
    gathered(source, events)
    asked = [event for event in events if isinstance(event, Question)]

    assert [question.kind for question in asked] == [LEAVE]
    assert "4 nodes will be logged in to over SSH: w[1-4]" in asked[0].text
    assert "as ops; 4 through bastion" in asked[0].text
    assert "sudo -n" in asked[0].text and "flannelscope ssh script" in asked[0].text
    again = list[Event]()
    gathered(source, again)
    assert not [event for event in again if isinstance(event, Question)]


@pytest.mark.parametrize(
    ("answer", "runs", "reason"),
    [("yes", 1, ""), ("no", 0, eyes.DECLINED), (None, 0, eyes.UNANSWERED)],
)
def test_where_somebody_can_be_asked_nothing_is_dialled_without_leave(answer: str | None, runs: int, reason: str) -> None:
    fleet = FakeFleet()
    source = seeing(Api(), fleet, asks=True)
    gaps: list[Gap] = []
    for event in collect(source, Snapshot(), threading.Event()):
        if isinstance(event, Question):
            assert fleet.runs == []
            source.login.questions.answers.put(Said(event.id, answer))
        elif isinstance(event, GapFound):
            gaps.append(event.gap)

    assert len(fleet.runs) == runs
    assert [gap.reason for gap in gaps] == ([reason] if reason else [])


def test_leave_that_was_refused_is_not_asked_for_again_in_this_session() -> None:
    fleet = FakeFleet()
    source = seeing(Api(), fleet, asks=True)
    source.login.given = False
    events: list[Event] = []

    assert node_gaps(gathered(source, events)) == {"": eyes.DECLINED}
    assert not [event for event in events if isinstance(event, Question)]


def test_what_is_suspicious_is_read_a_second_time_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    from flannelscope import collect as collecting

    monkeypatch.setattr(collecting, "suspects", lambda snapshot: frozenset({"w2"}))
    monkeypatch.setattr(collecting, "APART_KERNELS", 0.0)
    fleet = FakeFleet()
    snapshot = gathered(seeing(Api(), fleet))

    assert fleet.runs == [("w1", "w2", "w3", "w4"), ("w2",)]
    assert snapshot.sweep is not None and len(snapshot.sweep.kernels) == 4
    assert snapshot.second_sweep is not None and snapshot.second_sweep.kernels.keys() == {"w2"}
    assert snapshot.readings[Topic.KERNELS].answered == 4


def test_a_node_that_is_silent_in_the_second_reading_is_said_to_be_and_keeps_what_it_said_in_the_first() -> None:
    known = gathered(seeing(Api(), FakeFleet()))
    answers = list(seeing(Api(), FakeFleet({"w2": "It does not answer."})).sweep(["w2"], known, threading.Event()))

    assert [a.reason for a in answers if isinstance(a, Gap)] == ["when read a second time: It does not answer. ssh-keyscan it"]
    part = next(a for a in answers if isinstance(a, Part) and a.topic is Topic.KERNELS)
    assert part.change and "sweep" not in part.fields and part.fields["second_sweep"].kernels == {}


def test_nothing_is_suspicious_before_a_sweep() -> None:
    assert suspects.suspects(Snapshot()) == frozenset()


class Watched(Value, frozen=True):
    """What came of following: the sweeps by their nodes, in order."""

    runs: list[tuple[str, ...]]
    snapshot: Snapshot


def followed(api: Api, fleet: FakeFleet, until: int, refresh: bool = False) -> Watched:
    """Follow until so many sweeps have been made."""
    stop = threading.Event()
    source = seeing(api, fleet)
    known = gathered(source)
    fleet.runs.clear()
    following = Following(source, known, stop, follows=(0.0, 0.0, 0.0), apart=0.0, lag=0.0)
    api.go.set()
    if refresh:
        assert source.refresh()
    for answer in following.run():
        if isinstance(answer, Part) and answer.topic is Topic.KERNELS and answer.reading.complete and len(fleet.runs) >= until:
            stop.set()
    return Watched(list(fleet.runs), following._snapshot)


def test_after_a_node_came_all_kernels_are_read_again_at_growing_distances() -> None:
    api = Api()
    api.changes = [(*NODES, Node(name="w5", uid="5", internal_ips=("198.51.100.5",), os="linux"))]
    seen = followed(api, FakeFleet(), until=2)

    assert seen.runs[:2] == [("w1", "w2", "w3", "w4", "w5")] * 2
    assert seen.snapshot.sweep is not None and "w5" in seen.snapshot.sweep.kernels


def test_r_reads_the_kernels_again_too() -> None:
    fleet = FakeFleet()
    assert followed(Api(), fleet, until=1, refresh=True).runs == [("w1", "w2", "w3", "w4")]
    assert fleet.asks_again == 1, "and what was declined may be asked for again"


def test_a_heartbeat_is_no_reason_to_read_kernels() -> None:
    beating = tuple(replace(node, resource_version="9", ready_since=5.0) for node in NODES)
    assert noticed(NODES, beating, 1.0) == ()


def test_nor_is_somebody_who_locks_a_node() -> None:
    locked = replace(NODES[0], annotations={**NODES[0].annotations, "weave.works/kured-node-lock": "w1"})
    assert noticed(NODES, (locked, *NODES[1:]), 1.0) == ()


def test_progress_counts_those_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eyes, "GATHER", 0.0)
    events: list[Event] = []
    gathered(seeing(Api(), FakeFleet({"w2": "No."})), events)

    assert [e.read for e in events if isinstance(e, TopicProgress)] == [1, 2, 3, 4]
    partial = [e for e in events if isinstance(e, Grown) and e.topic is Topic.KERNELS]
    assert not partial[0].snapshot.has(Topic.KERNELS) and partial[-1].snapshot.has(Topic.KERNELS)


def test_the_node_that_it_runs_on_needs_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Known by its name and its address: another machine may have either."""
    from flannelscope.sources import this_machine

    own, strange = NODES[0], NODES[1]
    monkeypatch.setattr(this_machine, "owns", lambda address: address in (*own.internal_ips, *strange.internal_ips))
    monkeypatch.setattr("socket.gethostname", lambda: f"{own.name}.example.org")
    fleet = FakeFleet()
    snapshot = gathered(seeing(Api(), fleet))

    assert fleet.runs == [("w2", "w3", "w4")]
    assert snapshot.sweep is not None
    kernel = snapshot.sweep.kernels["w1"]
    assert kernel.origin == this_machine.ORIGIN
    assert "lo" in {link.name for link in kernel.facts["links"]}


def test_the_plan_says_what_is_dialled_for_a_name_says_little() -> None:
    """A Node may be called like another machine that known_hosts knows, and have its address."""
    said = plan([Target(node="bastion", route=(hop("192.0.2.7", "ops"),))], ["links"], [])
    assert "bastion" in said
    assert "dialled at 192.0.2.7" in said


def test_the_plan_names_ways_and_folds_names() -> None:
    through, direct = (hop("door", "me"), hop("x", "ops")), (hop("x", "root"),)
    hops = [Target(node=f"w{n}", route=through if n > 3 else direct) for n in range(1, 8)]

    assert "w[1-7]" in plan(hops, ["links", "nft"], ["nft"])
    assert "as ops root; 3 directly, 4 through door" in plan(hops, ["links", "nft"], ["nft"])
    assert "sudo" not in plan(hops, ["links"], [])
