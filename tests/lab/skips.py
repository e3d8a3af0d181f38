"""A lab test may be skipped for what the machine cannot do; in continuous integration for nothing else.

A test says `require("wireguard")`, or carries `@pytest.mark.needs("wireguard")`. With CI=true in the environment a lab test
that is skipped for any other reason fails with that reason, so that a lab that cannot be built is never taken for a lab that
is well.
"""

from __future__ import annotations

import os
import re

import pytest

from tests.lab import capabilities

REASON = re.compile(r"this machine has no ([a-z0-9-]+):")


def require(*names: str) -> None:
    """Skip the running test unless the machine has all these capabilities."""
    for name in names:
        reason = capabilities.why_not(name)
        if reason:
            pytest.skip(f"this machine has no {name}: {reason}")


def objection(reason: str) -> str:
    """Why continuous integration does not put up with a lab test skipped for `reason`; "" where it does."""
    said = REASON.search(reason)
    if not said:
        return f"continuous integration runs every lab test, and this one was skipped: {reason}"
    name = said.group(1)
    if name not in {trial.name for trial in capabilities.TRIALS}:
        return f"skipped for {name}, of which tests/lab/capabilities.py knows nothing"
    if not capabilities.why_not(name):
        return f"skipped for {name}, which this machine has"
    return ""


def in_ci() -> bool:
    """Whether this is continuous integration, as every such service says it."""
    return os.environ.get("CI", "").lower() in ("1", "true")


def require_marked(item: pytest.Item) -> None:
    """What the marks `needs` of a test ask for; to be called before the test is set up."""
    for mark in item.iter_markers("needs"):
        require(*mark.args)


def judge(report: pytest.TestReport) -> None:
    """Turn the skip of a lab test into a failure where continuous integration does not put up with it."""
    if not (in_ci() and report.skipped) or hasattr(report, "wasxfail"):
        return
    against = objection(_reason(report))
    if against:
        report.outcome = "failed"
        report.longrepr = against


def _reason(report: pytest.TestReport) -> str:
    """Pytest keeps a skip as file, line and reason."""
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
