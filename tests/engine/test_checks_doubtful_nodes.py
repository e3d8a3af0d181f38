"""Nodes of which neither life nor death is known, and quarrels that nothing decides: what FLN202 to FLN209 make of them.

A kubelet whose clock is 90 s behind renews a Lease that looks old while Ready stays True. It lives; but so looks a dead
machine while no controller manager is there to notice. Nothing may become milder by that, nobody may be called dead, nothing
may be deleted; and where the verdict hangs on such a Node, the check says that it does not know.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flannelscope.facts import Facts
from flannelscope.judge import judge
from flannelscope.model import Finding, Node, Severity, Snapshot, Topic
from flannelscope.rows import node_rows

from .builders import (
    NOW,
    announced,
    findings,
    flannel_pod,
    fleet,
    healthy,
    lease,
    mac_of,
    manager_lease,
    node,
    nodes_of,
    unknowns,
)

W1, W2, W3, W4 = fleet(4)
ODD = announced(W2, "host-gw")
CLONE = announced(W2, mac=mac_of("w001"))
SAME_ADDRESS = announced(W2, public_ip="10.20.0.1")
OTHER_VNI = announced(W2, vni=7)
IGNORED = announced(W2, public_ip_overwrite="203.0.113.7")


def behind(nodes: list[Node], *names: str, ago: float = 90, duration: int = 40) -> Snapshot:
    """A healthy cluster in which the Leases of these Nodes' kubelets look old, though all are Ready."""
    beats = [replace(lease(n, ago=ago), duration=duration) if n.name in names else lease(n) for n in nodes]
    return healthy(nodes, leases=[*beats, manager_lease()])


def said(found: Finding) -> str:
    """All that a finding says and proposes."""
    remedy = found.remedy
    return " ".join((found.summary, *((remedy.summary, *remedy.commands) if remedy else ())))


@pytest.mark.parametrize(
    ("code", "odd", "severity"),
    [
        ("FLN202", ODD, Severity.CRITICAL),
        ("FLN203", SAME_ADDRESS, Severity.CRITICAL),
        ("FLN204", SAME_ADDRESS, Severity.CRITICAL),
        ("FLN205", CLONE, Severity.CRITICAL),
        ("FLN206", OTHER_VNI, Severity.CRITICAL),
        ("FLN209", IGNORED, Severity.WARNING),
    ],
)
def test_a_doubtful_node_makes_nothing_milder_and_is_said_to_be_unknown(code: str, odd: Node, severity: Severity) -> None:
    silent = "w001" if code == "FLN203" else "w002"  # there it is the owner of the address who may be dead
    taken = behind([W1, odd, W3], silent)
    [found] = findings(taken, code)
    assert found.severity == severity
    assert "delete node" not in said(found)
    assert "dead" not in said(found) and "not alive" not in said(found) and "none of them" not in said(found)
    [doubt] = unknowns(taken, code)
    assert doubt.nodes == (silent,)
    assert "doubtful" in doubt.reason


@pytest.mark.parametrize(("code", "odd"), [("FLN202", ODD), ("FLN204", SAME_ADDRESS), ("FLN205", CLONE), ("FLN206", OTHER_VNI)])
def test_where_others_decide_the_doubtful_are_not_mentioned(code: str, odd: Node) -> None:
    assert unknowns(behind([W1, odd, W3, W4], "w004"), code) == []
    assert unknowns(healthy([W1, odd, W3]), code) == []


def test_leases_that_were_not_read_are_named_as_the_reason() -> None:
    taken = healthy([W1, CLONE, W3], topics=[t for t in Topic if t != Topic.LEASES])
    assert [f.severity for f in findings(taken, "FLN205")] == [Severity.CRITICAL]
    [doubt] = unknowns(taken, "FLN205")
    assert (doubt.nodes, "were not read" in doubt.reason) == (("w001", "w002"), True)


def test_a_raised_lease_duration_is_heeded() -> None:
    taken = behind([W1, CLONE, W3], "w001", "w002", ago=70, duration=300)
    assert [f.severity for f in findings(taken, "FLN205")] == [Severity.CRITICAL]
    assert unknowns(taken, "FLN205") == []


def test_the_heartbeat_of_a_doubtful_node_is_shown() -> None:
    [found] = findings(behind([W1, ODD, W3], "w002"), "FLN202")
    assert [e.what for e in found.evidence if e.what.startswith("Ready of")] == ["Ready of w002"]
    [absent] = findings(healthy([W1, ODD, W3], leases=[lease(W1), lease(W3)]), "FLN202")
    assert any(e.value.endswith("no Lease") for e in absent.evidence)


def test_the_row_of_a_doubtful_node_is_not_shown_as_looked_at() -> None:
    facts = Facts(behind([W1, W2, W3], "w002"))
    made = {row.name: row for row in node_rows(facts, judge(facts))}
    assert (made["w001"].glyph, made["w002"].glyph) == (".", "?")
    assert "whether it lives is not known" in made["w002"].note


def test_202_a_dead_node_beside_a_doubtful_majority() -> None:
    gone = replace(ODD, ready="Unknown", ready_since=NOW - 7200)
    [found] = findings(behind([W1, gone, W3], "w003"), "FLN202")
    assert (found.severity, found.nodes) == (Severity.WARNING, ("w002",))
    assert unknowns(behind([W1, gone, W3], "w003"), "FLN202") == []


