"""A sweep that replaces an earlier one: told as a whole, with the second look at what it made suspicious.

A finding of kernels holds only when two readings show it. Were a new sweep told at once, all findings would vanish until its
second look is there, and a critical one would come and go with each change in the cluster.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from flannelscope.growing import take
from flannelscope.model import Gap, Snapshot, Topic
from flannelscope.sources import Answer, Part


class Held:
    """What was read anew of the kernels, while what is known of them stays."""

    def __init__(self) -> None:
        self._part: Part | None = None
        self._gaps: list[Gap] = []

    def take(self, answer: Answer, known: Snapshot) -> bool:
        """Whether `answer` is kept back, or passed over: of a topic that is there, only all of it is news."""
        if isinstance(answer, Part) and not answer.reading.complete:
            return known.has(answer.topic)
        if isinstance(answer, Gap):
            if answer.topic is not Topic.KERNELS or self._part is None:
                return False
            self._gaps.append(answer)
            return True
        if not isinstance(answer, Part) or answer.topic is not Topic.KERNELS:
            return False
        if not answer.change and known.has(Topic.KERNELS) and known.sweep is not None:
            self._part, self._gaps = answer, []
            return True
        if self._part is None:
            return False
        self._part = replace(self._part, fields={**self._part.fields, **answer.fields})
        return True

    def over(self, known: Snapshot) -> Snapshot:
        """What would be known if it were told now."""
        for answer in self._answers():
            known, _ = take(known, answer)
        return known

    def released(self) -> Iterator[Answer]:
        """All of it, to be told; nothing is kept back after that."""
        answers = self._answers()
        self._part, self._gaps = None, []
        yield from answers

    def _answers(self) -> list[Answer]:
        return [*([self._part] if self._part is not None else []), *self._gaps]
