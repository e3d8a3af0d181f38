"""The one cluster that all tests of this directory share, and Nodes that a test may add to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.cluster import DEFAULT_FLAGS, Lab, LabFailed, brought_up, built, missing, running

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is a lab test, all of it in one worker, and may take longer than a test of the engine."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)
            item.add_marker(pytest.mark.xdist_group("lab"))
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Three real nodes with flannel. With FLANNELSCOPE_LAB_ATTACH the lab that is up is used, and left up."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    if os.environ.get("FLANNELSCOPE_LAB_ATTACH"):
        if not running():
            pytest.skip("FLANNELSCOPE_LAB_ATTACH is set and no lab is up")
        yield Lab(built())
        return
    ours = Path.home() / ".cache/flannelscope-lab"
    if running() and not any((ours / "pids").glob("*")):
        pytest.skip("a lab that is not of these tests is up; end it, or test on it with FLANNELSCOPE_LAB_ATTACH=1")
    with brought_up(3, ours) as up:
        yield up


@pytest.fixture
def clean(lab: Lab) -> Iterator[Lab]:
    """The lab, and after the test its own three Nodes only and the controller manager's own flags."""
    before = set(lab.pod_cidrs())
    try:
        yield lab
    finally:
        lab.delete_nodes(sorted(set(lab.pod_cidrs()) - before))
        lab.controller_manager(**{name.replace("-", "_"): value for name, value in DEFAULT_FLAGS.items()})


__all__ = ["LabFailed", "clean", "lab"]
