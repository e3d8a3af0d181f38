"""Times that no calendar has: clocks of nodes and files tell them, and they end neither a screen nor a check."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flannelscope import kernel_words, proofs
from flannelscope.details import all_details
from flannelscope.details.broken import broken
from flannelscope.facts import Facts
from flannelscope.judge import judge
from flannelscope.mesh import origin
from flannelscope.model import FlannelProcess, SubnetEnv
from flannelscope.moments import IMPOSSIBLE, utc
from flannelscope.node_views import NodeSaysView
from flannelscope.report import moment
from tests.engine.builders import NOW, fleet, healthy
from tests.engine.kernels import kernel, sweep, with_sweep

ODD = [1e20, -1e20, 1e18, float("nan"), float("inf")]


def test_a_time_is_told_in_utc() -> None:
    assert utc(0.0) == "1970-01-01T00:00:00Z"
    assert utc(None, none="not known") == "not known"


@pytest.mark.parametrize("odd", ODD)
def test_whoever_tells_a_time_tells_an_odd_one_too(odd: float) -> None:
    nodes = fleet(2)
    assert {utc(odd), kernel_words.at(odd), proofs.when(odd), moment(odd)} == {IMPOSSIBLE}
    assert IMPOSSIBLE in origin(kernel(nodes[0], nodes, at=odd), "routes")


@pytest.mark.parametrize("odd", ODD)
def test_a_process_and_a_file_of_odd_age_are_shown(odd: float) -> None:
    nodes = fleet(2)
    facts = {
        "flannel_process": (FlannelProcess(pid=1, argv=("flanneld",), started=odd),),
        "subnet_env": SubnetEnv(path="/run/flannel/subnet.env", values={}, modified=odd),
    }
    first, second = (kernel(node, nodes) for node in nodes)
    taken = with_sweep(healthy(nodes), sweep(nodes, [replace(first, facts={**first.facts, **facts}), second], begun=NOW))
    seen = Facts(taken)
    view = all_details()["node-says"].make(seen, judge(seen), ("w001",))

    assert isinstance(view, NodeSaysView)
    assert IMPOSSIBLE in str([line.cells for tab in view.tabs for table in tab.tables for line in table.lines])


def test_each_detail_can_be_said_to_have_failed() -> None:
    for name in all_details():
        view = broken(name, ("w001", "w002"), ValueError("no\x1b[2J"))
        assert "ValueError" in str(view) and "\x1b" not in str(view)
