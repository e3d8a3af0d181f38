"""The parsers are held against the kernel: what they make of JSON and of text is what it says by netlink."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.lab.lab import REPOSITORY, Lab

ORACLE = [sys.executable, "-m", "tests.lab.oracle"]
ODDITIES = REPOSITORY / "tests/data/probes/oddities.sh"


def asked(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def differences(told: dict[str, Any]) -> dict[str, list[Any]]:
    """By command what only one of both says."""
    return {
        words: [entry for entry in (*value, *told["netlink"][name]) if (entry in value) != (entry in told["netlink"][name])]
        for name, ways in told["ways"].items()
        for words, value in ways.items()
        if value != told["netlink"][name]
    }


def test_on_a_node_every_way_says_what_the_kernel_says(lab: Lab) -> None:
    command = ["ip", "netns", "exec", lab.places.network(lab.nodes[0]), *ORACLE]
    told = asked(command)
    assert differences(told) == {}
    peers = set(lab.pod_cidrs().values()) - {lab.pod_cidrs()[lab.nodes[0]]}
    assert peers <= {route["destination"] for route in told["netlink"]["routes"] if route["device"] == "flannel.1"}
    assert len([entry for entry in told["netlink"]["fdb"] if entry["device"] == "flannel.1"]) == len(peers)


@pytest.mark.needs("vxlan", "ipv6")
def test_oddities_too(possible: None) -> None:
    told = asked(["unshare", "--net", "sh", "-euc", 'sh "$1" 2>&1 >&2; shift; exec "$@"', "sh", str(ODDITIES), *ORACLE])
    assert differences(told) == {}
    assert {"blackhole", "unreachable", "prohibit", "throw"} <= {route["kind"] for route in told["netlink"]["routes"]}
    assert len([link for link in told["netlink"]["links"] if link["vxlan"]]) == 3
