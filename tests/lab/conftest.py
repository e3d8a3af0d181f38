"""The cluster that most tests of this directory share, and Nodes that a test may add to it.

In workers of pytest-xdist each has one of its own. Tests that bring up labs themselves come first, as long as there is room for
those: nobody has brought up the shared one then.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.lab import programs, side_by_side, skips
from tests.lab.lab import Lab, attached, brought_up
from tests.lab.settings import Settings

HERE = Path(__file__).parent
ATTACH = "FLANNELSCOPE_LAB_ATTACH"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is a lab test, and may take longer than a test of the engine. A lab that was up before is one worker's."""
    here = [item for item in items if HERE in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.lab)
        item.add_marker(pytest.mark.timeout(600, func_only=True))  # fixtures wait for room as well, and have limits of their own
        if os.environ.get(ATTACH):
            item.add_marker(pytest.mark.xdist_group("lab"), append=False)
    elsewhere = [item for item in items if HERE not in item.path.parents]
    items[:] = elsewhere + sorted(here, key=turn)


def turn(item: pytest.Item) -> tuple[int, int]:
    """Which tests come before others: those with labs of their own, then those for which a lab may be new, then the slow ones.

    What is short or needs no lab comes last: so nobody waits long for who has the last one.
    """
    fixtures, slow = getattr(item, "fixturenames", ()), item.get_closest_marker("slow")
    minutes = slow.args[0] if slow else 0
    if "possible" not in fixtures:
        return 4, 0
    if "lab" not in fixtures:
        return 0, -minutes
    if minutes:
        return 2, -minutes
    return (3 if item.get_closest_marker("settled") else 1), 0


def pytest_configure(config: pytest.Config) -> None:
    """Marks of this directory only."""
    config.addinivalue_line("markers", "needs(*names): skipped where the machine has not these of tests/lab/capabilities.py")
    config.addinivalue_line("markers", "settled: needs a lab whose Nodes are two minutes old")
    config.addinivalue_line("markers", "slow(minutes): waits so long itself; the slowest come first")


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


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """When an interrupted run has killed its workers, what they had brought up is still there."""
    if exitstatus == pytest.ExitCode.INTERRUPTED and not hasattr(session.config, "workerinput"):
        side_by_side.end_left()


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
    name = os.environ.get(ATTACH)
    if name:
        yield attached(name)
        return
    with brought_up(Settings(side_by_side.named("tests"), nodes=side_by_side.NODES)) as up:
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
