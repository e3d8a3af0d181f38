"""Wanted beside found: every backend and family, what a look-up meets on its way, and what stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from flannelscope.cidr import parse
from flannelscope.facts import Facts
from flannelscope.lookup import Blocks, Tables, steps
from flannelscope.mesh import Leg, Mesh, State
from flannelscope.model import ConfigMap, FdbEntry, Gap, Link, Neighbour, Node, Prefix, Route, Rule, Snapshot, Topic, Writer
from tests.engine.builders import NOW, announced, fleet, healthy, mac_of, net_conf, node
from tests.engine.kernels import (
    READ_AT,
    changed,
    instead,
    kernel,
    on,
    plus,
    route_to,
    rules,
    seen,
    sweep,
    to_mac,
    with_sweep,
    without,
)

DEVICE = "flannel.1"
Change = Callable[[tuple[Any, ...]], Iterable[Any]]


def mesh_of(taken: Snapshot) -> Mesh:
    found = Facts(taken).mesh
    assert found is not None
    return found


def wrong(taken: Snapshot) -> list[tuple[str, str, str, str]]:
    """observer, peer, leg, state of everything that is wrong."""
    return [(p.observer, p.peer, p.leg.value, p.state.name) for p in mesh_of(taken).problems]


def both_families(number: int, backend: str = "vxlan") -> list[Node]:
    return [
        announced(
            node(f"w{i}", f"10.244.{i}.0/24", f"fd00:0:0:{i}::/64", ip=(f"10.20.0.{i}", f"fd01::{i}")),
            backend,
            public_ipv6=f"fd01::{i}",
        )
        for i in range(1, number + 1)
    ]


def dual(backend: str = "vxlan") -> Snapshot:
    conf = net_conf(EnableIPv6=True, IPv6Network="fd00::/32", backend={"Type": backend})
    return seen(healthy(both_families(4, backend), config_maps=[conf]), families=(4, 6))


def ipv6_only(backend: str) -> Snapshot:
    nodes = [
        announced(node(f"w{i}", f"fd00:0:0:{i}::/64", ip=f"fd01::{i}"), backend, public_ipv6=f"fd01::{i}") for i in (1, 2, 3)
    ]
    conf = net_conf(None, EnableIPv4=False, EnableIPv6=True, IPv6Network="fd00::/32", backend={"Type": backend})
    return seen(healthy(nodes, config_maps=[conf]), families=(6,))


def of_backend(backend: str, number: int = 4, **options: object) -> Snapshot:
    announces = "" if backend == "udp" else backend
    nodes = fleet(number, backend=announces)
    return seen(healthy(nodes, config_maps=[net_conf(backend={"Type": backend, **options})]))


HEALTHY: dict[str, Callable[[], Snapshot]] = {
    "vxlan": lambda: of_backend("vxlan"),
    "vxlan, one node": lambda: of_backend("vxlan", 1),
    "vxlan, many": lambda: of_backend("vxlan", 60),
    "host-gw": lambda: of_backend("host-gw"),
    "ipip": lambda: of_backend("ipip"),
    "wireguard": lambda: of_backend("wireguard"),
    "udp": lambda: of_backend("udp"),
    "dual-stack": dual,
    "dual-stack host-gw": lambda: dual("host-gw"),
    "dual-stack wireguard": lambda: dual("wireguard"),
    "IPv6 alone": lambda: ipv6_only("vxlan"),
    "IPv6 alone, host-gw": lambda: ipv6_only("host-gw"),
    "IPv6 alone, wireguard": lambda: ipv6_only("wireguard"),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_node_has_all_that_is_wanted(name: str) -> None:
    taken = HEALTHY[name]()
    found = mesh_of(taken)
    assert list(found.problems) == []
    assert not found.suspects
    assert found.names == tuple(n.name for n in taken.nodes)
    for one in found.names:
        assert {found.state(one, other) for other in found.names if other != one} <= {State.OK}
        assert found.state(one, one) is State.NOT_WANTED


DIRECT = {"Type": "vxlan", "DirectRouting": True}


def halves(a: str, b: str) -> bool:
    """Odd with odd and even with even are on one link."""
    return a != b and (int(a[1:]) - int(b[1:])) % 2 == 0


@pytest.mark.parametrize("maps", [[net_conf(backend=DIRECT)], []], ids=["on", "not known"])
def test_direct_routing_goes_straight_where_it_can(maps: list[ConfigMap]) -> None:
    taken = seen(healthy(fleet(6), config_maps=maps), direct=halves)
    assert wrong(taken) == []
    state = mesh_of(taken).state("w001", "w003", Leg.NEIGHBOUR)
    assert state is State.NOT_WANTED


def test_nodes_that_all_go_straight_run_with_direct_routing_whatever_the_config_map_says_by_now() -> None:
    assert wrong(seen(healthy(fleet(6)), direct=lambda a, b: a != b)) == []


def test_direct_routing_leaves_old_neighbours_and_fdb_behind_and_that_is_harmless() -> None:
    taken = seen(healthy(fleet(6), config_maps=[net_conf(backend=DIRECT)]), direct=halves)
    left = Neighbour("10.244.3.0", DEVICE, mac_of("w003"), ("PERMANENT",))
    taken = changed(taken, "w001", neighbours=plus(left))
    assert wrong(taken) == []
    assert mesh_of(taken).state("w001", "w003", Leg.NEIGHBOUR) is State.EXTRA


def test_a_straight_route_in_a_cluster_of_tunnels_is_another_way() -> None:
    one = Route(family=4, destination="10.244.2.0/24", gateway="10.20.0.2", device="eth0")
    taken = changed(of_backend("vxlan"), "w001", routes=lambda there: [*without(route_to("10.244.2.0/24"))(there), one])
    assert wrong(taken) == [("w001", "w002", "route", "DIFFERS")]


def test_a_cell_tells_wanted_and_found_and_how_to_see_and_mend_it() -> None:
    taken = changed(
        of_backend("vxlan"),
        "w001",
        routes=without(route_to("10.244.2.0/24")),
        fdb=instead(to_mac(mac_of("w002")), destination="10.20.9.9"),
    )
    cell = mesh_of(taken).cell("w001", "w002")
    route, neighbour, fdb = cell.entries
    assert (route.state, neighbour.state, fdb.state) == (State.MISSING, State.OK, State.DIFFERS)
    assert route.wanted == "10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink"
    assert route.found == "none of its own, so 0.0.0.0/0 via 10.20.255.254 dev eth0"
    assert route.mend == ("ip route replace 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink  # on w001",)
    assert route.origin == "ssh ops@10.20.0.1: ip -j -4 route show table all, 14:13:00Z"
    assert neighbour.mend == ()
    assert fdb.found.endswith("dst 10.20.9.9") and fdb.wanted.endswith("dst 10.20.0.2")
    assert fdb.mend == (f"bridge fdb replace {mac_of('w002')} dst 10.20.0.2 dev flannel.1 self permanent  # on w001",)
    with pytest.raises(KeyError):
        mesh_of(taken).cell("w001", "nobody")


# What is on the way of a look-up.


def route(destination: str, **fields: object) -> Route:
    return Route(**{"family": 6 if ":" in destination else 4, "destination": destination, "device": "eth0", **fields})  # type: ignore[arg-type]


TWO = [("w001", "w002", "route", "DIFFERS")]
ALL = [("w001", peer, "route", "DIFFERS") for peer in ("w002", "w003", "w004")]


@pytest.mark.parametrize(
    ("routes", "rules", "expected"),
    [
        ([route("10.244.2.128/25")], [], TWO),
        ([route("10.244.2.7/32", kind="blackhole", device="")], [], TWO),
        ([route("10.244.2.1/32", table="local", kind="local", device="cni0")], [], TWO),
        ([route("10.244.2.255/32", table="local", kind="broadcast", device="cni0")], [], []),
        ([route("10.244.0.0/22", gateway="10.20.0.9")], [], []),  # longer ones are taken first
        ([route("10.244.2.0/25", table="77")], [], []),  # nobody looks there
        ([route("0.0.0.0/0", table="77")], [(100, "from all", "77")], ALL),
        ([route("0.0.0.0/0", table="77")], [(40000, "from all", "77")], []),  # main comes first
        ([route("10.244.2.0/24", table="77")], [(100, "from 10.244.1.0/24", "77")], TWO),
        ([route("10.244.2.0/24", table="77")], [(100, "from 10.20.0.0/16", "77")], []),  # pods have other addresses
        ([route("10.244.2.0/24", table="77")], [(100, "from all to 10.244.3.0/24", "77")], []),
        ([route("0.0.0.0/0", table="77")], [(90, "from all to 10.244.0.0/16", "main"), (100, "from all", "77")], []),
        ([route("0.0.0.0/0", table="51820")], [(100, "not from all fwmark 0xca6c", "51820")], ALL),
        (
            [route("0.0.0.0/0", table="51820")],
            [(90, "from all suppress_prefixlength 0", "main"), (100, "not from all fwmark 0xca6c", "51820")],
            [],
        ),  # as wg-quick does it: only what main has no route for
        ([route("10.244.2.0/24", table="52")], [(100, "from all fwmark 0x80000/0xff0000", "52")], []),
        ([route("10.244.2.0/24", table="77", kind="throw", device="")], [(100, "from all", "77")], []),
        ([route("10.244.2.0/24", gateway="10.20.0.9", dead=True)], [], []),  # the kernel passes over it
        ([route("10.244.2.0/25", gateway="10.20.0.9", dead=True)], [], []),
        ([route("10.244.2.0/25", gateway="10.20.0.9", linkdown=True)], [], TWO),  # and takes this one
        ([route("10.244.2.7/32", table="local", kind="local", device="kube-ipvs0")], [], TWO),  # a Service inside a podCIDR
        ([route("10.96.0.10/32", table="local", kind="local", device="kube-ipvs0")], [], []),
    ],
)
def test_the_kernel_looks_up_by_rules_then_by_the_longest_prefix(
    routes: list[Route], rules: list[tuple[int, str, str]], expected: list[tuple[str, str, str, str]]
) -> None:
    added = [Rule(family=4, priority=priority, selector=selector, table=table) for priority, selector, table in rules]
    assert wrong(changed(of_backend("vxlan"), "w001", routes=plus(*routes), rules=plus(*added))) == expected


class Counted(Blocks):
    """Counts what is compared with all podCIDRs."""

    compared = 0

    def holding(self, inner: Prefix) -> list[int]:
        self.compared += 1
        return super().holding(inner)


def test_the_addresses_of_services_are_not_compared_with_every_podcidr() -> None:
    """kube-proxy in ipvs mode puts thousands of them on a device, on every node."""
    blocks = Counted([parse("10.244.1.0/24"), parse("10.244.2.0/24")], ["10.244.1.0/24", "10.244.2.0/24"])
    services = [route(f"10.96.{n // 250}.{n % 250}/32", table="local", kind="local", device="kube-ipvs0") for n in range(3000)]
    inside = route("10.244.2.7/32", table="local", kind="local", device="kube-ipvs0")
    tables = Tables([*services, inside], steps(rules(), 4, None), 4, blocks)
    assert tables.parts == {1: [inside]}
    assert blocks.compared == 1


@pytest.mark.parametrize("action", ["prohibit", "blackhole", "unreachable"])
def test_a_rule_can_refuse_a_podcidr_itself(action: str) -> None:
    refusing = Rule(family=4, priority=100, selector="from all to 10.244.2.0/24", action=action)
    taken = changed(of_backend("vxlan"), "w001", rules=plus(refusing))
    assert wrong(taken) == TWO
    found = mesh_of(taken).cell("w001", "w002").entries[0].found
    assert found == f"{action} 10.244.2.0/24 (rule 100: from all to 10.244.2.0/24)"


@pytest.mark.parametrize("selector", ["from all to 10.244.2.0/25", "from all to 10.244.2.0/24 ipproto udp"])
def test_of_a_rule_that_refuses_a_part_of_the_packets_nothing_is_sure(selector: str) -> None:
    refusing = Rule(family=4, priority=100, selector=selector, action="prohibit")
    found = mesh_of(changed(of_backend("vxlan"), "w001", rules=plus(refusing)))
    assert found.state("w001", "w002", Leg.ROUTE) is State.UNKNOWN
    assert found.state("w001", "w003", Leg.ROUTE) is State.OK


def test_a_dead_route_of_a_lower_metric_does_not_win() -> None:
    flannels = instead(lambda r: r.destination == "10.244.2.0/24", metric=100)
    dead = route("10.244.2.0/24", gateway="10.20.0.9", metric=50, dead=True)
    assert wrong(changed(of_backend("vxlan"), "w001", routes=lambda there: [*flannels(there), dead])) == []


def test_a_rule_that_may_or_may_not_apply_leaves_it_unknown() -> None:
    rule = Rule(family=4, priority=100, selector="from all ipproto udp", table="77")
    taken = changed(of_backend("vxlan"), "w001", rules=plus(rule), routes=plus(route("10.244.2.0/24", table="77")))
    assert wrong(taken) == []
    assert mesh_of(taken).state("w001", "w002", Leg.ROUTE) is State.UNKNOWN
    assert mesh_of(taken).state("w001", "w003", Leg.ROUTE) is State.OK


def test_a_more_specific_route_that_leads_the_same_way_is_right() -> None:
    same = Route(family=4, destination="10.244.2.0/25", gateway="10.244.2.0", device=DEVICE, onlink=True)
    assert wrong(changed(of_backend("vxlan"), "w001", routes=plus(same))) == []


def test_without_the_route_for_network_no_wireguard_peer_is_reached() -> None:
    taken = changed(of_backend("wireguard"), "w001", routes=without(on("flannel-wg")))
    assert wrong(taken) == [("w001", peer, "route", "MISSING") for peer in ("w002", "w003", "w004")]


LEFT = FdbEntry(mac_of("w002"), DEVICE, "192.0.2.1", True)


@pytest.mark.parametrize("change", [plus(LEFT), lambda there: (LEFT, *there)], ids=["behind", "before"])
def test_a_mac_may_have_several_destinations_and_one_of_them_is_right(change: Change) -> None:
    """`bridge fdb append`: the kernel sends to all of them, in whatever order they are told."""
    assert wrong(changed(of_backend("vxlan"), "w001", fdb=change)) == []


def test_of_several_destinations_that_are_all_wrong_one_is_replaced_and_the_others_go() -> None:
    both = [LEFT, replace(LEFT, destination="192.0.2.2")]
    taken = changed(of_backend("vxlan"), "w001", fdb=lambda there: [*without(to_mac(mac_of("w002")))(there), *both])
    entry = mesh_of(taken).cell("w001", "w002").entries[2]
    assert entry.found == "; ".join(f"{mac_of('w002')} dst {to}" for to in ("192.0.2.1", "192.0.2.2"))
    assert entry.mend == (
        f"bridge fdb del {mac_of('w002')} dst 192.0.2.2 dev flannel.1 self  # on w001",
        f"bridge fdb replace {mac_of('w002')} dst 10.20.0.2 dev flannel.1 self permanent  # on w001",
    )


def test_without_knowing_the_tunnel_no_command_names_one() -> None:
    """Two devices of flannel's, neither of the announced VNI."""
    taken = changed(
        of_backend("vxlan"),
        "w001",
        links=lambda there: [
            *instead(lambda link: link.name == DEVICE, name="flannel.7")(there),
            Link(index=99, name="flannel.8"),
        ],
        routes=without(on(DEVICE)),
    )
    for entry in mesh_of(taken).cell("w001", "w002").entries:
        assert entry.state.wrong
        assert entry.mend == ()
        assert "flannel.1" not in entry.show


