"""What is said while nothing can be shown yet, when nothing can be shown at all, and when not everything was read again."""

from __future__ import annotations

from math import ceil

from flannelscope import wire
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
    return "judging what was read…" if state.judging else "reading nodes…"


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


def read_again(state: State, said: wire.Refreshed) -> str:
    """What a reading beside the watches brought, and when lists may be read again."""
    if said.failed:
        return f"Could not read again: {said.failed}"
    stands = {topic: state.watches[topic][0] for topic in ("nodes", "pods") if topic in state.watches}
    live = " and ".join(topic for topic, how in stands.items() if how == "watching")
    parts = ["Read again what is not watched."]
    if live:
        parts.append(f"{live.capitalize()} are followed live.")
    for topic, how in stands.items():
        if how == "off":
            parts.append(f"{topic.capitalize()} were listed, for they cannot be followed.")
        elif how != "watching":
            parts.append(f"The watch of {topic} is {how}.")
    parts.append(f"In {max(ceil(said.lists_in / 60), 1)} min r may list all of it anew.")
    return " ".join(parts)
