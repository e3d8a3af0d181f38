"""Which nodes' kernels are to be read a second time: those about which anything would be found if it were seen twice."""

from __future__ import annotations

from msgspec.structs import replace

from flannelscope.checks import Check, all_checks
from flannelscope.facts import Facts
from flannelscope.judge import judge
from flannelscope.model import Snapshot, Topic

APART = 6.0  # seconds between the two sweeps: flanneld mends its rules every 5 s
# Checks that look at kernels where there are any, and judge without them too.
ALSO = frozenset(("FLN109", "FLN110", "FLN115", "FLN203", "FLN206", "FLN207", "FLN419"))


def looks_at_kernels(check: Check) -> bool:
    """Whether the check judges what nodes say of themselves."""
    return Topic.KERNELS in check.needs or check.code in ALSO


def suspects(snapshot: Snapshot) -> frozenset[str]:
    """The nodes concerned, among those that answered. They are judged as if the sweep had shown the same twice."""
    sweep = snapshot.sweep
    if sweep is None or sweep.ended is None or not sweep.kernels:
        return frozenset()
    facts = Facts(replace(snapshot, second_sweep=sweep))
    judgement = judge(facts, filter(looks_at_kernels, all_checks()))
    named = {name for finding in judgement.findings for name in (*finding.nodes, *finding.reach)}
    named |= {s.name for f in judgement.findings for effect in f.consequences for s in effect.subjects if s.kind == "Node"}
    if facts.mesh is not None:  # a finding may name the node that others forgot; these are to be read again
        named |= facts.mesh.suspects
    return frozenset(named & sweep.kernels.keys())
