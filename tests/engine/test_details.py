"""What screens about kernels show: made on request, from the same facts as the findings."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope import changes
from flannelscope.changes import followed, noticed
from flannelscope.details import all_details
from flannelscope.details.followed import what
from flannelscope.facts import Facts
from flannelscope.judge import judge
from flannelscope.model import Gap, Kernel, NodeChange, Said, Snapshot, Topic
from flannelscope.node_views import (
    AnyDetail,
    CellView,
    FollowedView,
    MeshView,
    NodeSaysView,
    OutliersView,
    PairState,
    RawView,
)
from tests.engine.builders import NOW, fleet, healthy
from tests.engine.kernels import changed, instead, kernel, on, route_to, seen, sweep, with_sweep, without

W1, W2, W3 = fleet(3)


def shown(name: str, taken: Snapshot, *about: str) -> AnyDetail | None:
    facts = Facts(taken)
    return all_details()[name].make(facts, judge(facts), about)


def world() -> Snapshot:
    return seen(healthy([W1, W2, W3]))


def test_every_detail_is_found_by_its_name() -> None:
    assert set(all_details()) == {"mesh", "cell", "node-says", "raw", "outliers", "followed"}


def test_the_mesh_of_a_healthy_cluster_is_right_everywhere() -> None:
    told = shown("mesh", world())
    assert isinstance(told, MeshView)
    assert told.names == ("w001", "w002", "w003")
    states = [PairState(state) for state in told.states]
    assert [states[place] for place in (0, 4, 8)] == [PairState.SELF] * 3
    assert set(states) == {PairState.SELF, PairState.OK}


def test_a_missing_route_stands_in_the_row_of_the_kernel_that_lacks_it() -> None:
    told = shown("mesh", changed(world(), "w001", routes=without(route_to("10.244.2.0/24"))))
    assert isinstance(told, MeshView)
    assert PairState(told.states[1]) is PairState.MISSING
    assert PairState(told.route[1]) is PairState.MISSING
    assert PairState(told.neighbour[1]) is PairState.OK
    assert PairState(told.states[3]) is PairState.OK  # w2's kernel towards w1


def test_where_nobody_looked_the_mesh_says_so_and_shows_nothing() -> None:
    told = shown("mesh", healthy([W1, W2]))
    assert isinstance(told, MeshView)
    assert not told.names
    assert "--ssh" in told.note


def test_a_pair_tells_wanted_and_found_and_the_commands() -> None:
    told = shown("cell", changed(world(), "w001", routes=without(route_to("10.244.2.0/24"))), "w001", "w002")
    assert isinstance(told, CellView)
    entry = next(entry for entry in told.entries if entry.kind == "route")
    assert PairState(entry.state) is PairState.MISSING
    assert "10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink" in entry.wanted
    assert entry.shows.startswith("ip route get")
    assert entry.mends[0].startswith("ip route replace 10.244.2.0/24")
    assert "w001 towards w002: route wanted" in told.said


def test_there_is_no_pair_with_who_is_no_member() -> None:
    assert shown("cell", world(), "w001", "w9") is None


def test_a_node_shows_its_devices_with_their_addresses() -> None:
    told = shown("node-says", world(), "w001")
    assert isinstance(told, NodeSaysView)
    assert [tab.name for tab in told.tabs] == ["Interfaces", "Routes", "Neighbours/FDB", "Firewall", "Flannel"]
    devices = told.tabs[0].tables[0]
    tunnel = next(line for line in devices.lines if line.cells[0] == "flannel.1")
    assert "10.244.1.0/32" in tunnel.cells[5]
    assert "VNI 1 port 8472" in tunnel.cells[6]


def test_what_a_probe_did_not_learn_is_told_in_place_of_its_table() -> None:
    taken = world()
    assert taken.sweep is not None
    dumb = replace(taken.sweep.kernels["w001"], facts={}, missing={"links": "ip: not found"})
    taken = replace(taken, sweep=replace(taken.sweep, kernels={**taken.sweep.kernels, "w001": dumb}), second_sweep=None)
    told = shown("node-says", taken, "w001")
    assert isinstance(told, NodeSaysView)
    assert told.tabs[0].tables[0].note == "not known: ip: not found"


def test_of_a_node_that_did_not_answer_the_reason_is_shown() -> None:
    taken = healthy([W1, W2], gaps=[Gap(Topic.KERNELS, "connection refused", node="w002")])
    taken = with_sweep(taken, sweep([W1, W2], [kernel(W1, [W1, W2])]))
    told, raw = shown("node-says", taken, "w002"), shown("raw", taken, "w002")
    assert isinstance(told, NodeSaysView) and told.missing == "connection refused"
    assert isinstance(raw, RawView) and raw.missing == "connection refused"


def test_raw_is_what_the_node_said_without_what_moves_a_cursor() -> None:
    taken = world()
    assert taken.sweep is not None
    loud = replace(taken.sweep.kernels["w001"], raw={"routes": Said(command="ip route", output=b"one\n\x1b[2Jtwo\n", status=0)})
    taken = replace(taken, sweep=replace(taken.sweep, kernels={**taken.sweep.kernels, "w001": loud}), second_sweep=None)
    told = shown("raw", taken, "w001")
    assert isinstance(told, RawView)
    (section,) = told.sections
    assert section.output.split("\n")[0] == "one"
    assert "\x1b" not in section.output


def test_the_odd_node_stands_first() -> None:
    told = shown("outliers", changed(world(), "w002", links=instead(lambda link: link.name == "flannel.1", mtu=1400)))
    assert isinstance(told, OutliersView)
    first = told.lines[0]
    assert first.fact == "tunnel MTU"
    assert [(group.value, group.nodes, group.count) for group in first.groups] == [
        ("flannel.1 1400", "w002", 1),
        ("flannel.1 1450", "w001 w003", 2),
    ]


def test_a_fact_nobody_told_makes_no_group() -> None:
    told = shown("outliers", changed(world(), "w002", links=None, addresses=None))
    assert isinstance(told, OutliersView)
    line = next(line for line in told.lines if line.fact == "tunnel MTU")
    assert line.unread == "w002"
    assert [group.count for group in line.groups] == [2]


def test_a_change_is_what_other_kernels_have_to_follow_and_nothing_else() -> None:
    moved = replace(W2, uid="another", pod_cidrs=("10.244.9.0/24",))
    ready = replace(W3, ready="False", resource_version="2")
    assert [change.name for change in noticed([W1, W2, W3], [W1, moved, ready], NOW)] == ["w002"]
    assert what(noticed([W1], [], NOW)[0]) == "is gone; it held 10.244.1.0/24"
    assert what(noticed([], [W1], NOW)[0]) == "came with podCIDR 10.244.1.0/24"


def test_who_still_has_entries_of_a_node_that_is_gone_has_not_followed() -> None:
    taken = world()  # all three were there when the kernels were read
    assert taken.sweep is not None
    at = taken.sweep.begun - 60
    tunnel = without(on("flannel.1"))
    two = replace(taken, nodes=(W1, W2))
    after = changed(two, "w001", routes=without(route_to("10.244.3.0/24")), neighbours=tunnel, fdb=tunnel)
    found = followed(Facts(after), NodeChange(at, "w003", W3, None))
    assert (found.followed, found.lacking, found.unknown) == (("w001",), ("w002",), ())


@pytest.mark.parametrize("lost", ["routes", "neighbours", "fdb"])
def test_a_kernel_of_which_a_table_was_not_read_has_neither_followed_nor_not(lost: str) -> None:
    taken = world()
    assert taken.sweep is not None
    tunnel = without(on("flannel.1"))
    tables: dict[str, Any] = {"routes": without(route_to("10.244.3.0/24")), "neighbours": tunnel, "fdb": tunnel}
    after = changed(replace(taken, nodes=(W1, W2)), "w001", **{**tables, lost: None})
    gone = NodeChange(taken.sweep.begun - 60, "w003", W3, None)
    found = followed(Facts(after), gone)
    assert (found.followed, found.lacking, found.unknown) == ((), ("w002",), ("w001",))

    told = shown("followed", replace(after, changes=(gone,)))
    assert isinstance(told, FollowedView)
    assert (told.lines[0].followed, told.lines[0].read, told.lines[0].unknown, told.lines[0].doubtful) == (0, 1, "w001", 1)


def test_what_was_seen_to_be_left_is_lacking_whatever_else_was_not_read() -> None:
    taken = world()
    assert taken.sweep is not None
    after = changed(replace(taken, nodes=(W1, W2)), "w001", neighbours=None, fdb=None)
    assert followed(Facts(after), NodeChange(taken.sweep.begun - 60, "w003", W3, None)).lacking == ("w001", "w002")


def test_a_kernel_whose_fdb_was_not_read_is_not_said_to_lack_a_new_node() -> None:
    taken = changed(world(), "w001", fdb=None)
    assert taken.sweep is not None
    found = followed(Facts(taken), NodeChange(taken.sweep.begun - 60, "w003", None, W3))
    assert (found.followed, found.lacking, found.unknown) == (("w002",), (), ("w001",))


def test_each_kernel_is_gone_through_once_for_all_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drain of a hundred nodes is a hundred changes, and each is looked up in every kernel."""
    seen: list[str] = []
    of = changes._of

    def counted(kernel: Kernel) -> object:
        seen.append(kernel.node)
        return of(kernel)

    monkeypatch.setattr(changes, "_of", counted)
    taken = world()
    assert taken.sweep is not None
    facts = Facts(replace(taken, nodes=(W1, W2)))
    for _ in range(5):
        followed(facts, NodeChange(taken.sweep.begun - 60, "w003", W3, None))
    assert seen == ["w001", "w002"]


def test_a_kernel_that_was_read_before_the_change_tells_nothing_of_it() -> None:
    taken = world()
    assert taken.second_sweep is not None
    later = replace(taken, changes=(NodeChange(NOW + 60, "w003", None, W3),))
    told = shown("followed", later)
    assert isinstance(told, FollowedView)
    assert (told.lines[0].read, told.lines[0].of) == (0, 2)


def test_who_has_no_way_to_a_new_node_has_not_followed() -> None:
    taken = changed(world(), "w001", fdb=without(on("flannel.1")))
    assert taken.sweep is not None
    found = followed(Facts(taken), NodeChange(taken.sweep.begun - 60, "w003", None, W3))
    assert found.lacking == ("w001",)
