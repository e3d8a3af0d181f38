"""One picture of each screen at two sizes. They are made on one version of Python only; elsewhere they are skipped.

After a change that is meant: `pytest tests/tui/test_pictures.py --snapshot-update`, and look at them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from textual.pilot import Pilot

from flannelscope import wire
from flannelscope.node_views import AnyDetail, PairState
from flannelscope.views import FindingView, NodeRow
from tests.tui.test_mesh import CHANGED, OUTLIERS, SAYS, cell, mesh
from tests.tui.world import NODES, TWINS, SaidEngine, console, finding, node, reading

pytestmark = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are made on Python 3.11")
SIZES = [(80, 24), (200, 50)]

ROWS: tuple[NodeRow, ...] = (
    *NODES,
    *(node(f"w{n:03}", f"10.244.{n}.0/24", internal_ips=(f"10.20.1.{n}",), public_ips=(f"10.20.1.{n}",)) for n in range(40, 90)),
)
FINDINGS: tuple[FindingView, ...] = (
    TWINS,
    finding("FLN102", "w045", "w[251]", slug="overlapping-podcidr", summary="w045 holds 10.242.0.0/16 over others' /24."),
    finding("FLN306", "w201", severity=2, slug="flannel-versions-differ", summary="Two versions of flannel run."),
    finding("FLN203", "w088", severity=1, slug="public-ip-wrong", summary="w088 announces a public address."),
)


def picture(*keys: str, **said: Any) -> dict[str, Any]:
    """An app, and what to do with it before the picture."""
    engine = SaidEngine()

    async def before(pilot: Pilot[int]) -> None:
        await pilot.pause()
        engine.say(*said.get("events", reading(rows=ROWS, findings=FINDINGS)))
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()

    return {"app": console(engine), "run_before": before}


def told(*keys: str, details: Sequence[tuple[str, tuple[str, ...], AnyDetail]], then: Sequence[str] = ()) -> dict[str, Any]:
    """A picture of a screen for which the engine told details; `then` are keys pressed afterwards."""
    engine = SaidEngine()
    app = console(engine)

    async def before(pilot: Pilot[int]) -> None:
        await pilot.pause()
        engine.say(*reading(rows=ROWS, findings=FINDINGS))
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        for what, about, view in details:
            engine.say(wire.Detailed(run=app.store.state.run, what=what, about=about, view=view))
            await pilot.pause()
        for key in then:
            await pilot.press(key)
            await pilot.pause()

    return {"app": app, "run_before": before}


FORTY = tuple(f"w{number:03}" for number in range(1, 41))
HUNDREDS = tuple(f"w{number:03}" for number in range(1, 301))
FAULTS = ((4, 17), *((row, 9) for row in range(40) if row != 9), (21, 3))
MESH = (("mesh", (), mesh(*FAULTS, names=FORTY)), ("cell", ("w001", "w010"), cell("w001", "w010")))
PAIR = (
    ("mesh", (), mesh((0, 1))),
    ("cell", ("w001", "w002"), cell("w001", "w002")),
    ("cell", ("w002", "w001"), cell("w002", "w001", PairState.OK)),
)
PICTURES: dict[str, Callable[[], dict[str, Any]]] = {
    "overview": lambda: picture(),
    "nodes": lambda: picture("2"),
    "nodes-filtered": lambda: picture("2", "slash", "w", "0", "4", "enter"),
    "node": lambda: picture("2", "enter"),
    "findings": lambda: picture("7"),
    "finding": lambda: picture("7", "enter"),
    "setting": lambda: picture("j", "j", "j", "j", "enter"),
    "requests": lambda: picture("at"),
    "mesh": lambda: told("4", details=MESH, then=["n"]),
    "mesh-300": lambda: told("4", details=(("mesh", (), mesh((7, 250), (90, 91), names=HUNDREDS)),)),
    "pair": lambda: told("4", details=PAIR, then=["right", "enter"]),
    "node-interfaces": lambda: told("2", "enter", "tab", details=(("node-says", ("w031",), SAYS),)),
    "outliers": lambda: told("colon", *"outliers", "enter", details=(("outliers", (), OUTLIERS),)),
    "changed": lambda: told("colon", *"changed", "enter", details=(("followed", (), CHANGED),)),
    "help": lambda: picture("2", "question_mark"),
    "reading": lambda: picture(
        events=(
            wire.Progressed(run=1, topic="nodes", read=5000, done=True, requests=10, received=45_000_000),
            wire.Progressed(run=1, topic="pods", read=45_000, total=150_000, requests=101, received=312_000_000),
        )
    ),
    "failed": lambda: picture(
        events=(
            wire.Failed(
                run=1,
                what="The server's certificate is for another name: it says kubernetes, kubernetes.default.",
                where="https://10.0.0.1:6443, cluster prod-cn-1 of /home/op/.kube/config",
                do="Set tls-server-name in the kubeconfig, or use an address the certificate names.",
            ),
        )
    ),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", PICTURES)
def test_picture(name: str, size: tuple[int, int], snap_compare: Any) -> None:
    made = PICTURES[name]()
    assert snap_compare(made["app"], run_before=made["run_before"], terminal_size=size)
