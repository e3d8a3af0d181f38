"""FLN207 and 401 to 423: what is missing in whose kernel, and whom the pattern accuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope.judge import Judgement
from flannelscope.model import FdbEntry, Finding, Neighbour, Node, Route, Severity, Snapshot, Writer
from flannelscope.probes.clock import Clock
from flannelscope.probes.kernel_log import KernelLine
from tests.engine.builders import (
    DAY,
    NOW,
    OLD,
    announced,
    findings,
    flannel_pod,
    fleet,
    healthy,
    judged,
    lease,
    mac_of,
    manager_lease,
    net_conf,
    node,
    running,
    unknowns,
)
from tests.engine.kernels import (
    changed,
    instead,
    on,
    plus,
    route_to,
    seen,
    sweep,
    to_address,
    to_mac,
    with_sweep,
    without,
)

DEVICE = "flannel.1"
MESH = ("FLN207", "FLN401", "FLN402", "FLN403", "FLN404", "FLN405", "FLN418", "FLN421", "FLN423")
Change = Callable[[tuple[Any, ...]], Iterable[Any]]


def world(number: int = 4, **changes: Any) -> Snapshot:
    return seen(healthy(fleet(number), **changes))


def said(taken: Snapshot) -> list[tuple[str, tuple[str, ...]]]:
    """Code and Nodes of all that the checks of kernel entries find."""
    return [(f.code, f.nodes) for f in judged(taken, *MESH).findings]


def only(taken: Snapshot) -> Finding:
    [found] = judged(taken, *MESH).findings
    return found


def lacking(taken: Snapshot, observer: str, peer: str, *, fdb: bool = True) -> Snapshot:
    """The observer has no entry of the peer; without `fdb` the FDB entry is left behind."""
    number = int(peer[1:])
    return changed(
        taken,
        observer,
        routes=without(route_to(f"10.244.{number}.0/24")),
        neighbours=without(to_address(f"10.244.{number}.0")),
        fdb=without(to_mac(mac_of(peer))) if fdb else lambda there: there,
    )


def commands(found: Finding) -> tuple[str, ...]:
    assert found.remedy is not None
    return found.remedy.commands


# FLN401 route-missing


def test_401_a_route_that_somebody_removed() -> None:
    found = only(changed(world(), "w001", routes=without(route_to("10.244.2.0/24"))))
    assert (found.code, found.severity, found.nodes) == ("FLN401", Severity.CRITICAL, ("w001",))
    assert found.summary == "w001 has no route to the pods of w002 (10.244.2.0/24): what goes there is lost."
    assert commands(found) == ("ip route replace 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink  # on w001",)
    assert "wanted: 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink" in found.evidence[0].value
    assert found.evidence[0].command.startswith("ip route get 10.244.2.2; ip route show table all root 10.244.2.0/24")


def test_401_several_peers_of_one_node_are_one_finding() -> None:
    taken = world(8)
    for number in (2, 3):
        taken = changed(taken, "w001", routes=without(route_to(f"10.244.{number}.0/24")))
    found = only(taken)
    assert found.nodes == ("w001",)
    assert "2 nodes: w002 w003" in found.summary


def test_401_one_peer_on_several_nodes_is_one_finding() -> None:
    taken = world(5)
    for name in ("w001", "w002"):
        taken = changed(taken, name, routes=without(route_to("10.244.5.0/24")))
    assert said(taken) == [("FLN401", ("w001", "w002"))]


def dead(taken: Snapshot, name: str) -> Snapshot:
    """The kubelet of a Node fell silent a day ago."""
    nodes = tuple(replace(n, ready="Unknown", ready_since=NOW - DAY) if n.name == name else n for n in taken.nodes)
    assert taken.sweep is not None
    known = {n.name: n for n in nodes}
    made = replace(taken.sweep, before=known, after=known)
    leases = (*(lease(n, ago=DAY if n.name == name else 5.0) for n in nodes), manager_lease())
    return replace(taken, nodes=nodes, leases=leases, sweep=made, second_sweep=made)


def test_401_towards_a_dead_node_is_info_and_its_other_entries_are_not_told() -> None:
    taken = dead(lacking(world(), "w001", "w002"), "w002")
    assert [(f.code, f.severity) for f in findings(taken, *MESH)] == [("FLN401", Severity.INFO)]


def test_401_host_gw() -> None:
    taken = seen(healthy(fleet(4, backend="host-gw"), config_maps=[net_conf(backend={"Type": "host-gw"})]))
    found = only(changed(taken, "w001", routes=without(route_to("10.244.2.0/24"))))
    assert (found.code, found.nodes) == ("FLN401", ("w001",))
    assert commands(found) == ("ip route replace 10.244.2.0/24 via 10.20.0.2  # on w001",)


def test_401_one_family_of_two() -> None:
    nodes = [
        announced(
            node(f"w00{i}", f"10.244.{i}.0/24", f"fd00:0:0:{i}::/64", ip=(f"10.20.0.{i}", f"fd01::{i}")), public_ipv6=f"fd01::{i}"
        )
        for i in (1, 2, 3)
    ]
    taken = seen(healthy(nodes, config_maps=[net_conf(EnableIPv6=True, IPv6Network="fd00::/32")]), families=(4, 6))
    found = only(changed(taken, "w001", routes=without(route_to("fd00:0:0:2::/64"))))
    assert (found.code, found.nodes) == ("FLN401", ("w001",))
    assert commands(found)[0].startswith("ip -6 route replace fd00:0:0:2::/64 via fd00:0:0:2:: dev flannel-v6.1 onlink")


# FLN402 route-wrong


@pytest.mark.parametrize(
    "extra",
    [
        Route(family=4, destination="10.244.2.0/25", device="eth0"),
        Route(family=4, destination="10.244.2.64/26", gateway="10.20.0.77", device="eth0"),
        Route(family=4, destination="10.244.2.5/32", kind="blackhole"),
    ],
    ids=lambda r: r.destination,
)
def test_402_a_more_specific_route_takes_a_part(extra: Route) -> None:
    found = only(changed(world(), "w001", routes=plus(extra)))
    assert (found.code, found.severity, found.nodes) == ("FLN402", Severity.CRITICAL, ("w001",))
    assert any(
        command.startswith(f"ip route del {extra.kind if extra.kind != 'unicast' else ''}".rstrip())
        for command in commands(found)
    )
    assert len(commands(found)) == 1, "flannel's own route is right"


def test_402_a_left_over_route_of_another_backend() -> None:
    other = instead(route_to("10.244.2.0/24"), gateway="10.20.0.2", device="eth0", onlink=False)
    found = only(changed(world(), "w001", routes=other))
    assert (found.code, found.nodes) == ("FLN402", ("w001",))
    assert commands(found) == ("ip route replace 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink  # on w001",)


@pytest.mark.parametrize(
    ("routes", "wrong"),
    [
        (instead(route_to("10.244.1.0/24"), gateway="10.20.0.9", device="eth0"), True),  # moved, the old route stayed
        (instead(route_to("10.244.1.0/24"), device=DEVICE), True),
        (plus(Route(family=4, destination="10.244.1.128/25", gateway="10.20.0.9", device="eth0")), True),
        (without(route_to("10.244.1.0/24")), False),  # no pod yet, so no bridge
        (instead(route_to("10.244.1.0/24"), device="", kind="blackhole"), False),  # Canal
        (plus(Route(family=4, destination="10.244.1.7/32", device="cali0123456789a")), False),  # Canal
        (plus(Route(family=4, destination="10.244.1.0/32", device=DEVICE, protocol="kernel")), False),  # the tunnel's own address
    ],
)
def test_402_packets_for_the_nodes_own_pods(routes: Change, wrong: bool) -> None:
    assert said(changed(world(), "w001", routes=routes)) == ([("FLN402", ("w001",))] if wrong else [])


# FLN403 neighbour-wrong, FLN404 fdb-wrong


@pytest.mark.parametrize(
    "change",
    [
        without(to_address("10.244.2.0")),
        instead(to_address("10.244.2.0"), mac="0a:00:00:00:00:07"),
        instead(to_address("10.244.2.0"), mac="", states=("FAILED",)),
    ],
    ids=["missing", "another", "unresolved"],
)
def test_403_the_neighbour_of_a_peer(change: Change) -> None:
    found = only(changed(world(), "w001", neighbours=change))
    assert (found.code, found.severity, found.nodes) == ("FLN403", Severity.CRITICAL, ("w001",))
    assert commands(found) == (f"ip neigh replace 10.244.2.0 lladdr {mac_of('w002')} dev flannel.1 nud permanent  # on w001",)


@pytest.mark.parametrize(
    "change",
    [without(to_mac(mac_of("w002"))), instead(to_mac(mac_of("w002")), destination="10.20.7.7")],
    ids=["missing", "another"],
)
def test_404_where_a_peers_tunnel_is(change: Change) -> None:
    found = only(changed(world(), "w001", fdb=change))
    assert (found.code, found.severity, found.nodes) == ("FLN404", Severity.CRITICAL, ("w001",))
    assert commands(found) == (f"bridge fdb replace {mac_of('w002')} dst 10.20.0.2 dev flannel.1 self permanent  # on w001",)


# FLN405 stale-entry

GONE = "0a:00:01:00:00:07"
STALE_ROUTE = Route(family=4, destination="10.244.200.0/24", gateway="10.244.200.0", device=DEVICE, onlink=True)
STALE_NEIGHBOUR = Neighbour("10.244.200.0", DEVICE, GONE, ("PERMANENT",))
STALE_FDB = FdbEntry(GONE, DEVICE, "10.20.9.9", True)


def test_405_all_three_entries_of_a_node_that_is_gone() -> None:
    taken = changed(world(), "w001", routes=plus(STALE_ROUTE), neighbours=plus(STALE_NEIGHBOUR), fdb=plus(STALE_FDB))
    found = only(taken)
    assert (found.code, found.severity, found.nodes) == ("FLN405", Severity.WARNING, ("w001",))
    assert found.summary == "w001 keeps entries of Nodes that are gone: 1 route, 1 neighbour, 1 FDB entry."
    assert commands(found) == (
        "ip route del 10.244.200.0/24 via 10.244.200.0 dev flannel.1  # on w001",
        "ip neigh del 10.244.200.0 dev flannel.1  # on w001",
        f"bridge fdb del {GONE} dev flannel.1 dst 10.20.9.9 self  # on w001",
    )


@pytest.mark.parametrize("change", [{"neighbours": plus(STALE_NEIGHBOUR)}, {"fdb": plus(STALE_FDB)}], ids=["neighbour", "FDB"])
def test_405_without_a_route_it_is_info(change: dict[str, Change]) -> None:
    assert only(changed(world(), "w001", once=False, **change)).severity is Severity.INFO


def test_405_a_route_that_covers_living_addresses_is_critical() -> None:
    wide = replace(STALE_ROUTE, destination="10.20.0.2/32", gateway="10.20.0.2")
    assert only(changed(world(), "w001", routes=plus(wide))).severity is Severity.CRITICAL


@pytest.mark.parametrize(
    "change",
    [
        {"fdb": plus(FdbEntry(GONE, DEVICE, "10.20.9.9", False))},  # Learning
        {"fdb": plus(FdbEntry(GONE, "flannel.7", "10.20.9.9", True))},  # another network
        {"neighbours": plus(Neighbour("10.244.200.0", "flannel.7", GONE, ("PERMANENT",)))},
        {"neighbours": plus(Neighbour("10.244.200.0", DEVICE, GONE, ("STALE",)))},
        {"neighbours": plus(Neighbour("ff02::16", DEVICE, "33:33:00:00:00:16", ("NOARP",)))},
        {"routes": plus(Route(family=4, destination="10.99.0.0/24", gateway="10.20.0.5", device="eth0"))},  # somebody's own
    ],
)
def test_405_what_is_not_stale(change: dict[str, Change]) -> None:
    assert said(changed(world(), "w001", once=False, **change)) == []


def test_405_the_route_of_a_host_gw_node_that_is_gone() -> None:
    taken = seen(healthy(fleet(4, backend="host-gw"), config_maps=[net_conf(backend={"Type": "host-gw"})]))
    left = Route(family=4, destination="10.244.200.0/24", gateway="10.20.0.77", device="eth0")
    assert said(changed(taken, "w001", routes=plus(left))) == [("FLN405", ("w001",))]


# FLN418 survivor-cut-off


def cut_off(taken: Snapshot, peer: str, observers: Iterable[str]) -> Snapshot:
    """The observers dropped what a twin's removal took with it: the survivor's own FDB entry stays."""
    for observer in observers:
        taken = lacking(taken, observer, peer, fdb=False)
    return taken


def test_418_every_peer_dropped_the_survivor() -> None:
    found = only(cut_off(world(), "w004", ("w001", "w002", "w003")))
    assert (found.code, found.severity, found.nodes) == ("FLN418", Severity.CRITICAL, ("w004",))
    assert {c.code for c in found.consequences} == {"FLN401", "FLN403"}
    assert {s.name for c in found.consequences for s in c.subjects} == {"w001", "w002", "w003"}
    [touch] = commands(found)
    assert touch.startswith("kubectl annotate --overwrite node w004 ")


def test_418_who_started_later_has_it() -> None:
    nodes = fleet(4)
    pods = [flannel_pod(n, running(since=NOW - 3600 if n.name == "w003" else OLD)) for n in nodes]
    found = only(cut_off(seen(healthy(nodes, flannel_pods=pods)), "w004", ("w001", "w002")))
    assert (found.code, found.nodes) == ("FLN418", ("w004",))
    assert "w003 started later and has it" in found.summary


def test_418_a_renamed_machines_mac_was_dropped() -> None:
    taken = world()
    for observer in ("w001", "w002", "w003"):
        taken = changed(taken, observer, fdb=without(to_mac(mac_of("w004"))))
    found = only(taken)
    assert (found.code, found.nodes) == ("FLN418", ("w004",))


def test_418_host_gw_sets_a_removed_route_again_so_one_that_stays_away_was_forgotten() -> None:
    taken = seen(healthy(fleet(4, backend="host-gw"), config_maps=[net_conf(backend={"Type": "host-gw"})]))
    for observer in ("w001", "w002", "w003"):
        taken = changed(taken, observer, routes=without(route_to("10.244.4.0/24")))
    assert said(taken) == [("FLN418", ("w004",))]


def test_418_not_where_others_that_listened_as_long_have_it() -> None:
    taken = cut_off(world(6), "w004", ("w001", "w002"))
    assert {code for code, _ in said(taken)} == {"FLN401", "FLN403"}


def test_418_a_second_fault_of_one_observer_stands_beside_it() -> None:
    """What explains the survivor's absence must not hide what else is missing on the same node."""
    taken = changed(
        cut_off(world(6), "w006", (f"w00{i}" for i in range(1, 6))), "w001", routes=without(route_to("10.244.2.0/24"))
    )
    assert said(taken) == [("FLN401", ("w001",)), ("FLN418", ("w006",))]


