"""What the benches run in processes of their own: `python -m bench.jobs NAME …` prints what it measured as JSON."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from bench.measure import resident

CHUNK = 1 << 16
PAGE = 500


def read(kubeconfig: str, pods: str) -> dict[str, Any]:
    """Our source: each topic's seconds, and the peak memory of a process that reads all and keeps it."""
    from flannelscope.collect import collect
    from flannelscope.events import GapFound, Grown, TopicDone
    from flannelscope.session import Settings, open_source

    settings = Settings(kubeconfig=(kubeconfig,), pods=pods)
    source = open_source(settings)
    topics: dict[str, float] = {}
    gaps: list[str] = []
    snapshot = settings.start
    for event in collect(source, snapshot, threading.Event()):
        if isinstance(event, TopicDone):
            topics[event.topic] = event.seconds
        elif isinstance(event, Grown):
            snapshot = event.snapshot
        elif isinstance(event, GapFound):
            gaps.append(f"{event.gap.topic}: {event.gap.reason}")
    source.close()
    counts = {"nodes": len(snapshot.nodes), "pods": len(snapshot.pods)}
    return {"topics": topics, "megabytes": resident(os.getpid()), "gaps": gaps, **counts}


def discard(kubeconfig: str, kind: str) -> dict[str, Any]:
    """The official client: download the same pages over one connection and throw them away; only the token is looked for."""
    from kubernetes import client, config

    connect: Any = config.new_client_from_config  # has no types
    with connect(kubeconfig) as connection:
        core = client.CoreV1Api(connection)
        ask: Any = core.list_node if kind == "nodes" else core.list_pod_for_all_namespaces
        started = time.monotonic()
        token, size = "", 0
        while True:
            answer = ask(limit=PAGE, _preload_content=False, **({"_continue": token} if token else {}))
            head = b""
            for chunk in answer.stream(CHUNK):
                head = head or chunk
                size += len(chunk)
            answer.release_conn()
            found = re.search(rb'"continue":"([^"]+)"', head[:500])
            if found is None:
                return {"seconds": time.monotonic() - started, "bytes": size}
            token = found.group(1).decode()


def judge(kubeconfig: str) -> dict[str, Any]:
    """All checks on everything that can be read: seconds of CPU, facts included."""
    from flannelscope.checks import all_checks
    from flannelscope.collect import collect
    from flannelscope.events import Grown
    from flannelscope.judge import judge as run_checks
    from flannelscope.session import Settings, open_source

    settings = Settings(kubeconfig=(kubeconfig,))
    snapshot = settings.start
    for event in collect(open_source(settings), snapshot, threading.Event()):
        if isinstance(event, Grown):
            snapshot = event.snapshot
    all_checks()
    times = []
    for _ in range(3):
        started = time.process_time()
        judgement = run_checks(snapshot)
        times.append(time.process_time() - started)
    findings = [finding.code for finding in judgement.findings]
    return {"seconds": sorted(times)[1], "checks": len(judgement.checks), "findings": findings, "unknown": len(judgement.unknown)}


def kernels(size: str) -> dict[str, Any]:
    """Answers of nodes (made before, one at a time, and counted out) to findings: seconds of CPU and peak memory."""
    from bench.answers import NONCE, Fleet
    from flannelscope.bundle_answer import kernel
    from flannelscope.checks import all_checks
    from flannelscope.facts import Facts
    from flannelscope.judge import judge as run_checks
    from flannelscope.model import Reading, Sweep, Topic
    from tests.engine.builders import NOW, healthy

    fleet = Fleet(int(size))
    known = {node.name: node for node in fleet.nodes()}
    snapshot = healthy(tuple(known.values()))
    chosen = [check for check in all_checks() if check.code.startswith("FLN4")]
    taken, received, read = 0.0, 0, {}
    for answer in fleet.answers(NOW - 20):
        received += len(answer.output)
        started = time.process_time()
        read[answer.node] = kernel(answer, NONCE)
        taken += time.process_time() - started
    parsing = taken
    sweep = Sweep(begun=NOW - 20, ended=NOW - 18, kernels=read, before=known, after=known)
    readings = {**snapshot.readings, Topic.KERNELS: Reading(at=NOW - 20, asked=len(known), answered=len(read))}
    snapshot = replace(snapshot, source="api", sweep=sweep, readings=readings)
    started = time.process_time()
    judgement = run_checks(Facts(snapshot), chosen)
    taken += time.process_time() - started
    return {
        "seconds": taken,
        "parsing": parsing,
        "bytes": received,
        "megabytes": resident(os.getpid()),
        "findings": [finding.summary for finding in judgement.findings],
        "unknown": len(judgement.unknown),
        "why": sorted({f"{unknown.code} {unknown.reason}"[:100] for unknown in judgement.unknown}),
    }


if __name__ == "__main__":
    jobs: dict[str, Callable[..., dict[str, Any]]] = {"read": read, "discard": discard, "judge": judge, "kernels": kernels}
    print(json.dumps(jobs[sys.argv[1]](*sys.argv[2:])))
