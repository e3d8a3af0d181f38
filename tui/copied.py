"""Prints what was copied last on the bare terminal: where OSC 52 is not taken, it can be marked there with the mouse.

On the bare terminal a long line is the terminal's own, so that it is marked whole; in a window of the console it is many.
"""

from __future__ import annotations

import sys

from textual.app import App, SuspendNotSupported

from flannelscope.text import clean
from tui.words import to_ascii

AFTER = "That is what was copied last. Enter goes back."


def print_copied(app: App[int], *, ascii_only: bool) -> str:
    """Leave the console's window, print, wait for Enter, come back. Returns what is wrong, "" when it was done."""
    text = clean(app.clipboard)
    if not text:
        return "nothing was copied yet; c copies"
    try:
        with app.suspend():
            print(f"\n{to_ascii(text) if ascii_only else text}\n\n{AFTER}", end=" ", flush=True, file=sys.__stdout__)
            _wait()
    except SuspendNotSupported:
        return "this terminal cannot be given back meanwhile"
    return ""


def _wait() -> None:
    try:
        if sys.__stdin__ is not None:
            sys.__stdin__.readline()
    except KeyboardInterrupt:
        pass
