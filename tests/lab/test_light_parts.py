"""Parts of light nodes that need no cluster: room for their podCIDRs, heartbeats, and what is read of a kernel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.lab import leases, light_objects, synced
from tests.lab.api import Api, Refused
from tests.lab.leases import Renewer
from tests.lab.networks import light_nodes
from tests.lab.settings import KINDS, Settings

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010012C6\t0003\t0\t0\t0\t00000000\t0\t0\t0
flannel.1\t0001F40A\t0001F40A\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
cni0\t0002F40A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth1\t0003F40A\t66001EAC\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""
NEIGHBOURS = """IP address       HW type     Flags       HW address            Mask     Device
10.244.1.0       0x1         0x6         02:65:a1:ad:66:af     *        flannel.1
10.244.9.0       0x1         0x0         00:00:00:00:00:00     *        flannel.1
172.30.0.10      0x1         0x2         9e:e3:fe:15:4f:81     *        eth1
"""


class FakeApi(Api):
    """An API server with one Node, and what of its Leases was written."""

    def __init__(self) -> None:
        self.nodes: dict[str, Any] = {"l001": {"metadata": {"name": "l001", "uid": "7"}}}
        self.leases: dict[str, Any] = {}
        self.asked: list[str] = []

    def get(self, path: str) -> dict[str, Any]:
        return self._found("GET", self.nodes if "/nodes/" in path else self.leases, path)

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self._found("PUT", self.leases, path)
        self.leases[body["metadata"]["name"]] = body
        return body

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(f"POST {path}")
        self.leases[body["metadata"]["name"]] = body
        return body

    def _found(self, method: str, kind: dict[str, Any], path: str) -> dict[str, Any]:
        name = path.rpartition("/")[2]
        self.asked.append(f"{method} {name}")
        if name not in kind:
            raise Refused(404, "not found")
        found: dict[str, Any] = kind[name]
        return found


@pytest.fixture
def server() -> FakeApi:
    return FakeApi()


@pytest.fixture
def renew(server: FakeApi) -> Callable[[str], None]:
    return Renewer(server).renew


def test_a_lease_is_made_once_and_then_renewed_by_one_request(server: FakeApi, renew: Callable[[str], None]) -> None:
    renew("l001")
    owner = server.leases["l001"]["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["uid"]) == ("Node", "7")
    server.asked.clear()
    made = server.leases["l001"]["spec"]["renewTime"]
    renew("l001")
    assert server.asked == ["PUT l001"]
    assert server.leases["l001"]["spec"]["renewTime"] > made


def test_the_lease_of_a_node_that_is_gone_is_not_made_again(server: FakeApi, renew: Callable[[str], None]) -> None:
    renew("l001")
    server.nodes.clear()
    server.leases.clear()
    renew("l001")
    assert server.leases == {}


def test_a_lease_begins_with_the_node_and_lasts_40_seconds() -> None:
    made = leases.lease({"metadata": {"name": "l001", "uid": "7"}}, datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC))
    assert made["spec"] == {"holderIdentity": "l001", "leaseDurationSeconds": 40, "renewTime": "2026-01-02T03:04:05.000006Z"}


def test_a_node_that_was_taken_for_dead_is_ready_after_the_next_report() -> None:
    network = {"type": "NetworkUnavailable", "status": "False", "reason": "FlannelIsUp"}
    lost = [{"type": kind, "status": "Unknown", "reason": "NodeStatusUnknown"} for kind in ("MemoryPressure", "Ready")]
    after = leases.reported({"status": {"conditions": [network, *lost]}}, "2026-01-02T03:04:05Z")
    assert [(c["type"], c["status"]) for c in after] == [
        ("NetworkUnavailable", "False"),
        ("MemoryPressure", "False"),
        ("Ready", "True"),
    ]
    assert after[0] is network


def test_routes_and_neighbours_are_read_as_the_kernel_writes_them(tmp_path: Path) -> None:
    (tmp_path / "route").write_text(ROUTES)
    (tmp_path / "arp").write_text(NEIGHBOURS)
    assert synced.routes(tmp_path) == {"0.0.0.0/0": "eth0", "10.244.1.0/24": "flannel.1", "10.244.3.0/24": "eth1"}
    assert synced.arp(tmp_path) == {"10.244.1.0"}


@pytest.mark.parametrize(
    ("kind", "light", "wide"),
    [
        ("vxlan", 0, "10.244.0.0/16"),
        ("vxlan", 200, "10.244.0.0/16"),
        ("vxlan", 300, "10.244.0.0/15"),
        ("vxlan", 1000, "10.240.0.0/13"),
        ("dual-stack", 300, "10.244.0.0/15,fd00:10:244::/55"),
    ],
)
def test_there_is_a_podcidr_for_everyone(kind: str, light: int, wide: str) -> None:
    settings = Settings("room", nodes=3, light=light, kind=KINDS[kind])
    assert settings.kind.manager_flags["cluster-cidr"] == wide
    assert Settings.from_json(settings.to_json()) == settings


def test_what_flannel_will_announce_is_told_apart_by_its_mac() -> None:
    settings = Settings("room", light=300)
    data = [light_objects.announced(machine, settings.kind)["metadata"]["annotations"] for machine in light_nodes(settings)]
    assert len({entry["flannel.alpha.coreos.com/backend-data"] for entry in data}) == 300
    assert len({entry["flannel.alpha.coreos.com/public-ip"] for entry in data}) == 300
    assert light_objects.announced(light_nodes(settings)[0], KINDS["host-gw"]) == {}
