"""How much of what nodes said is kept as it came: of all of them together no more than the memory of a workstation bears.

What was parsed of it is kept in any case. Of an answer of several commands the beginning of each is kept, and its exit status.
"""

from __future__ import annotations

from msgspec.structs import replace

from flannelscope.model.kernel import Kernel, Said
from flannelscope.probes.framing import SIGN

HUGE = 256_000  # bytes of one answer that are kept
TOTAL = 64_000_000  # bytes of all answers of a sweep
LITTLE = 2_000  # bytes of one answer, once all together are too much


class Kept:
    """The answers of one sweep within `total` bytes."""

    def __init__(self, total: int = TOTAL, huge: int = HUGE) -> None:
        self._left = total
        self._huge = huge

    def take(self, kernel: Kernel) -> Kernel:
        """The reading with as much of its raw answers as there is room for."""
        raw = {name: self._said(said) for name, said in kernel.raw.items()}
        return replace(kernel, raw=raw)

    def _said(self, said: Said) -> Said:
        most = self._huge if len(said.output) <= self._left else LITTLE
        kept = said if len(said.output) <= most else shortened(said, most)
        self._left = max(self._left - len(kept.output), 0)
        return kept


def shortened(said: Said, most: int) -> Said:
    """About `most` bytes of its output, and a word about the rest."""
    sign = f"\n{SIGN}".encode()
    pieces = said.output.split(sign)
    each = max(most // len(pieces), LITTLE // 4)
    output = sign.join(piece if len(piece) <= each else piece[: piece.rfind(b"\n", 0, each) + 1 or each] for piece in pieces)
    word = f"{len(said.output) - len(output):,} of {len(said.output):,} bytes were read and are not kept"
    return replace(said, output=output, error=f"{said.error}; {word}" if said.error else word, cut=True)