# FLN207 never-learnt


def unheard(*, kernels_know: bool, with_sign: bool) -> Snapshot:
    """w004 was created an hour ago; its podCIDR came half a minute after its annotations; all others' flannel is older."""
    writers = (
        Writer("kubectl-create", "flannel", "Update", NOW - 3600),
        Writer("kube-controller-manager", "podCIDR", "Update", NOW - 3570),
    )
    nodes = fleet(4)
    nodes[3] = replace(nodes[3], created=NOW - 3600, writers=writers if with_sign else ())
    taken = seen(healthy(nodes))
    for observer in () if kernels_know else ("w001", "w002", "w003"):
        taken = lacking(taken, observer, "w004")
    return taken


@pytest.mark.parametrize("with_sign", [True, False])
def test_207_nobody_has_a_node_that_came_after_their_flannel(with_sign: bool) -> None:
    found = only(unheard(kernels_know=False, with_sign=with_sign))
    assert (found.code, found.severity, found.nodes) == ("FLN207", Severity.CRITICAL, ("w004",))
    assert {c.code for c in found.consequences} == {"FLN401", "FLN403", "FLN404"}
    assert commands(found)[0].startswith("kubectl annotate --overwrite node w004 ")


def test_207_a_sign_that_the_kernels_refute_is_nothing() -> None:
    taken = unheard(kernels_know=True, with_sign=True)
    assert said(taken) == []
    assert [u for u in unknowns(taken, "FLN207") if u.nodes] == []


