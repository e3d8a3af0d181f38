"""Some faults and decoys of each sort on the real cluster: found as they should be, nothing said falsely, healed without a trace.

`make truth` tries all of them; here are those that need no waiting.
"""

from __future__ import annotations

import pytest

from flannelscope.checks import planned
from tests.lab.decoys import all_decoys
from tests.lab.faults import all_faults
from tests.lab.lab import Lab
from tests.lab.truth import Stage

pytestmark = pytest.mark.settled
QUICK = (
    "another-hand", "announcement-unusable", "backend-host-gw", "duplicate-podcidr", "net-conf-invalid",
    "overwrite-not-in-effect",
    "podcidr-outside", "policy-not-enforced", "pool-exhausted", "public-ip-shared", "public-ip-wrong", "vni-differs",
    "fdb-wrong", "overlay-port-blocked", "route-deleted", "route-overridden",
    "cni-conf-second", "docker-rules", "planned-drain", "vpn-stopped",
)  # fmt: skip


@pytest.fixture(scope="module")
def stage(lab: Lab) -> Stage:
    """The healthy lab, and how its kernels are."""
    return Stage(lab)


@pytest.mark.parametrize("name", QUICK)
def test_it_is_found_and_nothing_else(stage: Stage, name: str) -> None:
    row = stage.play([{**all_faults(), **all_decoys()}[name]], seed=7)

    assert row.trouble == ""
    assert row.verdict.false == ()
    assert set(row.verdict.missed) <= planned().keys(), "only what has no check yet may be missed"
