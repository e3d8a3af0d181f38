"""A healthy real cluster: everything is read and nothing is reported."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab.lab import DEFAULT_FLAGS, Lab
from tests.lab.reports import codes, findings, gaps

RANGES = ("--cluster-cidr", DEFAULT_FLAGS["cluster-cidr"], "--node-cidr-mask-size", DEFAULT_FLAGS["node-cidr-mask-size"])


def test_nothing_is_wrong(lab: Lab) -> None:
    lab.flannel_ready()
    report = lab.check(*RANGES)

    assert codes(report, "warning") == set(), json.dumps(report["findings"], indent=1)
    assert gaps(report) == []
    assert report["exit"] == 0
    assert report["cluster"]["nodes"] == len(lab.nodes) + 1
    assert report["cluster"]["version"].startswith("v1.34")


def test_without_options_too(lab: Lab) -> None:
    """The control plane's own pods say what the allocator was started with."""
    report = lab.check()

    assert codes(report, "warning") == set()
    assert "FLN103" not in {unknown["code"] for unknown in report["unknown"]}
    assert report["exit"] == 0


def test_every_node_is_shown_with_what_flannel_announces(lab: Lab) -> None:
    result = lab.flannelscope("nodes", "-o", "json")
    assert result.returncode == 0, result.stderr

    shown = {row["name"]: row for row in json.loads(result.stdout)["nodes"]}
    real = {node["metadata"]["name"]: node for node in lab.get("/api/v1/nodes")["items"]}
    assert shown.keys() == real.keys()
    for name, node in real.items():
        said = json.dumps(shown[name])
        assert node["spec"]["podCIDR"] in said
        assert node["metadata"]["annotations"]["flannel.alpha.coreos.com/public-ip"] in said
        assert json.loads(node["metadata"]["annotations"]["flannel.alpha.coreos.com/backend-data"])["VtepMAC"] in said


def test_a_saved_list_of_nodes_says_the_same(lab: Lab, tmp_path: Path) -> None:
    saved = tmp_path / "nodes.json"
    saved.write_text(lab.kubectl("get", "nodes", "-o", "json"))

    live = json.loads(lab.flannelscope("nodes", "-o", "json").stdout)["nodes"]
    read = json.loads(lab.flannelscope("nodes", "--from", str(saved), "-o", "json").stdout)["nodes"]

    assert [row["name"] for row in read] == [row["name"] for row in live]
    report = lab.check("--from", str(saved), *RANGES)
    assert codes(report, "warning") == set()


def test_what_the_allocator_would_hand_out_next_is_what_it_hands_out(clean: Lab) -> None:
    """A restarted controller manager starts at the first free block; the next Nodes get just what was foretold."""
    from tests.lab.objects import bare_node

    answer = json.loads(clean.flannelscope("cidr", "free", "-n", "3", *RANGES, "-o", "json").stdout)
    assert answer["would_start"] is True
    assert answer["left"] == 256 - len(clean.pod_cidrs())

    clean.controller_manager()
    given = clean.create_and_await([bare_node(f"next-{i}") for i in range(3)])
    assert sorted(given) == sorted(answer["next"][:3])
    assert findings(clean.check(*RANGES), "FLN101") == []
