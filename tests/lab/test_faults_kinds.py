"""The most telling faults under other kinds of cluster than vxlan: each breaks there what it says, and heals without a trace.

`make truth KIND=host-gw` tries all that a kind can show.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flannelscope.checks import planned
from tests.lab.faults import all_faults
from tests.lab.lab import Lab, brought_up
from tests.lab.settings import KINDS, Settings
from tests.lab.side_by_side import named
from tests.lab.skips import require
from tests.lab.truth import Stage

TELLING = {"host-gw": ("survivor-cut-off",)}
NODES = {"direct-routing": 3}  # two in one subnet, one in the other


@pytest.fixture(params=TELLING)
def other(request: pytest.FixtureRequest, possible: None) -> Iterator[Lab]:
    """A small lab of one kind."""
    kind = KINDS[request.param]
    require(*kind.needs)
    with brought_up(Settings(named("kinds"), NODES.get(kind.name, 2), kind=kind)) as lab:
        yield lab


@pytest.mark.slow(3)
def test_what_tells_most_of_a_kind_is_staged_and_healed(other: Lab) -> None:
    kind = other.settings.kind.name
    stage = Stage(other)

    rows = [stage.play([all_faults()[name]], seed=3) for name in TELLING[kind]]

    assert [row.trouble for row in rows] == [""] * len(rows)
    assert [row.verdict.false for row in rows] == [()] * len(rows)
    assert {code for row in rows for code in row.verdict.missed} <= planned().keys()
