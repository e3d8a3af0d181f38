"""Nodes that answer: whether it is they, whether it is an answer, what is kept of it, what stands while they are read anew."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence

import pytest
from msgspec.structs import replace

from flannelscope.collect import collect
from flannelscope.events import Grown
from flannelscope.following import Following
from flannelscope.model import Gap, Node, Said, Snapshot, Topic
from flannelscope.present import coverage
from flannelscope.probes import iptables
from flannelscope.questions import Answer as Reply
from flannelscope.questions import Question
from flannelscope.sources import Answer, eyes
from flannelscope.sources.kept import Kept, shortened
from flannelscope.sources.ssh.values import Answered, Failed, Host, Target
from tests.engine.builders import fleet
from tests.engine.kernels import kernel
from tests.engine.test_eyes import NODES, RECORDED, Api, FakeFleet, answer, gathered, hop, node_gaps, seeing

# Whether it is the Node that answers.

OLD = "name w1\nboot 11111111-1111-4111-8111-111111111111\nmachine 11111111111111111111111111111112\n"
NEW = OLD.replace("w1", "w2").replace("1111111", "2222222")


def told_of(node: Node, machine: str) -> Node:
    """The Node as the kubelet of that machine reports it."""
    words = dict(line.split() for line in machine.splitlines())
    return replace(node, machine_id=words["machine"], boot_id=words["boot"])


def saying(monkeypatch: pytest.MonkeyPatch, said: Mapping[str, str]) -> FakeFleet:
    """A fleet whose machines say this of themselves."""
    monkeypatch.setattr("secrets.token_hex", lambda size: "0badc0de")
    return FakeFleet({}, {node: answer("0badc0de", machine=machine) for node, machine in said.items()})


def test_a_machine_that_is_another_than_the_node_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = gathered(seeing(Api((told_of(NODES[0], OLD), *NODES[1:])), saying(monkeypatch, {"w1": NEW})))

    assert snapshot.sweep is not None and "w1" not in snapshot.sweep.kernels
    assert node_gaps(snapshot)["w1"].startswith("another machine answered at its address: machine-id 2222222")


@pytest.mark.parametrize(
    "machine",
    [
        "",
        OLD,
        OLD.replace("boot 1", "boot 3"),  # it started anew, and its Node does not show that yet
        OLD.replace("machine 1", "machine 3"),  # a kubelet in a container has a machine-id of its own, and the same kernel
        NEW.replace("machine", "other"),  # no machine-id there
        "name w9\nboot \n",
    ],
)
def test_what_is_not_known_to_differ_is_the_node(monkeypatch: pytest.MonkeyPatch, machine: str) -> None:
    snapshot = gathered(seeing(Api((told_of(NODES[0], OLD), *NODES[1:])), saying(monkeypatch, {"w1": machine})))
    assert node_gaps(snapshot) == {}


def test_of_two_nodes_with_one_address_only_that_of_the_machine_is_judged_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old Node object stays when its address is given to a new machine."""
    twins = told_of(NODES[0], OLD), replace(told_of(NODES[1], NEW), internal_ips=NODES[0].internal_ips)
    snapshot = gathered(seeing(Api(twins), saying(monkeypatch, {"w1": NEW, "w2": NEW})))

    assert snapshot.sweep is not None and snapshot.sweep.kernels.keys() == {"w2"}
    assert "another machine answered" in node_gaps(snapshot)["w1"]


def test_of_two_nodes_with_one_address_neither_is_judged_where_nothing_tells_them_apart() -> None:
    twins = NODES[0], replace(NODES[1], internal_ips=NODES[0].internal_ips)
    snapshot = gathered(seeing(Api(twins), FakeFleet()))

    assert snapshot.sweep is not None and not snapshot.sweep.kernels
    shared = "its InternalIP 198.51.100.1 is that of w2 too"
    assert node_gaps(snapshot)["w1"] == f"{shared}: which of their machines answered is not known"


def test_the_name_of_the_machine_tells_nodes_with_one_address_apart_where_nothing_better_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    twins = NODES[0], replace(NODES[1], internal_ips=NODES[0].internal_ips)
    snapshot = gathered(seeing(Api(twins), saying(monkeypatch, {"w1": NEW, "w2": NEW})))

    assert snapshot.sweep is not None and snapshot.sweep.kernels.keys() == {"w2"}
    assert node_gaps(snapshot)["w1"].endswith("and it was the machine of w2 that answered")


def test_a_machine_with_the_address_of_another_node_and_not_its_own_is_that_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    said = (RECORDED / "addresses/vxlan.json").read_bytes()
    own = next(ip for ip in re.findall(rb'"local":"([0-9.]+)"', said) if ip != b"127.0.0.1")
    other = replace(NODES[1], internal_ips=(own.decode(),))
    snapshot = gathered(seeing(Api((NODES[0], other)), FakeFleet()))

    assert snapshot.sweep is not None and snapshot.sweep.kernels.keys() == {"w2"}
    assert node_gaps(snapshot)["w1"] == "the machine that answered has the InternalIP of w2, and not this Node's"


