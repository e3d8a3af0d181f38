"""The nodes of simulated clusters say what real ones would: healthy ones nothing strange, faulty ones their fault."""

from __future__ import annotations

import pytest

from flannelscope import simulated
from flannelscope.judge import judge
from flannelscope.model import Kernel, Link, Severity, Snapshot, Topic
from flannelscope.probes import all_probes
from flannelscope.session import DEMOS, Settings, open_source
from flannelscope.ssh_settings import SshSettings

NOW = 1_780_000_000.0


def built(name: str) -> Snapshot:
    return simulated.build(name, NOW, kernels=True)


def kernel(snapshot: Snapshot, name: str) -> Kernel:
    assert snapshot.sweep is not None
    return snapshot.sweep.kernels[name]


def tunnel(said: Kernel) -> Link:
    links: tuple[Link, ...] = said.facts["links"]
    return next(link for link in links if link.kind == "vxlan")


def grave(snapshot: Snapshot) -> set[tuple[str, tuple[str, ...]]]:
    return {(f.code, f.nodes) for f in judge(snapshot).findings if f.severity >= Severity.WARNING}


@pytest.mark.parametrize("name", DEMOS)
def test_every_node_answers_and_tells_why_a_thing_is_missing(name: str) -> None:
    snapshot = built(name)

    assert snapshot.has(Topic.KERNELS)
    assert snapshot.sweep is not None and snapshot.sweep.kernels.keys() == {node.name for node in snapshot.nodes}
    for said in snapshot.sweep.kernels.values():
        assert said.facts.keys() | said.missing.keys() >= all_probes().keys()
        assert not said.facts.keys() & said.missing.keys()


@pytest.mark.parametrize("name", DEMOS)
def test_kernels_say_nothing_grave_that_has_no_cause_in_the_api(name: str) -> None:
    """The causes are the demo's; what they do to kernels is explained by them and stands inside them."""
    assert grave(built(name)) == grave(simulated.build(name, NOW))


def test_peers_of_twins_keep_the_entry_of_the_one_that_came_last() -> None:
    """w231 was made by hand long after w031: its MAC is the one that everybody else sends to."""
    snapshot = built("twins")
    macs = {name: tunnel(kernel(snapshot, name)).mac for name in ("w031", "w231")}
    entries = {n.address: n.mac for n in kernel(snapshot, "w001").facts["neighbours"]}

    assert entries["10.244.31.0"] == macs["w231"]
    assert {entry.mac for entry in kernel(snapshot, "w001").facts["fdb"]} >= set(macs.values())
    assert "10.244.31.0" not in {n.address for n in kernel(snapshot, "w031").facts["neighbours"]}


def test_a_node_of_another_backend_knows_nobody_and_has_no_tunnel() -> None:
    odd = kernel(built("twins"), "w118")

    assert [link for link in odd.facts["links"] if link.kind == "vxlan"] == []
    assert [route for route in odd.facts["routes"] if route.device == "flannel.1"] == []


def test_a_node_that_waits_for_a_podcidr_has_nothing_of_flannel() -> None:
    waiting = kernel(built("exhausted"), "w280")

    assert not waiting.facts["subnet_env"].present
    assert waiting.facts["flannel_process"] == ()
    assert {link.name for link in waiting.facts["links"]} <= {"lo", "eth0", "eth1", "bond1"}


def test_only_who_asks_for_kernels_gets_them() -> None:
    assert Topic.KERNELS not in open_source(Settings(demo="healthy")).topics()
    assert Topic.KERNELS in open_source(Settings(demo="healthy", ssh=SshSettings())).topics()
