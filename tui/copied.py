"""Prints what was copied last on the bare terminal: where OSC 52 is not taken, it can be marked there with the mouse.

On the bare terminal a long line is the terminal's own, so that it is marked whole; in a window of the console it is many.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from textual.app import App, SuspendNotSupported

from flannelscope.text import clean
from tui.words import to_ascii

AFTER = "That is what was copied last. Any key goes back."


def print_copied(app: App[int], *, ascii_only: bool) -> str:
    """Leave the console's window, print, wait for a key, come back. Returns what is wrong, "" when it was done."""
    text = clean(app.clipboard)
    if not text:
        return "nothing was copied yet; c copies"
    try:
        with app.suspend(), key_by_key() as await_key:
            print(f"\n{to_ascii(text) if ascii_only else text}\n\n{AFTER}", end=" ", flush=True, file=sys.__stdout__)
            await_key()
    except SuspendNotSupported:
        return "this terminal cannot be given back meanwhile"
    return ""


@contextmanager
def key_by_key() -> Iterator[Callable[[], object]]:
    """A terminal that gives every key at once (termios(3), non-canonical mode); what is left of them in the end is dropped.

    Yields what waits for one; where standard input is no terminal, that is a line.
    """
    import termios

    source = sys.__stdin__
    if source is None or not source.isatty():
        yield source.readline if source is not None else lambda: ""
        return
    before = termios.tcgetattr(source)
    changed = termios.tcgetattr(source)
    changed[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)  # Ctrl-C is a key like others
    termios.tcsetattr(source, termios.TCSANOW, changed)
    try:
        yield lambda: os.read(source.fileno(), 1)
    finally:
        termios.tcsetattr(source, termios.TCSAFLUSH, before)