class Direct(FakeFleet):
    """Nodes are dialled from here, at their InternalIP."""

    def targets(self, hosts: Sequence[Host]) -> tuple[list[Target], list[Failed]]:
        """Without a jump host."""
        return [Target(node=host.node, route=(hop(host.address, "ops"),)) for host in hosts], []


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "169.254.0.7", "fe80::1", "224.0.0.1", "0.0.0.0"])
def test_what_is_no_address_of_a_machine_is_not_dialled(address: str) -> None:
    fleet = Direct()
    snapshot = gathered(seeing(Api((replace(NODES[0], internal_ips=(address,)), *NODES[1:])), fleet))

    assert fleet.runs == [("w2", "w3", "w4")]
    assert node_gaps(snapshot)["w1"].startswith(f"its InternalIP {address} is ")


def test_an_address_of_this_machine_is_not_dialled_for_another_node(monkeypatch: pytest.MonkeyPatch) -> None:
    from flannelscope.sources import this_machine

    monkeypatch.setattr(this_machine, "owns", lambda address: address == "198.51.100.1")
    fleet = Direct()

    assert "is an address of this machine" in node_gaps(gathered(seeing(Api(), fleet)))["w1"]
    assert fleet.runs == [("w2", "w3", "w4")]


# What counts as an answer.


def test_a_node_of_which_nothing_could_be_read_has_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: "0badc0de")
    fleet = FakeFleet({}, {"w1": answer("0badc0de", basics=()), "w2": b"\n0badc0de ^ 0\n"})
    snapshot = gathered(seeing(Api(), fleet))

    assert snapshot.sweep is not None and snapshot.sweep.kernels.keys() == {"w3", "w4"}
    assert node_gaps(snapshot)["w1"] == "nothing of its network could be read: not installed there, or not usable: a-program"
    assert "the answer ended before it came" in node_gaps(snapshot)["w2"]
    assert snapshot.readings[Topic.KERNELS].answered == 2


def test_a_node_without_its_routes_is_looked_at_and_has_not_answered_wholly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: "0badc0de")
    fleet = FakeFleet({}, {"w1": answer("0badc0de", basics=("links", "addresses", "rules", "neighbours", "fdb"))})
    snapshot = gathered(seeing(Api(), fleet))

    assert snapshot.sweep is not None and "w1" in snapshot.sweep.kernels
    assert node_gaps(snapshot) == {"w1": "routes: not installed there, or not usable: a-program"}
    assert snapshot.readings[Topic.KERNELS].answered == 3


def test_the_coverage_says_how_many_were_read_without_what_needs_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: "0badc0de")
    snapshot = gathered(seeing(Api(), FakeFleet({}, {"w2": answer("0badc0de", "iptables", "nft")})))
    line = next(line for line in coverage(snapshot) if line.topic == "kernels")

    assert line.scope == "1 of 4 without what needs root"


# Leave, time, and who uses the connections.


def test_this_machine_too_is_looked_at_only_with_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    from flannelscope.sources import this_machine

    def must_not_run(*arguments: object) -> Answered:
        raise AssertionError("the script ran here without leave")

    monkeypatch.setattr(this_machine, "owns", lambda address: True)
    monkeypatch.setattr("socket.gethostname", lambda: "w1")
    monkeypatch.setattr(this_machine, "run", must_not_run)
    source = seeing(Api(NODES[:1]), FakeFleet(), asks=True)
    asked: list[str] = []
    for event in collect(source, Snapshot(), threading.Event()):
        if isinstance(event, Question):
            asked.append(event.text)
            source.login.questions.answers.put(Reply(event.id, "no"))

    assert len(asked) == 1 and "This machine is looked at without a login: w1" in asked[0]


