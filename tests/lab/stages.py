"""The plays of a truth table on several labs at once: each lab takes the next play that is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import count
from threading import Event
from typing import Generic, TypeVar

from tests.lab.processes import LabFailed

Play = TypeVar("Play")
Row = TypeVar("Row")
Stage = Callable[[Play], Row]  # a lab that is up and healthy: what comes of a play on it


class Playing(Generic[Play, Row]):
    """Plays, and the rows that came of them. Whatever ends the playing, the labs are ended first."""

    def __init__(self, plays: Sequence[Play], say: Callable[[str], None]) -> None:
        self._plays = plays
        self._say = say
        self._next = count()
        self._rows: dict[int, Row] = {}
        self._enough = Event()

    @property
    def rows(self) -> list[Row]:
        """What has come so far, in the order of the plays."""
        return [row for _, row in sorted(self._rows.items())]

    @property
    def left(self) -> int:
        """How many plays have no row."""
        return len(self._plays) - len(self._rows)

    def on(self, stages: Sequence[AbstractContextManager[Stage[Play, Row]]]) -> None:
        """Play on all of these stages until nothing is left; on an interrupt each ends what it is at, and no more."""
        with ThreadPoolExecutor(len(stages)) as threads:
            try:
                for done in [threads.submit(self._play_on, stage) for stage in stages]:
                    done.result()
            finally:
                self._enough.set()

    def _play_on(self, stage: AbstractContextManager[Stage[Play, Row]]) -> None:
        """A lab that gives way ends; the others go on with what it had not begun."""
        try:
            with stage as play:
                while not self._enough.is_set() and (turn := next(self._next)) < len(self._plays):
                    self._rows[turn] = play(self._plays[turn])
        except LabFailed as failure:
            self._say(f"a lab gave way after {len(self._rows)} of {len(self._plays)} rows: {failure}")
