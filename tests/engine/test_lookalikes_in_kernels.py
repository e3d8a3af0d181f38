"""The look-alikes once more with eyes on their nodes: what is odd and healthy in the API is so in kernels that follow it."""

from __future__ import annotations

import pytest

from flannelscope.checks import all_checks
from flannelscope.facts import Facts
from flannelscope.judge import judge
from tests.engine.kernels import seen
from tests.engine.lookalikes import LOOKALIKES

MESH = ("FLN207", "FLN401", "FLN402", "FLN403", "FLN404", "FLN405", "FLN418", "FLN421", "FLN423")


@pytest.mark.parametrize("name", LOOKALIKES)
def test_nothing_is_missing_in_the_kernels_of_a_healthy_cluster_that_looks_broken(name: str) -> None:
    _, build = LOOKALIKES[name]
    taken, _ = build()
    chosen = [check for check in all_checks() if check.code in MESH]
    looked = seen(taken, families=tuple(sorted(Facts(taken).families)))
    assert [f"{f.code} {f.summary}" for f in judge(looked, chosen).findings] == []