def test_a_configuration_that_does_not_answer_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Match exec may run a program that waits for ever."""
    never = threading.Event()

    class Stuck(FakeFleet):
        def targets(self, hosts: Sequence[Host]) -> tuple[list[Target], list[Failed]]:
            never.wait()
            return [], []

    monkeypatch.setattr(eyes, "RESOLVED", 0.1)
    snapshot = gathered(seeing(Api(), Stuck()))
    never.set()

    assert node_gaps(snapshot) == dict.fromkeys(("w1", "w2", "w3", "w4"), eyes.NOT_RESOLVED)


def test_two_sweeps_do_not_use_the_connections_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from flannelscope.sources import login

    monkeypatch.setattr(login, "WAITING", 0.1)
    source = seeing(Api(), FakeFleet())
    assert source.login.alone(threading.Event())

    assert node_gaps(gathered(source)) == dict.fromkeys(("w1", "w2", "w3", "w4"), eyes.BUSY)
    source.login.done()
    assert node_gaps(gathered(source)) == {}


# While it is followed.


def sweeps_told(monkeypatch: pytest.MonkeyPatch, fleet: FakeFleet, *, until: int) -> list[Snapshot]:
    """Each Snapshot that following came to with other kernels than the one before, where w2 is always suspicious."""
    from flannelscope import following as followed_by

    monkeypatch.setattr(eyes, "GATHER", 0.0)
    monkeypatch.setattr(followed_by, "suspects", lambda snapshot: frozenset({"w2"}))
    source = seeing(Api(), fleet)
    known = gathered(source)
    fleet.runs.clear()
    assert source.refresh()
    stop = threading.Event()
    following = Following(source, known, stop, follows=(0.0, 0.0, 0.0), apart=0.0, lag=0.0)
    found: list[Snapshot] = []
    for _ in following.run():
        if not found or found[-1].sweep is not following._snapshot.sweep:
            found.append(following._snapshot)
        if len(fleet.runs) >= until:
            stop.set()
    return found


def test_what_was_known_of_kernels_stands_until_a_new_sweep_and_its_second_look_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise every finding of kernels would vanish with each change in the cluster, and come back half a minute later."""
    told = sweeps_told(monkeypatch, FakeFleet(), until=4)

    assert len(told) >= 2
    for snapshot in told:
        assert snapshot.has(Topic.KERNELS)
        assert snapshot.sweep is not None and len(snapshot.sweep.kernels) == 4
    assert all(snapshot.second_sweep is not None for snapshot in told[1:])


def test_a_whole_reading_anew_shows_the_old_kernels_until_both_new_looks_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from flannelscope import collect as collecting

    monkeypatch.setattr(collecting, "suspects", lambda snapshot: frozenset({"w2"}))
    monkeypatch.setattr(collecting, "APART_KERNELS", 0.0)
    source = seeing(Api(), FakeFleet())
    known = gathered(source)
    old = known.second_sweep
    assert old is not None
    seen = [e.snapshot for e in collect(source, known, threading.Event()) if isinstance(e, Grown)]

    assert all(snapshot.second_sweep is not None for snapshot in seen)
    assert seen[-1].sweep is not known.sweep and seen[-1].second_sweep is not old


def test_a_sweep_that_fails_does_not_end_the_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    source = seeing(Api(), FakeFleet())
    known = gathered(source)
    assert source.refresh()

    def broken(*arguments: object) -> Iterator[Answer]:
        raise ValueError("a parser met what it did not know")

    monkeypatch.setattr(source, "sweep", broken)
    stop = threading.Event()
    gaps = []
    for told in Following(source, known, stop, follows=(0.0,), apart=0.0, lag=0.0).run():
        if isinstance(told, Gap):
            gaps.append(told.reason)
            stop.set()
    assert gaps == ["the nodes could not be read again: ValueError: a parser met what it did not know"]


# What is kept of the answers.


def saves(rules: int) -> Said:
    """Rules of iptables-nft-save of IPv4, and of the others that they are not installed."""
    body = b"*nat\n" + b"-A KUBE-SERVICES -j KUBE-SVC-AAAAAAAAAAAAAAAA\n" * rules + b"COMMIT\n"
    first, *others = iptables.SAVES
    frames = [b"== " + b" ".join(word.encode() for word in first) + b"\n" + body + b"\n== exit 0\n"]
    frames += [b"== " + b" ".join(word.encode() for word in argv) + b"\n== exit 1\n" for argv in others]
    return Said(command="iptables-nft-save", output=b"".join(frames), status=0)


def test_of_a_huge_answer_the_beginning_is_kept_and_how_each_of_its_commands_ended() -> None:
    """Whether rules were refused is read from the answer; it must not depend on how much is kept."""
    whole = saves(100_000)
    kept = shortened(whole, 10_000)

    assert len(kept.output) < 12_000 and kept.cut
    assert kept.output.startswith(b"== iptables-nft-save")
    assert kept.error.endswith("bytes were read and are not kept")
    assert iptables.unseen(kept) == iptables.unseen(whole) != ()


def test_all_answers_of_a_sweep_together_have_a_bound() -> None:
    nodes = fleet(3)
    room = Kept(total=150_000, huge=100_000)
    sizes = []
    for node in nodes:
        told = replace(kernel(node, nodes), raw={"nft": Said(command="nft", output=b"x" * 90_000)})
        sizes.append(len(room.take(told).raw["nft"].output))

    assert sizes == [90_000, 2_000, 2_000]


def test_what_this_machine_said_in_time_is_kept() -> None:
    from flannelscope.sources import this_machine

    said = this_machine.run("w1", b"echo routes; exec sleep 60", 1.0, threading.Event())
    assert isinstance(said, Answered)
    assert (said.output, said.cut, said.status) == (b"routes\n", True, None)
    silent = this_machine.run("w1", b"exec sleep 60", 0.2, threading.Event())
    assert isinstance(silent, Failed) and "did not end on this machine" in silent.reason
