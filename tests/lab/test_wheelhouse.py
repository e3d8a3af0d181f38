"""A bastion without internet: `make wheelhouse` here, `install.sh` in a network namespace where there is nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.places import REPOSITORY

pytestmark = pytest.mark.xdist_group("wheelhouse")
OFFLINE = ["unshare", "--net"]


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheelhouse made of this tree."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a namespace without network needs root and unshare")
    place = tmp_path_factory.mktemp("bastion") / "wheelhouse"
    made = subprocess.run(
        ["make", "wheelhouse", f"VENV={sys.prefix}", f"WHEELHOUSE={place}"], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return place


def test_it_installs_and_works_without_network(wheelhouse: Path) -> None:
    home = wheelhouse.parent / "home"
    home.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHON": sys.executable}
    installed = subprocess.run([*OFFLINE, str(wheelhouse / "install.sh")], env=environment, capture_output=True, text=True)
    assert installed.returncode == 0, installed.stdout + installed.stderr

    program = str(home / ".local/bin/flannelscope")
    version = subprocess.run([*OFFLINE, program, "--version"], env=environment, capture_output=True, text=True)
    assert version.returncode == 0
    assert "flannelscope" in version.stdout

    report = subprocess.run(
        [*OFFLINE, program, "check", "--demo", "--fail-on", "never"], env=environment, capture_output=True, text=True
    )
    assert report.returncode == 0, report.stderr
    assert "FLN101" in report.stdout


def test_another_python_is_refused_in_words(wheelhouse: Path, tmp_path: Path) -> None:
    """Compiled wheels fit one version only: that is said before anything is made."""
    (wheelhouse / "made-for").rename(wheelhouse / "kept")
    (wheelhouse / "made-for").write_text("3.99 linux-nowhere\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHON": sys.executable}
    try:
        refused = subprocess.run([str(wheelhouse / "install.sh")], env=environment, capture_output=True, text=True)
    finally:
        (wheelhouse / "kept").replace(wheelhouse / "made-for")

    assert refused.returncode == 1
    assert "3.99" in refused.stderr
    assert list(tmp_path.iterdir()) == []
