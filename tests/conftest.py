"""For all tests."""

from __future__ import annotations

import pytest

from flannelscope import judge


@pytest.fixture(autouse=True)
def failing_checks_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that raises becomes an Unknown for operators; a test must not take that for an answer."""
    monkeypatch.setattr(judge, "RAISE", True)