class TestDeletion:
    """FLN202 proposes to delete the Node of a machine that is gone; for some Nodes that is more than it seems."""

    GONE = replace(ODD, ready="Unknown", ready_since=NOW - 7200)

    def remedy(self, gone: Node) -> tuple[tuple[str, ...], str]:
        [found] = findings(behind([W1, gone, W3], "w002", ago=7200), "FLN202")
        assert (found.severity, found.nodes) == (Severity.WARNING, ("w002",))
        assert found.remedy is not None
        return found.remedy.commands, found.remedy.summary

    def test_a_worker(self) -> None:
        commands, summary = self.remedy(self.GONE)
        assert commands[:2] == ("kubectl get node w002 -o yaml > w002.yaml", "kubectl delete node w002")
        assert "only if its machine is gone for good" in summary

    def test_a_fresh_lease_speaks_against_it(self) -> None:
        [found] = findings(healthy([W1, self.GONE, W3]), "FLN202")
        assert found.remedy is not None and found.remedy.commands == ()

    @pytest.mark.parametrize("role", ["control-plane", "master", "etcd"])
    def test_a_server_may_be_a_member_of_etcd(self, role: str) -> None:
        server = replace(self.GONE, labels={**self.GONE.labels, f"node-role.kubernetes.io/{role}": "true"})
        commands, summary = self.remedy(server)
        assert (commands, "etcd" in summary) == ((), True)

    @pytest.mark.parametrize("key", ["k3s.io/node-args", "rke2.io/node-args"])
    def test_a_k3s_or_rke2_server_without_a_role(self, key: str) -> None:
        server = replace(self.GONE, annotations={**self.GONE.annotations, key: '["server","--cluster-init"]'})
        assert self.remedy(server)[0] == ()
        agent = replace(self.GONE, annotations={**self.GONE.annotations, key: '["agent"]'})
        assert "kubectl delete node w002" in self.remedy(agent)[0]

    def test_finalizers_hold_it(self) -> None:
        commands, summary = self.remedy(replace(self.GONE, finalizers=("example.com/drain",)))
        assert (commands, "example.com/drain" in summary) == ((), True)

    def test_205_warns_of_etcd_too(self) -> None:
        server = replace(CLONE, ready="Unknown", labels={"node-role.kubernetes.io/control-plane": ""})
        [found] = findings(healthy([W1, server]), "FLN205")
        assert found.remedy is not None and "etcd" in found.remedy.caution


class TestTies:
    """As many say one thing as another, and no net-conf decides: both sides are named, and nobody is to be restarted."""

    def test_202_two_and_two(self) -> None:
        nodes = [W1, W2, announced(W3, "host-gw"), announced(W4, "host-gw")]
        pods = [flannel_pod(n) for n in nodes]
        [found] = findings(healthy(nodes, config_maps=[], flannel_pods=pods), "FLN202")
        assert (found.severity, found.nodes) == (Severity.CRITICAL, ("w001", "w002", "w003", "w004"))
        assert "host-gw by w003 w004, vxlan by w001 w002" in found.summary
        assert "majority" not in found.summary
        assert found.remedy is not None and found.remedy.commands == ()

    def test_202_with_net_conf_there_is_none(self) -> None:
        nodes = [W1, W2, announced(W3, "host-gw"), announced(W4, "host-gw")]
        assert nodes_of(findings(healthy(nodes), "FLN202")) == [("w003", "w004")]

    def test_202_among_the_dead_only(self) -> None:
        dead = [replace(n, ready="Unknown") for n in (W1, ODD)]
        [found] = findings(healthy(dead, config_maps=[]), "FLN202")
        assert (found.severity, "None of them is alive" in found.summary) == (Severity.WARNING, True)
        assert found.remedy is not None and found.remedy.commands == ()

    def test_206_one_and_one(self) -> None:
        nodes = [W1, OTHER_VNI]
        [found] = findings(healthy(nodes, config_maps=[], flannel_pods=[flannel_pod(n) for n in nodes]), "FLN206")
        assert (found.nodes, "1 by w001, 7 by w002" in found.summary) == (("w001", "w002"), True)
        assert found.remedy is not None and found.remedy.commands == ()

    def test_206_ports_that_net_conf_does_not_settle(self) -> None:
        data = '{"VNI":1,"VtepMAC":"%s","Port":%d}'
        nodes = [
            announced(node(f"w{i}", f"10.244.{i}.0/24", ip=f"10.20.0.{i}"), backend_data=data % (mac_of(f"w{i}"), port))
            for i, port in ((1, 8472), (2, 4789))
        ]
        [found] = findings(healthy(nodes), "FLN206")
        assert "Port" in found.summary and found.nodes == ("w1", "w2")


def test_a_node_that_turned_ready_after_the_leases_were_read_is_alive() -> None:
    late = replace(W1, ready_since=NOW + 5)
    assert Facts(healthy([late], leases=[lease(late, ago=900)])).alive(late) is True
    assert Facts(healthy([W1], leases=[lease(W1, ago=900)])).alive(W1) is None