def test_207_without_kernels_a_sign_stays_unknown() -> None:
    taken = replace(unheard(kernels_know=False, with_sign=True), sweep=None, second_sweep=None)
    assert findings(taken, "FLN207") == []
    assert [u.nodes for u in unknowns(taken, "FLN207")] == [("w004",)]


def test_207_all_hold_the_entries_of_a_former_life() -> None:
    taken = world()
    for observer in ("w001", "w002", "w003"):
        taken = changed(taken, observer, neighbours=instead(to_address("10.244.4.0"), mac=GONE))
    found = only(taken)
    assert (found.code, found.nodes) == ("FLN207", ("w004",))
    assert "entries of another time" in found.summary


def test_207_it_does_not_hide_what_else_a_peer_lacks() -> None:
    taken = changed(unheard(kernels_know=False, with_sign=True), "w001", routes=without(route_to("10.244.2.0/24")))
    assert said(taken) == [("FLN207", ("w004",)), ("FLN401", ("w001",))]


# FLN421 neighbour-table-full

BOOTED = NOW - 5 * DAY
OVERFLOW = "neighbour: arp_cache: neighbor table overflow!"


def logged(taken: Snapshot, ago: float, text: str = OVERFLOW) -> Snapshot:
    line = KernelLine(NOW - ago - BOOTED, text)
    made = changed(taken, "w001", kernel_log=plus(line))
    return _with_clock(made)


