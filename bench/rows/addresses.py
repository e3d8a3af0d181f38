"""All checks of addresses on many prefixes against merely parsing them."""

from __future__ import annotations

import ipaddress
import random
import time
from collections.abc import Iterator

from bench.measure import in_turns
from bench.table import Row
from flannelscope.checks import all_checks
from flannelscope.judge import judge
from flannelscope.model import Declared, Node, Reading, Snapshot, Topic

PLACE = 3
WORK = "address checks on 15,000 prefixes, findings included"
NUMBER, DUPLICATES, OVERLAPS, STRAYS = 15_000, 40, 80, 15


def measure() -> Iterator[Row]:
    """CPU seconds of both, in this process."""
    prefixes = cidrs()
    snapshot = world(prefixes)
    chosen = [check for check in all_checks() if check.code.startswith("FLN1")]
    findings = judge(snapshot, chosen).findings
    named = ", ".join(sorted({finding.code for finding in findings}))

    def ours() -> float:
        started = time.process_time()
        judge(snapshot, chosen)
        return time.process_time() - started

    def theirs() -> float:
        started = time.process_time()
        for text in prefixes:
            ipaddress.ip_network(text)
        return time.process_time() - started

    pair = in_turns(ours, theirs, 11)
    told = f"{pair.told()}; {len(chosen)} checks, {len(findings)} findings ({named})"
    yield Row(WORK, "at most 1.5 x parsing with ipaddress", told, pair.ratio <= 1.5)


def cidrs() -> list[str]:
    """/24 blocks of 10.0.0.0/10, some twice, some inside a /22 of somebody else, some outside."""
    chance = random.Random(7)
    own = [f"10.{block >> 8}.{block & 255}.0/24" for block in range(NUMBER - DUPLICATES - OVERLAPS - STRAYS)]
    twice = chance.sample(own, DUPLICATES)
    wide = [f"10.{block >> 8}.{block & 252}.0/22" for block in chance.sample(range(0, len(own), 4), OVERLAPS)]
    strays = [f"192.168.{index}.0/24" for index in range(STRAYS)]
    together = [*own, *twice, *wide, *strays]
    chance.shuffle(together)
    return together


def world(prefixes: list[str]) -> Snapshot:
    """A Node each, all topics read, nothing else in the cluster."""
    created = 1_750_000_000.0
    nodes = tuple(
        Node(name=f"node-{index:05d}", uid=str(index), created=created, pod_cidrs=(cidr,), ready="True")
        for index, cidr in enumerate(prefixes)
    )
    now = created + 86_400
    return Snapshot(
        taken=now,
        declared=Declared(cluster_cidrs=("10.0.0.0/10",), node_masks=(24,), service_cidrs=("10.96.0.0/12",)),
        nodes=nodes,
        readings={topic: Reading(at=now) for topic in Topic},
    )