# Whom a node cannot, or need not, know.


def test_of_twins_either_is_right_and_they_need_not_know_each_other() -> None:
    w1, w2, w3 = fleet(3)
    twin = announced(node("w009", "10.244.3.0/24", ip="10.20.0.9"))
    taken = seen(healthy([w1, w2, w3, twin]))
    first_wins = changed(taken, "w001", neighbours=instead(lambda n: n.address == "10.244.3.0", mac=mac_of("w003")))
    for world in (taken, first_wins):
        assert wrong(world) == []
        assert mesh_of(world).state("w003", "w009") is State.NOT_WANTED


def test_who_announces_another_backend_is_neither_wanted_nor_stale() -> None:
    w1, w2, w3 = fleet(3)
    odd = seen(healthy([w1, w2, w3])).sweep
    assert odd is not None
    taken = with_sweep(healthy([w1, announced(w2, "host-gw"), w3]), odd)
    taken = replace(taken, sweep=replace(odd, before=Facts(taken).nodes, after=Facts(taken).nodes))
    assert [x for x in wrong(taken) if x[0] != "w002"] == []
    assert mesh_of(taken).state("w001", "w002") is State.NOT_WANTED


def test_two_networks_on_the_same_nodes_share_one_route() -> None:
    """Each wants its own; a kernel has room for one route to a podCIDR."""
    second = [announced(n, prefix="second.example.com/", backend="host-gw") for n in fleet(3)]
    assert wrong(seen(healthy(second))) == []