def _with_clock(taken: Snapshot) -> Snapshot:
    def clocked(made: Any) -> Any:
        first = made.kernels["w001"]
        return replace(
            made, kernels={**made.kernels, "w001": replace(first, facts={**first.facts, "clock": Clock(NOW, 0.01, BOOTED)})}
        )

    return replace(taken, sweep=clocked(taken.sweep), second_sweep=clocked(taken.second_sweep))


def test_421_the_table_overflowed_a_minute_ago() -> None:
    found = only(logged(world(), 60))
    assert (found.code, found.severity, found.nodes) == ("FLN421", Severity.CRITICAL, ("w001",))
    assert found.evidence[0].value == OVERFLOW


def test_421_it_explains_the_entries_that_are_missing_since_yesterday() -> None:
    taken = changed(logged(world(), DAY), "w001", neighbours=without(to_address("10.244.2.0")))
    found = only(taken)
    assert (found.code, [c.code for c in found.consequences]) == ("FLN421", ["FLN403"])


def test_421_yesterdays_overflow_with_all_entries_there_is_history() -> None:
    assert said(logged(world(), DAY)) == []


def test_421_an_overflow_before_flannel_started_is_none_of_its() -> None:
    nodes = fleet(4)
    pods = [flannel_pod(n, running(since=NOW - 120)) for n in nodes]
    assert said(logged(seen(healthy(nodes, flannel_pods=pods)), 300)) == []


