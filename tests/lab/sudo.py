"""What the user `ops` may do with sudo on a node; a lab starts with everything and no password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.lab import Lab

FILE = "/etc/sudoers.d/ops"
# Whole at once, checked by sudo itself: a file with a mistake would shut sudo wholly, which is another case.
WRITE = 'umask 227; cat > "$1.new"; visudo -c -f "$1.new" 2>&1 || { rm -f "$1.new"; exit 1; }; mv -f "$1.new" "$1"'


@contextmanager
def sudo_allows(lab: Lab, node: str, rules: str) -> Iterator[None]:
    """For a while this file of rules (sudoers(5)) holds for `ops` on a node, "" for none at all; then what was there before.

    Raises LabFailed where sudo does not understand them.
    """
    before = lab.inside(node, "cat", FILE)
    _write(lab, node, rules)
    try:
        yield
    finally:
        _write(lab, node, before)


def _write(lab: Lab, node: str, rules: str) -> None:
    lab.inside(node, "sh", "-ec", WRITE, "sh", FILE, stdin=rules)
