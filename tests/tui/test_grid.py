"""The map as a value: order, sieve, fold and turn of a square of states."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.grid import Grid, Legend, Look, Square, groups

LEGEND = Legend(
    (Look("\\", "muted", "itself"), Look("·", "muted", "right"), Look("?", "unknown", "unknown"), Look("x", "bad", "wrong")), 3
)
OWN, RIGHT, UNKNOWN, WRONG = range(4)
NAMES = ("w10", "w9", "w1")


def square(*faults: tuple[str, str], names: tuple[str, ...] = NAMES) -> Square:
    """All is right but these pairs (row, column)."""
    states = bytearray([RIGHT]) * len(names) ** 2
    for place in range(len(names)):
        states[place * len(names) + place] = OWN
    for row, column in faults:
        states[names.index(row) * len(names) + names.index(column)] = WRONG
    return Square(names, bytes(states))


def grid(*faults: tuple[str, str], names: tuple[str, ...] = NAMES) -> Grid:
    made = Grid(LEGEND)
    made.put(square(*faults, names=names))
    return made


def shown(made: Grid) -> tuple[list[str], list[str]]:
    names = made.square.names
    return [names[place] for place in made.rows], [names[place] for place in made.columns]


def test_names_stand_as_people_count() -> None:
    assert shown(grid()) == (["w1", "w9", "w10"], ["w1", "w9", "w10"])


def test_faults_only_keeps_the_rows_and_the_columns_that_have_one() -> None:
    made = grid(("w9", "w1"))
    made.faults_only = True
    made.arrange()
    assert shown(made) == (["w9"], ["w1"])


def test_worst_first_orders_each_side_by_its_own_faults() -> None:
    made = grid(("w9", "w1"), ("w10", "w1"), ("w10", "w9"))
    made.worst_first = True
    made.arrange()
    assert shown(made) == (["w10", "w9", "w1"], ["w1", "w9", "w10"])


def test_turned_round_the_same_pair_has_the_same_state() -> None:
    made = grid(("w9", "w1"))
    made.turn()
    names = made.square.names
    assert made.state(names.index("w1"), names.index("w9")) == WRONG
    assert made.state(names.index("w9"), names.index("w1")) == RIGHT


def test_another_square_is_turned_round_too_while_the_map_is() -> None:
    made = grid()
    made.turn()
    made.put(square(("w9", "w1")))
    assert made.state(NAMES.index("w1"), NAMES.index("w9")) == WRONG


def test_a_sieve_leaves_out_names_on_both_sides() -> None:
    made = grid()
    made.sift("W1")
    assert shown(made) == (["w1", "w10"], ["w1", "w10"])
    assert made.passed == 2


@given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 12), st.data())
def test_a_folded_cell_shows_the_worst_of_those_it_stands_for(size: int, lines: int, cells: int, data: st.DataObject) -> None:
    names = tuple(f"n{number}" for number in range(size))
    wrong = data.draw(st.sets(st.integers(0, size * size - 1), max_size=20))
    states = bytes(WRONG if place in wrong else RIGHT for place in range(size * size))
    made = Grid(LEGEND)
    made.put(Square(names, states))
    rows, columns, drawn = made.folded(lines, cells)
    assert len(rows) <= lines and len(columns) <= cells
    assert sorted(place for group in rows for place in group) == list(range(size))
    for line, group in zip(drawn, rows, strict=True):
        for state, column in zip(line, columns, strict=True):
            assert state == max(made.state(row, other) for row in group for other in column)


def test_groups_are_of_one_size_but_the_last() -> None:
    assert groups(range(7), 3) == [(0, 1, 2), (3, 4, 5), (6,)]
    assert groups([], 3) == []
