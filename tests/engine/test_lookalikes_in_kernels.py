"""The look-alikes once more with eyes on their nodes: what is odd and healthy in the API is so in kernels that follow it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flannelscope.checks import all_checks
from flannelscope.facts import Facts
from flannelscope.judge import judge
from flannelscope.model import Severity, Snapshot, Sweep
from flannelscope.suspects import looks_at_kernels
from tests.engine.lookalikes import LOOKALIKES
from tests.engine.node_facts import whole

CHOSEN = [check for check in all_checks() if looks_at_kernels(check)]


def reached(taken: Snapshot) -> Snapshot:
    """Without the kernels of machines that are gone or run Windows: nobody reads those."""
    known = Facts(taken)
    silent = {node.name for node in taken.nodes if known.alive(node) is False or node.os == "windows"}

    def rest(made: Sweep) -> Sweep:
        return replace(made, kernels={name: kernel for name, kernel in made.kernels.items() if name not in silent})

    assert taken.sweep is not None and taken.second_sweep is not None
    return replace(taken, sweep=rest(taken.sweep), second_sweep=rest(taken.second_sweep))


@pytest.mark.parametrize("name", LOOKALIKES)
def test_nothing_is_wrong_in_the_kernels_of_a_healthy_cluster_that_looks_broken(name: str) -> None:
    _, build = LOOKALIKES[name]
    taken, _ = build()
    looked = reached(whole(taken, families=tuple(sorted(Facts(taken).families)), second_card=True))
    said = [f for f in judge(looked, CHOSEN).findings if f.severity >= Severity.WARNING]
    assert [f"{f.code} {f.summary}" for f in said] == []


def test_every_check_that_looks_at_kernels_meets_them() -> None:
    assert {"FLN203", "FLN206", "FLN309", *(f"FLN{n}" for n in (*range(401, 420), 421, 422, 423))} <= {c.code for c in CHOSEN}
