"""Room for labs side by side: what is taken, what starts claim beforehand, and that a lab needs no more than it claims."""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab import cgroups, limits, side_by_side
from tests.lab.lab import Lab, LabFailed
from tests.lab.lifecycle import reserved
from tests.lab.places import Places
from tests.lab.processes import started_at, wait_until
from tests.lab.settings import Settings

ONE, OTHER = Settings("one", nodes=1), Settings("other", nodes=1)
EACH = limits.needed(ONE)
Kernel = Callable[[int], None]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kernel:
    """A kernel that allows so many watchers, of which this process has 10 and nobody else any; no lab claims any."""
    monkeypatch.setenv("FLANNELSCOPE_LAB_HOME", str(tmp_path))
    monkeypatch.setattr(limits, "MOST", tmp_path / "max_user_instances")
    monkeypatch.setattr(limits, "_watchers", lambda process: 10 if process.name == str(os.getpid()) else 0)

    def allows(most: int) -> None:
        limits.MOST.write_text(f"{most}\n")

    return allows


def test_what_is_taken_counts(kernel: Kernel) -> None:
    kernel(10 + EACH - 1)
    with pytest.raises(LabFailed, match="10 are taken, and this lab needs 24"), limits.room(ONE):
        raise AssertionError("there was no room")
    kernel(10 + EACH)
    with limits.room(ONE):
        assert limits.used() == 10 + EACH


def test_of_two_starts_the_second_counts_the_first(kernel: Kernel) -> None:
    """The first has hardly a process yet."""
    kernel(10 + 2 * EACH - 1)
    with limits.room(ONE), pytest.raises(LabFailed, match="take another lab down"), limits.room(OTHER):
        raise AssertionError("there was no room")
    with limits.room(OTHER):
        assert limits.used() == 10 + EACH


def test_who_is_patient_waits_for_the_others_end(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(10 + EACH - 1)
    monkeypatch.setattr("time.sleep", lambda _: kernel(10 + EACH))
    with limits.room(ONE, patience=60.0):
        assert limits.used() == 10 + EACH


def test_the_claim_of_a_start_that_was_killed_counts_no_more(kernel: Kernel, tmp_path: Path) -> None:
    """Neither when its number is another process' now."""
    began = int(started_at(os.getpid()) or 0)
    claims = {"gone": (50, 2**22 + 1, "1"), "another": (50, os.getpid(), str(began - 1)), "here": (7, os.getpid(), str(began))}
    (tmp_path / "claims.json").write_text(json.dumps(claims))
    assert limits.used() == 10 + 7


def test_watchers_are_counted_as_the_kernel_does() -> None:
    own = Path(f"/proc/{os.getpid()}")
    before = limits._watchers(own)
    watcher = ctypes.CDLL(None).inotify_init()
    try:
        assert limits._watchers(own) == before + 1
    finally:
        os.close(watcher)


def test_a_lab_has_no_more_than_it_needs(lab: Lab) -> None:
    """And few less: else labs wait for room that there is. What is just restarted has none for a moment."""

    def watchers() -> int:
        return sum(limits._watchers(Path(f"/proc/{pid}")) for pid in cgroups.members(lab.places))

    needed = limits.needed(lab.settings)
    wait_until(lambda: needed - 3 <= watchers() <= needed, f"it has hardly less than {needed} watchers, and no more", 60)


def test_there_is_always_one_lab_and_never_more_than_fit(kernel: Kernel) -> None:
    kernel(11)
    assert side_by_side.number() == 1
    kernel(10 + 2 * limits.needed(Settings(nodes=side_by_side.NODES)))
    assert side_by_side.number() <= 2


def test_of_killed_workers_the_labs_would_be_ended_and_no_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """None is: a lab's cgroups are told apart by its name, and workers that are at work have these names too."""
    ended: list[str] = []
    monkeypatch.setenv("FLANNELSCOPE_LAB_HOME", str(tmp_path))
    monkeypatch.setattr(side_by_side, "take_down", ended.append)
    for name in ("tests0", "tests1", "kinds2", "lab", "testsuite"):
        Places(name).home.mkdir(parents=True)
        Places(name).state.write_text("{}")
    with reserved(Places("tests1")):  # its worker is at work
        side_by_side.end_left()
    assert ended == ["kinds2", "tests0"]


@pytest.mark.parametrize(("worker", "name"), [("", "tests"), ("gw0", "tests0"), ("gw11", "tests11")])
def test_each_worker_has_labs_of_its_own(worker: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    assert side_by_side.named("tests") == name
