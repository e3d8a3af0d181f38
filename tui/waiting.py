"""What is said while nothing can be shown yet, and when nothing can be shown at all."""

from __future__ import annotations

from tui.state import Phase, State
from tui.widgets.document import Block
from tui.widgets.paint import Span
from tui.words import amount, glyph


def waiting(state: State) -> str:
    """One line instead of rows."""
    if state.failed is not None:
        return f"{state.failed.what}   (1 says more, r tries again)"
    if state.phase is Phase.STOPPED:
        return "stopped   (r reads)"
    return "reading nodes…"


def progress_blocks(state: State, timeout: float) -> list[Block]:
    """What has been read so far, topic by topic, and what it cost."""
    blocks = []
    for progress in state.progress.values():
        mark: Span = glyph(".") if progress.done else ("›", "accent")
        known = progress.total if progress.total is not None and progress.total > progress.read else None
        total = f" of {known:,}" if known else ""
        blocks.append(Block(((" ", ""), mark, (f" {progress.topic:<14}", ""), (f"{progress.read:>9,}{total}", "muted"))))
    cost = f"{state.asked:,} requests · {amount(state.received)} · each may take {timeout:g} s · x stops"
    return [*blocks, Block(), Block(((f" {cost}", "muted"),))]


def failure_blocks(state: State) -> list[Block]:
    """What went wrong, where, and what to do."""
    failed = state.failed
    if failed is None:
        return []
    blocks = [Block((glyph("x"), (" ", ""), (failed.what, "bad")), indent=2)]
    if failed.where:
        blocks.append(Block((("  ", ""), (failed.where, "muted")), indent=2))
    if failed.do:
        blocks.append(Block((("  ", ""), (failed.do, "")), indent=2))
    keys = (("  ", ""), ("r", "key"), (" tries again   ", ""), ("@", "key"), (" shows the requests", ""))
    return [*blocks, Block(keys), Block()]
