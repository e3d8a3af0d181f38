"""On a healthy cluster nothing is found at warning or above, however odd it looks; and one small corruption is found."""

from __future__ import annotations

import pytest

from flannelscope.judge import judge
from flannelscope.model import Severity, Snapshot
from tests.engine.lookalikes import LOOKALIKES


def alarms(taken: Snapshot) -> list[str]:
    return [f"{f.code} {f.summary}" for f in judge(taken).findings if f.severity >= Severity.WARNING]


@pytest.mark.parametrize("name", LOOKALIKES)
def test_a_healthy_cluster_that_looks_broken_raises_no_alarm(name: str) -> None:
    _, build = LOOKALIKES[name]
    taken, _ = build()
    assert alarms(taken) == []


@pytest.mark.parametrize("name", LOOKALIKES)
def test_the_same_cluster_with_one_thing_wrong_is_found_out(name: str) -> None:
    code, build = LOOKALIKES[name]
    _, corrupted = build()
    assert code in {alarm.split()[0] for alarm in alarms(corrupted)}
