"""A truth table on several labs at once: every play has its row, whichever lab it was played on, and none is tried twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Barrier

import pytest

from tests.lab.processes import LabFailed
from tests.lab.stages import Playing

PLAYS = [1, 2, 3, 4, 5, 6]


class Theatre:
    """Stages that square numbers, and how many of them are up; on a stage that gives way the third number is too much."""

    def __init__(self) -> None:
        self.up = 0
        self.played: list[int] = []

    @contextmanager
    def stage(self, gives_way: bool = False, first: Callable[[], object] = lambda: None) -> Iterator[Callable[[int], int]]:
        """`first` is called before the first play."""

        def play(number: int) -> int:
            self.played.append(number)
            if gives_way and number == 3:
                raise LabFailed("the floor is gone")
            return number * number

        self.up += 1
        try:
            first()
            yield play
        finally:
            self.up -= 1


def test_the_rows_stand_in_the_order_of_the_plays() -> None:
    theatre, playing, together = Theatre(), Playing[int, int](PLAYS, print), Barrier(3, timeout=30)
    playing.on([theatre.stage(first=together.wait) for _ in range(3)])  # none begins before all are up

    assert playing.rows == [1, 4, 9, 16, 25, 36]
    assert sorted(theatre.played) == PLAYS
    assert (playing.left, theatre.up) == (0, 0)


def test_what_a_lab_that_gave_way_was_at_is_told_and_no_row() -> None:
    said: list[str] = []
    theatre, playing = Theatre(), Playing[int, int](PLAYS, said.append)
    playing.on([theatre.stage(gives_way=True)])

    assert playing.rows == [1, 4]
    assert playing.left == 4
    assert said == ["a lab gave way after 2 of 6 rows: the floor is gone"]


def test_an_error_that_is_no_labs_ends_all_of_them() -> None:
    def wrong() -> None:
        raise ZeroDivisionError

    theatre, playing = Theatre(), Playing[int, int](PLAYS, print)
    with pytest.raises(ZeroDivisionError):
        playing.on([theatre.stage(first=wrong), theatre.stage()])
    assert theatre.up == 0