@pytest.mark.parametrize("backend", ["ipsec", "extension", "alloc", "tencent-vpc"])
def test_other_backends_are_not_judged_and_that_is_said(backend: str) -> None:
    taken = seen(
        healthy(fleet(3, backend="" if backend == "alloc" else backend), config_maps=[net_conf(backend={"Type": backend})])
    )
    found = mesh_of(taken)
    assert list(found.problems) == []
    assert found.state("w001", "w002") is State.UNKNOWN
    assert "is not judged" in found.cell("w001", "w002").reason


def test_a_device_of_another_vni_than_announced_is_looked_at_as_it_is() -> None:
    """That it differs is told elsewhere; its entries are what they are."""
    w1, w2, w3 = fleet(3)
    there = seen(healthy([w1, w2, w3])).sweep
    assert there is not None
    nodes = [w1, announced(w2, vni=77), w3]
    known = {n.name: n for n in nodes}
    assert wrong(with_sweep(healthy(nodes), replace(there, before=known, after=known))) == []


# What stands still.


def with_route_gone(taken: Snapshot, *, once: bool = False) -> Snapshot:
    return changed(taken, "w001", once=once, routes=without(route_to("10.244.2.0/24")))


def test_what_is_gone_in_the_first_reading_alone_is_right() -> None:
    assert wrong(with_route_gone(of_backend("vxlan"), once=True)) == []


