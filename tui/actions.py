"""Which actions the table [keys] of the configuration may bind; known without importing the console."""

from __future__ import annotations

from collections.abc import Collection


def actions() -> Collection[str] | None:
    """Names of the console's actions, or None where any is accepted."""
    return None
