"""What a node says of itself in the table of nodes."""

from __future__ import annotations

from msgspec.structs import replace

from flannelscope.kernel_row import kernel_cells
from flannelscope.model import FlannelProcess, Snapshot
from tests.engine.builders import flannel_pod, fleet, healthy
from tests.engine.kernels import kernel, sweep, with_sweep

NODES = fleet(1)
POD = flannel_pod(NODES[0])


def running(process: FlannelProcess) -> Snapshot:
    """A node on which this flanneld runs."""
    told = kernel(NODES[0], NODES)
    told = replace(told, facts={**told.facts, "flannel_process": (process,)})
    return with_sweep(healthy(NODES, flannel_pods=[POD]), sweep(NODES, [told]))


def version(process: FlannelProcess) -> str:
    cells = kernel_cells(running(process), "w001")
    assert cells is not None
    return cells.flannel_version


def test_the_release_of_a_flanneld_is_that_of_the_image_of_the_pod_it_runs_in() -> None:
    """As /proc of a real node shows it, there is no version."""
    assert version(FlannelProcess(pid=1, argv=("/opt/bin/flanneld",), pod_uid=POD.uid)) == "v0.28.10"


def test_of_a_flanneld_in_no_pod_that_is_known_no_release_is_told() -> None:
    assert version(FlannelProcess(pid=1, argv=("/opt/bin/flanneld",))) == ""
    assert version(FlannelProcess(pid=1, argv=("/opt/bin/flanneld",), pod_uid="of-another")) == ""
