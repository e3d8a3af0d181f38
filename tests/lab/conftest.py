"""The one cluster that most tests of this directory share, and Nodes that a test may add to it."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.lab import programs, skips
from tests.lab.lab import Lab, attached, brought_up
from tests.lab.settings import Settings

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is a lab test, all of it in one worker, and may take longer than a test of the engine."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)
            item.add_marker(pytest.mark.xdist_group("lab"))
            item.add_marker(pytest.mark.timeout(600))


def pytest_configure(config: pytest.Config) -> None:
    """A mark of this directory only."""
    config.addinivalue_line("markers", "needs(*names): skipped where the machine has not these of tests/lab/capabilities.py")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before anything is brought up for a test that cannot run here."""
    skips.require_marked(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Continuous integration does not put up with every skip."""
    report = yield
    if HERE in item.path.parents:
        skips.judge(report)
    return report


@pytest.fixture(scope="session")
def possible() -> None:
    """Skips what needs a lab where none can be had; builds its programs where they are not built yet."""
    reason = programs.missing()
    if reason:
        pytest.skip(reason)
    programs.provide()


@pytest.fixture(scope="session")
def lab(possible: None) -> Iterator[Lab]:
    """Three real nodes with flannel beside the control plane's.

    FLANNELSCOPE_LAB_ATTACH names a lab that is up (`make lab` calls it "lab"): that one is used, and left up.
    """
    name = os.environ.get("FLANNELSCOPE_LAB_ATTACH")
    if name:
        yield attached(name)
        return
    with brought_up(Settings("tests", nodes=3)) as up:
        yield up


@pytest.fixture
def clean(lab: Lab) -> Iterator[Lab]:
    """The lab, and after the test its own Nodes only and the controller manager's own flags."""
    before = set(lab.pod_cidrs())
    flags = lab.manager_flags()
    try:
        yield lab
    finally:
        lab.delete_nodes(sorted(set(lab.pod_cidrs()) - before))
        lab.controller_manager(**{name.replace("-", "_"): value for name, value in flags.items()})
