"""Runs the program as users do: in a process of its own, with an environment that knows no cluster; or within this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result

from tui.commands import program

ROOT = Path(__file__).parents[2]


def environment(home: Path, **further: str) -> dict[str, str]:
    """No kubeconfig, no configuration, no terminal."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "TERM": "dumb", "PYTHONUTF8": "1", **further}


def arguments(*args: str) -> list[str]:
    """The command line of a call."""
    return [sys.executable, "-m", "flannelscope", *args]


def call(home: Path, *args: str, timeout: float = 60, also: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        arguments(*args),
        env=environment(home, **(also or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run(*args: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error of a call within this process."""
    result: Result = CliRunner().invoke(program, list(args), standalone_mode=False, prog_name="flannelscope")
    if result.exception is not None:
        raise result.exception
    return result.return_value or 0, result.stdout, result.stderr
