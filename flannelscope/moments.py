"""Times in words. Clocks and files of nodes tell times that no calendar has: these are said to be so, and end nothing."""

from __future__ import annotations

from datetime import UTC, datetime

RFC3339 = "%Y-%m-%dT%H:%M:%SZ"
IMPOSSIBLE = "an impossible time"


def utc(at: float | None, shape: str = RFC3339, *, none: str = "") -> str:
    """Seconds since the epoch in UTC, `none` where there are none."""
    if at is None:
        return none
    try:
        return datetime.fromtimestamp(at, UTC).strftime(shape)
    except (OverflowError, OSError, ValueError):
        return IMPOSSIBLE
