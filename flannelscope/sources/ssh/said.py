"""What came back from a node, and whether that is an answer."""

from __future__ import annotations

import re

from flannelscope.model.base import Value
from flannelscope.sources.ssh.failures import NotReached
from flannelscope.sources.ssh.values import Answered, Target
from flannelscope.text import clean

COMMAND = "exec env LC_ALL=C sh -s"  # what is run at a node; the script is its standard input
# The mark with which an answer of the script begins; who reads it knows the number in it.
_BEGUN = re.compile(rb"^[0-9A-Za-z]{16,64} \^ [0-9]{1,10}\n", re.MULTILINE)
_TOLD = 300  # characters of what a node said instead


class Said(Value, frozen=True):
    """Output (within its limit), the beginning of stderr, exit status (None: none was told), seconds.

    `cut`: it was more than the limit, or not all of it came in time.
    """

    output: bytes
    error: str
    status: int | None
    seconds: float
    cut: bool

    @classmethod
    def of(cls, output: bytes, error: bytes, status: int | None, seconds: float, limit: int) -> Said:
        """Within `limit` bytes of output."""
        cut = len(output) > limit
        return cls(output[:limit] if cut else output, error.decode(errors="replace").strip(), status, seconds, cut)


def judged(target: Target, at: float, said: Said) -> Answered:
    """An answer; whether the script's own is in it, says who reads it. Raises NotReached where no script can have run."""
    if not said.output and said.status not in (0, None):
        words = clean(said.error, _TOLD)
        raise NotReached(f"it does not run our command (exit {said.status})" + (f": {words}" if words else ""))
    return Answered(
        node=target.node,
        at=at,
        origin=target.origin,
        output=said.output,
        error=clean(said.error, _TOLD),
        status=said.status,
        seconds=said.seconds,
        cut=said.cut,
    )


def at_deadline(output: bytes, error: bytes, seconds: float) -> Said:
    """What came in time: of an answer that began, all that is there. Raises NotReached where none began."""
    if _BEGUN.search(output) is None:
        raise ended_without(output, seconds)
    return Said(output, error.decode(errors="replace").strip(), None, seconds, True)


def ended_without(output: bytes, seconds: float) -> NotReached:
    """The time was up before the answer was complete."""
    if output:
        return NotReached(f"logged in, then its answer had not ended after {len(output):,} bytes and {seconds:.0f} s")
    return NotReached(f"logged in, then nothing came within {seconds:.0f} s")