def test_before_the_second_reading_it_was_seen_once() -> None:
    taken = replace(with_route_gone(of_backend("vxlan")), second_sweep=None)
    found = mesh_of(taken)
    assert found.suspects == {"w001"}
    assert not found.twice("w001")


@pytest.mark.parametrize(
    "change",
    [
        lambda n: replace(n, uid="another"),
        lambda n: replace(n, pod_cidrs=("10.244.77.0/24",)),
        lambda n: announced(n, public_ip="10.20.0.99"),
    ],
    ids=["made anew", "another podCIDR", "announced anew"],
)
@pytest.mark.parametrize("which", ["w001", "w002"])
def test_a_pair_of_which_an_end_changed_meanwhile_is_settling(change: object, which: str) -> None:
    taken = with_route_gone(of_backend("vxlan"))
    assert taken.sweep is not None and callable(change)
    before = {**taken.sweep.before, which: change(taken.sweep.before[which])}
    unsteady = replace(taken, sweep=replace(taken.sweep, before=before))
    assert wrong(unsteady) == []
    assert mesh_of(unsteady).state("w001", "w002", Leg.ROUTE) is State.SETTLING


def test_a_node_written_within_half_a_minute_before_is_settling() -> None:
    taken = with_route_gone(of_backend("vxlan"))
    fresh = replace(taken.nodes[1], writers=(Writer("flanneld", "flannel", "Update", READ_AT - 10),))
    nodes = (taken.nodes[0], fresh, *taken.nodes[2:])
    known = {n.name: n for n in nodes}
    assert taken.sweep is not None
    assert wrong(replace(taken, nodes=nodes, sweep=replace(taken.sweep, before=known, after=known))) == []


