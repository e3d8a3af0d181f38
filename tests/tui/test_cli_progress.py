"""The progress line: on a terminal only, drawn over itself, gone at the end, and never a way for names to get out."""

from __future__ import annotations

import io
import sys

import pytest

from tui.streams import Progress, amount, may_colour


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def use(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, term: str = "xterm") -> None:
    """Make `stream` standard error, on a terminal of this kind."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", term)


def test_progress_is_one_line_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    use(monkeypatch, terminal)
    progress = Progress()
    progress.tell("Reading nodes: 500")
    progress.tell("Reading nodes: 1000\x1b[2J")
    progress.clear()
    written = terminal.getvalue()
    assert written.count("\r\x1b[K") == 3
    assert "\n" not in written
    assert "[2J" not in written
    assert written.endswith("\r\x1b[K")


def test_what_was_not_drawn_is_not_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    use(monkeypatch, terminal)
    Progress().clear()
    assert terminal.getvalue() == ""


@pytest.mark.parametrize(
    ("stream", "term", "wanted"), [(io.StringIO(), "xterm", True), (Terminal(), "dumb", True), (Terminal(), "xterm", False)]
)
def test_no_progress_without_a_terminal(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, term: str, wanted: bool) -> None:
    use(monkeypatch, stream, term)
    progress = Progress(wanted=wanted)
    progress.tell("Reading nodes")
    progress.clear()
    assert stream.getvalue() == ""


def test_colour_needs_a_terminal_and_leave() -> None:
    assert may_colour(Terminal(), {"TERM": "xterm"})
    assert not may_colour(Terminal(), {"TERM": "xterm", "NO_COLOR": "1"})
    assert not may_colour(Terminal(), {"TERM": "dumb"})
    assert not may_colour(Terminal(), {})
    assert not may_colour(io.StringIO(), {"TERM": "xterm"})
    assert not may_colour(None, {"TERM": "xterm"})


def test_amounts_read_well() -> None:
    sizes = (0, 999, 1000, 45_300_000, 900_000_000_000)
    assert [amount(size) for size in sizes] == ["0 B", "999 B", "1.0 kB", "45.3 MB", "900.0 GB"]