def test_421_the_table_of_a_family_that_flannel_does_not_serve_is_none_of_its() -> None:
    assert said(logged(world(), 60, "neighbour: ndisc_cache: neighbor table overflow!")) == []


def test_421_a_log_that_may_not_be_read_is_unknown() -> None:
    assert {u.nodes for u in unknowns(world(), "FLN421")} == {("w001", "w002", "w003", "w004")}


# FLN423 peers-forgotten

EMPTY = {
    "routes": without(lambda r: r.device == DEVICE and r.table == "main"),
    "neighbours": without(on(DEVICE)),
    "fdb": without(on(DEVICE)),
}


@pytest.mark.parametrize("number", [2, 3, 40])
def test_423_a_tunnel_that_is_empty(number: int) -> None:
    found = only(changed(world(number), "w001", once=False, **EMPTY))
    assert (found.code, found.severity, found.nodes) == ("FLN423", Severity.CRITICAL, ("w001",))
    assert {c.code for c in found.consequences} == {"FLN401", "FLN403", "FLN404"}
    assert commands(found) == ("kubectl -n kube-flannel delete pod kube-flannel-ds-w001",)


def test_423_all_nodes_at_once() -> None:
    taken = world(4)
    for name in ("w001", "w002", "w003", "w004"):
        taken = changed(taken, name, once=False, **EMPTY)
    assert said(taken) == [("FLN423", (f"w00{i}",)) for i in (1, 2, 3, 4)]