def test_without_the_nodes_read_again_nothing_counts_as_wrong() -> None:
    taken = with_route_gone(of_backend("vxlan"))
    assert taken.sweep is not None
    assert wrong(replace(taken, sweep=replace(taken.sweep, after=None))) == []


def test_a_saved_cluster_stands_still() -> None:
    taken = replace(with_route_gone(of_backend("vxlan")), source="file", second_sweep=None)
    assert wrong(taken) == [("w001", "w002", "route", "MISSING")]


# What was not read.


@pytest.mark.parametrize(
    ("fact", "leg", "gone"),
    [
        ("routes", Leg.ROUTE, without(route_to("10.244.2.0/24"))),
        ("neighbours", Leg.NEIGHBOUR, without(lambda n: n.address == "10.244.2.0")),
        ("fdb", Leg.FDB, without(to_mac(mac_of("w002")))),
    ],
)
def test_what_the_second_reading_does_not_tell_is_unknown_with_a_reason(fact: str, leg: Leg, gone: Change) -> None:
    taken = changed(of_backend("vxlan"), "w001", once=False, **{fact: gone})
    assert taken.second_sweep is not None
    again = taken.second_sweep.kernels["w001"]
    cut = replace(again, facts={k: v for k, v in again.facts.items() if k != fact}, missing={fact: "cut by the size limit"})
    second = replace(taken.second_sweep, kernels={**taken.second_sweep.kernels, "w001": cut})
    found = mesh_of(replace(taken, second_sweep=second))
    assert found.state("w001", "w002", leg) is State.UNKNOWN
    assert found.cell("w001", "w002").reason == "when read again: cut by the size limit"
    assert list(found.problems) == []


