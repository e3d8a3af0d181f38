"""What a machine can do is tried, not guessed; and a skip in continuous integration needs a reason that holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import capabilities, skips
from tests.lab.capabilities import Trial

REPOSITORY = Path(__file__).resolve().parents[2]
HERE, GONE = Trial("here", "a trial that works", "true"), Trial("gone", "one that does not", "echo 'no such thing' >&2; false")

A_FILE_OF_TESTS = """
import pytest
from tests.lab.skips import judge, require, require_marked

def test_without_programs(): pytest.skip("flanneld is not built")
def test_without_its_capability(): require("gone")
@pytest.mark.needs("gone")
def test_marked(): raise AssertionError("it was to be skipped")
def test_with_an_excuse(): pytest.skip("this machine has no here: it is said")
"""
A_CONFTEST = """
import pytest
from tests.lab import capabilities
from tests.lab.skips import judge, require_marked

capabilities.TRIALS = (
    capabilities.Trial("here", "", "true"), capabilities.Trial("gone", "", "false"),
)
def pytest_configure(config): config.addinivalue_line("markers", "needs(*names): capabilities")
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item): require_marked(item)
@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    judge(report)
    return report
"""


@pytest.fixture
def two_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can try what a kernel does")
    monkeypatch.setattr(capabilities, "TRIALS", (HERE, GONE))
    capabilities.why_not.cache_clear()


def test_names_are_unique_and_every_trial_says_what_it_is_for() -> None:
    names = [trial.name for trial in capabilities.TRIALS]
    assert len(set(names)) == len(names)
    assert all(trial.use and trial.script for trial in capabilities.TRIALS)


def test_a_trial_answers_in_the_words_of_what_was_tried(two_trials: None) -> None:
    assert capabilities.why_not("here") == ""
    assert capabilities.why_not("gone") == "no such thing"
    assert capabilities.absent(["here", "gone"]) == ["gone"]
    assert capabilities.table().splitlines() == ["here  yes  a trial that works", "gone  no   one that does not  (no such thing)"]


def test_a_trial_leaves_no_device_on_this_machine() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can try what a kernel does")
    before = set(Path("/sys/class/net").iterdir())
    capabilities.why_not.cache_clear()
    assert capabilities.why_not("bridge") == ""
    assert set(Path("/sys/class/net").iterdir()) == before


@pytest.mark.parametrize(
    ("reason", "against"),
    [
        ("this machine has no gone: no such thing", ""),
        ("this machine has no here: it is said", "skipped for here, which this machine has"),
        ("this machine has no idea: what it is", "skipped for idea, of which tests/lab/capabilities.py knows nothing"),
        ("etcd is not installed", "continuous integration runs every lab test, and this one was skipped: etcd is not installed"),
    ],
)
def test_only_an_absent_capability_excuses_a_skip(reason: str, against: str, two_trials: None) -> None:
    assert skips.objection(reason) == against


@pytest.mark.parametrize(("ci", "failed", "skipped"), [("true", 2, 2), ("", 0, 4)])
def test_in_ci_a_skip_without_that_excuse_fails(ci: str, failed: int, skipped: int, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can try what a kernel does")
    (tmp_path / "conftest.py").write_text(A_CONFTEST)
    (tmp_path / "test_some.py").write_text(A_FILE_OF_TESTS)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(REPOSITORY), "PYTEST_ADDOPTS": ""}
    said = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60).stdout
    assert f"{skipped} skipped" in said, said
    assert (f"{failed} failed" in said) == bool(failed), said
    assert ("flanneld is not built" in said and "which this machine has" in said) == bool(failed), said