def test_423_not_for_some_peers() -> None:
    taken = world(6)
    for peer in ("w002", "w003"):
        taken = lacking(taken, "w001", peer)
    assert {code for code, _ in said(taken)} == {"FLN401", "FLN403", "FLN404"}


def test_423_a_tunnel_that_is_down_is_another_matter() -> None:
    taken = changed(world(), "w001", once=False, links=instead(lambda link: link.name == DEVICE, flags=("BROADCAST",)), **EMPTY)
    codes = judged(taken)
    assert "FLN423" not in {f.code for f in codes.findings}
    assert [f.nodes for f in codes.findings if f.code == "FLN406"] == [("w001",)]
    assert not {f.code for f in codes.findings} & {"FLN401", "FLN403", "FLN404", "FLN418", "FLN207"}


# All of them


def test_without_kernels_nothing_is_said_but_that_they_were_not_looked_at() -> None:
    said_so = judged(healthy(fleet(3)), *MESH)
    assert not said_so.findings
    assert {u.code for u in said_so.unknown} == set(MESH) - {"FLN207"}


def test_seen_once_is_unknown() -> None:
    taken = replace(changed(world(), "w001", routes=without(route_to("10.244.2.0/24"))), second_sweep=None)
    result = judged(taken, "FLN401")
    assert not result.findings
    assert ("w001",) in {u.nodes for u in result.unknown if "seen once" in u.reason}


def test_what_twins_do_to_kernels_stands_inside_the_twins() -> None:
    nodes = [*fleet(3), announced(node("w009", "10.244.3.0/24", ip="10.20.0.9"))]
    taken = seen(healthy(nodes))
    for observer in ("w001", "w002"):
        taken = changed(taken, observer, routes=without(route_to("10.244.3.0/24")))
    codes = {f.code for f in judged(taken, "FLN101", *MESH).findings}
    assert codes == {"FLN101"}


def _spoil(taken: Snapshot, random: Random, names: list[str]) -> tuple[Snapshot, str, str]:
    observer, peer = random.sample(names, 2)
    number = int(peer[1:])
    spoils: dict[str, dict[str, Change]] = {
        "FLN401": {"routes": without(route_to(f"10.244.{number}.0/24"))},
        "FLN402": {"routes": plus(Route(family=4, destination=f"10.244.{number}.0/{random.randint(25, 32)}", device="eth0"))},
        "FLN403": {"neighbours": without(to_address(f"10.244.{number}.0"))},
        "FLN404": {"fdb": without(to_mac(mac_of(peer)))},
    }
    code = random.choice(sorted(spoils))
    return changed(taken, observer, once=False, **spoils[code]), code, observer


@pytest.mark.parametrize("seed", range(40))
def test_one_spoilt_entry_in_a_healthy_world_is_found_as_exactly_what_it_is(seed: int) -> None:
    random = Random(seed)
    size = random.randint(3, 12)
    taken = world(size)
    assert said(taken) == []
    spoilt, code, observer = _spoil(taken, random, [n.name for n in taken.nodes])
    assert said(spoilt) == [(code, (observer,))]
    assert mended(spoilt, taken) == []


def mended(spoilt: Snapshot, right: Snapshot) -> list[tuple[str, tuple[str, ...]]]:
    """What is still found when the second reading shows all as it should be."""
    return said(replace(spoilt, second_sweep=right.second_sweep))


def test_everything_is_judged_by_all_checks_without_a_word_on_a_healthy_world() -> None:
    result: Judgement = judged(world(5))
    assert [f.code for f in result.findings if f.severity >= Severity.WARNING] == []


def test_a_bare_node_without_machine_is_no_observer() -> None:
    nodes: list[Node] = [*fleet(3)]
    bare = announced(node("bare", "10.244.99.0/24", ip="10.20.0.99", ready="", ready_since=None))
    full = seen(healthy([*nodes, bare]))
    assert full.sweep is not None
    kernels = [k for k in full.sweep.kernels.values() if k.node != "bare"]
    assert said(with_sweep(full, sweep(full.nodes, kernels))) == []