def test_what_the_first_reading_did_not_tell_was_seen_once_at_most() -> None:
    broken = changed(of_backend("vxlan"), "w001", once=False, routes=without(route_to("10.244.2.0/24")), fdb=without(on(DEVICE)))
    assert broken.sweep is not None
    first = broken.sweep.kernels["w001"]
    half = replace(first, facts={k: v for k, v in first.facts.items() if k != "routes"}, missing={"routes": "no answer in time"})
    found = mesh_of(replace(broken, sweep=replace(broken.sweep, kernels={**broken.sweep.kernels, "w001": half})))
    assert found.state("w001", "w002", Leg.ROUTE) is State.UNKNOWN
    assert found.cell("w001", "w002").reason == "no answer in time"


@pytest.mark.parametrize(("backend", "legs"), [("vxlan", set(Leg)), ("host-gw", {Leg.ROUTE})])
def test_of_a_node_that_did_not_answer_all_that_its_backend_wants_is_unknown(backend: str, legs: set[Leg]) -> None:
    nodes = fleet(3, backend=backend)
    kernels = [kernel(n, nodes) for n in nodes[:2]]
    conf = net_conf(backend={"Type": backend})
    found = mesh_of(with_sweep(healthy(nodes, config_maps=[conf]), sweep(nodes, kernels)))
    assert {leg for leg in Leg if found.state("w003", "w001", leg) is State.UNKNOWN} == legs


def test_a_node_that_did_not_answer_is_unknown_with_its_reason() -> None:
    nodes = fleet(3)
    kernels = [kernel(n, nodes) for n in nodes[:2]]
    gap = Gap(Topic.KERNELS, "connection refused", "w003")
    found = mesh_of(with_sweep(healthy(nodes, gaps=[gap]), sweep(nodes, kernels)))
    assert found.state("w003", "w001") is State.UNKNOWN
    assert found.state("w001", "w003") is State.OK
    assert found.cell("w003", "w001").reason == "connection refused"


@pytest.mark.parametrize(
    ("fact", "leg"), [("routes", Leg.ROUTE), ("rules", Leg.ROUTE), ("neighbours", Leg.NEIGHBOUR), ("fdb", Leg.FDB)]
)
def test_a_table_that_was_not_read_is_unknown_and_the_others_are_judged(fact: str, leg: Leg) -> None:
    found = mesh_of(changed(of_backend("vxlan"), "w001", once=False, **{fact: None}))
    assert found.state("w001", "w002", leg) is State.UNKNOWN
    assert {found.state("w001", "w002", other) for other in Leg if other is not leg} == {State.OK}


def test_a_windows_node_is_not_looked_at() -> None:
    nodes = [*fleet(2), announced(node("win1", "10.244.9.0/24", ip="10.20.0.9", os="windows"))]
    kernels = [kernel(n, nodes) for n in nodes[:2]]
    found = mesh_of(with_sweep(healthy(nodes), sweep(nodes, kernels)))
    assert found.state("w001", "win1") is State.OK
    assert "Windows" in found.cell("win1", "w001").reason


def test_there_is_no_mesh_before_any_sweep() -> None:
    assert Facts(healthy(fleet(2))).mesh is None
    assert NOW > READ_AT
