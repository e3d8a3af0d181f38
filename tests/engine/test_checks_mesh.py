"""FLN207 and 401 to 423: what is missing in whose kernel, and whom the pattern accuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope.judge import Judgement
from flannelscope.model import FdbEntry, Finding, Neighbour, Node, NodeChange, Route, Rule, Severity, Snapshot, Writer
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
    assert found.summary == "w001 has no route to the pods of 2 nodes (w002, w003): what goes there is lost."


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


def beyond_a_router() -> Snapshot:
    """host-gw, and w004 on another link: nobody can set a route by its address, and it can set none by theirs."""
    nodes = [*fleet(3, backend="host-gw"), announced(node("w004", "10.244.4.0/24", ip="10.77.0.4"), "host-gw")]
    nodes[3] = replace(nodes[3], created=NOW - 7200)
    taken = seen(healthy(nodes, config_maps=[net_conf(backend={"Type": "host-gw"})]))
    for observer in ("w001", "w002", "w003"):
        taken = changed(taken, observer, routes=without(route_to("10.244.4.0/24")))
    link = instead(lambda r: r.destination == "10.20.0.0/16", destination="10.77.0.0/16")
    return changed(taken, "w004", routes=lambda there: without(lambda r: r.gateway.startswith("10.20.0."))(tuple(link(there))))


def test_401_host_gw_needs_its_peers_on_its_own_link() -> None:
    found = findings(beyond_a_router(), *MESH)
    assert [(f.code, f.nodes) for f in found] == [("FLN401", ("w001", "w002", "w003")), ("FLN401", ("w004",))]
    assert "the address announced there is not on their link" in found[0].summary
    assert commands(found[0]) == (), "the kernel would refuse that gateway"
    assert "10.77.0.4 of w004" in found[0].evidence[1].what


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


VPN = Route(family=4, destination="0.0.0.0/0", gateway="10.20.255.254", device="eth0", table="77")


def test_402_a_rule_before_main_is_led_past_and_nobodys_default_route_is_removed() -> None:
    rule = Rule(family=4, priority=100, selector="from all", table="77")
    peers, own = findings(changed(world(), "w001", rules=plus(rule), routes=plus(VPN)), *MESH)
    assert (peers.code, own.code) == ("FLN402", "FLN402")
    for found, block in ((peers, "10.244.2.0/24"), (own, "10.244.1.0/24")):
        assert f"ip rule add to {block} lookup main priority 99  # on w001" in commands(found)
        assert not [command for command in commands(found) if "route del" in command]
    assert commands(own)[0].startswith("ip rule show  # on w001: 100 (from all) comes before main and leads to 0.0.0.0/0")
    assert "(rule 100: from all)" in peers.evidence[0].value


# FLN403 neighbour-wrong, FLN404 fdb-wrong


NEIGHBOURS: tuple[Change, ...] = (
    without(to_address("10.244.2.0")),
    instead(to_address("10.244.2.0"), mac="0a:00:00:00:00:07"),
    instead(to_address("10.244.2.0"), mac="", states=("FAILED",)),
)
DESTINATIONS: tuple[Change, ...] = (
    without(to_mac(mac_of("w002"))),
    instead(to_mac(mac_of("w002")), destination="10.20.7.7"),
)


@pytest.mark.parametrize("change", NEIGHBOURS, ids=["missing", "another", "unresolved"])
def test_403_the_neighbour_of_a_peer(change: Change) -> None:
    found = only(changed(world(), "w001", neighbours=change))
    assert (found.code, found.severity, found.nodes) == ("FLN403", Severity.CRITICAL, ("w001",))
    assert commands(found) == (f"ip neigh replace 10.244.2.0 lladdr {mac_of('w002')} dev flannel.1 nud permanent  # on w001",)


def test_403_and_404_say_whether_an_entry_is_missing_or_another() -> None:
    one, other, _ = NEIGHBOURS
    assert "w001 has no neighbour for w002 (10.244.2.0/24)" in only(changed(world(), "w001", neighbours=one)).summary
    assert "w001 has another MAC for w002 (10.244.2.0/24)" in only(changed(world(), "w001", neighbours=other)).summary
    missing, elsewhere = DESTINATIONS
    assert "w001 has no FDB entry for w002 (10.244.2.0/24)" in only(changed(world(), "w001", fdb=missing)).summary
    assert "w001 has another address in the FDB for w002" in only(changed(world(), "w001", fdb=elsewhere)).summary


@pytest.mark.parametrize("change", DESTINATIONS, ids=["missing", "another"])
def test_404_where_a_peers_tunnel_is(change: Change) -> None:
    found = only(changed(world(), "w001", fdb=change))
    assert (found.code, found.severity, found.nodes) == ("FLN404", Severity.CRITICAL, ("w001",))
    assert commands(found) == (f"bridge fdb replace {mac_of('w002')} dst 10.20.0.2 dev flannel.1 self permanent  # on w001",)


# FLN405 stale-entry

GONE = "0a:00:01:00:00:07"
STALE_ROUTE = Route(family=4, destination="10.244.200.0/24", gateway="10.244.200.0", device=DEVICE, onlink=True)
STALE_NEIGHBOUR = Neighbour("10.244.200.0", DEVICE, GONE, ("PERMANENT",))
STALE_FDB = FdbEntry(GONE, DEVICE, "10.20.9.9", True)


def left_behind() -> Snapshot:
    return changed(world(), "w001", routes=plus(STALE_ROUTE), neighbours=plus(STALE_NEIGHBOUR), fdb=plus(STALE_FDB))


def went(taken: Snapshot, *, ago: float) -> Snapshot:
    """The Node of these entries went so many seconds before the kernels were read a second time, and we saw it."""
    assert taken.second_sweep is not None
    gone = announced(node("w200", "10.244.200.0/24", ip="10.20.9.9"), mac=GONE)
    when = taken.second_sweep.kernels["w001"].at - ago
    return replace(taken, changes=(NodeChange(when, "w200", gone, None),))


def test_405_is_a_warning_once_a_node_has_been_gone_for_two_minutes() -> None:
    found = only(went(left_behind(), ago=121))
    assert (found.severity, found.nodes) == (Severity.WARNING, ("w001",))
    assert "Since when" not in found.summary


def test_405_flannel_has_two_minutes_to_follow() -> None:
    taken = went(left_behind(), ago=60)
    assert said(taken) == []
    told = [(u.reason, u.nodes) for u in unknowns(taken, "FLN405")]
    assert told == [("settling: w200 went or changed less than two minutes before", ("w001",))]


def test_405_all_three_entries_of_a_node_that_is_gone() -> None:
    found = only(left_behind())
    assert (found.code, found.severity, found.nodes) == ("FLN405", Severity.INFO, ("w001",))
    assert found.summary == (
        "w001 keeps entries of Nodes that are gone: 1 route, 1 neighbour, 1 FDB entry. Since when is not known: flannel may "
        "need two minutes to remove them itself."
    )
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
    found = only(changed(world(), "w001", routes=plus(wide)))
    assert found.severity is Severity.CRITICAL
    assert commands(found) == ("ip -d route show table all root 10.20.0.2/32  # on w001: look whose it is",)


@pytest.mark.parametrize("destination", ["0.0.0.0/0", "10.244.128.0/17"])
def test_405_what_is_wider_than_a_podcidr_is_shown_and_not_to_be_deleted(destination: str) -> None:
    found = only(changed(world(), "w001", routes=plus(replace(STALE_ROUTE, destination=destination, metric=500))))
    assert not [command for command in commands(found) if "route del" in command]


@pytest.mark.parametrize("backend", [{"Type": "host-gw"}, {"Type": "vxlan", "DirectRouting": True}], ids=["host-gw", "direct"])
@pytest.mark.parametrize(
    "fields",
    [{"protocol": "static"}, {"protocol": "bird"}, {"protocol": "boot", "metric": 100}, {"gateway": "192.0.2.1"}],
    ids=["static", "BGP", "metric", "not on link"],
)
def test_405_routes_of_another_hand_inside_network_are_the_machines_own(backend: dict[str, Any], fields: dict[str, Any]) -> None:
    nodes = fleet(3, backend=backend["Type"])
    taken = seen(healthy(nodes, config_maps=[net_conf("10.0.0.0/8", backend=backend)]))
    own = Route(**{"family": 4, "destination": "10.99.5.0/24", "gateway": "10.20.255.1", "device": "eth0", **fields})
    assert said(changed(taken, "w001", routes=plus(own))) == []


def test_405_a_second_destination_of_a_living_nodes_mac() -> None:
    found = only(changed(world(), "w001", fdb=plus(FdbEntry(mac_of("w002"), DEVICE, "192.0.2.1", True))))
    assert (found.code, found.severity, found.nodes) == ("FLN405", Severity.INFO, ("w001",))
    assert commands(found) == (f"bridge fdb del {mac_of('w002')} dev flannel.1 dst 192.0.2.1 self  # on w001",)


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


def without_starts(taken_nodes: list[Node], **changes: Any) -> Snapshot:
    """flannel inside of k3s: nobody tells since when it runs."""
    nodes = [replace(n, kubelet_version="v1.30.4+k3s1") for n in taken_nodes]
    return seen(healthy(nodes, flannel_pods=[], daemonsets=[], config_maps=[], control_plane_pods=[], **changes))


def nobody_has(taken: Snapshot, peer: str) -> Snapshot:
    for name in (n.name for n in taken.nodes):
        taken = lacking(taken, name, peer) if name != peer else taken
    return taken


def test_418_needs_a_sign_that_they_ever_had_it() -> None:
    taken = nobody_has(without_starts(list(fleet(4))), "w004")
    assert {code for code, _ in said(taken)} == {"FLN401", "FLN403", "FLN404"}
    [(nodes, reason)] = [(u.nodes, u.reason) for u in unknowns(taken, "FLN207")]
    assert nodes == ("w004",)
    assert "never learnt it, or have dropped it" in reason


def test_418_a_node_with_its_podcidr_was_seen_to_go() -> None:
    taken = nobody_has(without_starts(list(fleet(4))), "w004")
    twin = node("w009", "10.244.4.0/24", ip="10.20.0.9")
    found = only(replace(taken, changes=(NodeChange(NOW - 600, "w009", twin, None),)))
    assert (found.code, found.nodes) == ("FLN418", ("w004",))
    assert "w009, which had its podCIDR too, is gone" in found.summary


def test_418_two_of_forty_nodes_are_not_everybody() -> None:
    taken = cut_off(world(40), "w009", ("w001", "w002"))
    assert taken.sweep is not None
    read = {name: taken.sweep.kernels[name] for name in ("w001", "w002")}
    made = replace(taken.sweep, kernels=read)
    assert {code for code, _ in said(replace(taken, sweep=made, second_sweep=made))} == {"FLN401", "FLN403"}


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


def test_423_a_node_without_a_tunnel_can_forget_too() -> None:
    taken = seen(healthy(fleet(4, backend="host-gw"), config_maps=[net_conf(backend={"Type": "host-gw"})]))
    found = only(changed(taken, "w001", routes=without(lambda r: r.gateway.startswith("10.20.0."))))
    assert (found.code, found.nodes) == ("FLN423", ("w001",))
    assert "tunnel" not in found.summary


# All of them


def test_what_was_not_read_is_explained_once_and_the_checks_for_its_cause_point_there() -> None:
    taken = changed(world(), "w001", once=False, routes=None)
    by_code = {code: {u.reason for u in unknowns(taken, code) if u.nodes == ("w001",)} for code in ("FLN401", "FLN418", "FLN423")}
    assert "routes not looked at" in " ".join(by_code["FLN401"])
    assert by_code["FLN418"] == by_code["FLN423"] == {"not all of its routes could be judged: FLN401 says why"}


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
