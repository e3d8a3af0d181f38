"""From nothing to a cluster in which every probe pod is ready, and back."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab import (
    certificates,
    cgroups,
    control_plane,
    full_nodes,
    host,
    limits,
    machines,
    manifests,
    networks,
    operator_home,
    outside,
    programs,
)
from tests.lab.places import PREFIX, Places
from tests.lab.processes import LabFailed, running, wait_until
from tests.lab.settings import CONTROL_PLANE, Settings
from tests.lab.teardown import take_down

__all__ = ["is_reserved", "is_up", "reserved", "settings_of", "take_down", "up"]
Say = Callable[[str], None]
AT_ONCE = 4  # machines prepared at the same time; more do not help two processors
PATIENCE = 240.0  # seconds for each step in which the cluster must come to something


@contextmanager
def reserved(places: Places) -> Iterator[None]:
    """Be the only one who starts, ends or owns the lab of this name; raises LabFailed when somebody else is."""
    places.lock.parent.mkdir(parents=True, exist_ok=True)
    with places.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabFailed(f"somebody else is starting, ending or testing on the lab {places.lab}") from None
        yield


def is_reserved(places: Places) -> bool:
    """Whether somebody starts, ends or owns the lab at this moment; asking hinders nobody (/proc/locks, proc(5))."""
    try:
        inode = places.lock.stat().st_ino
        held = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return False
    return any(" FLOCK " in line and line.split()[-3].endswith(f":{inode}") for line in held)


def settings_of(name: str) -> Settings:
    """The settings of a lab that is wholly up; raises LabFailed when it is not."""
    places = Places(name)
    state = _state(places)
    if state is None or state["stage"] != "up":
        raise LabFailed(f"the lab {name} is not up")
    return Settings.from_json(state["settings"])


def is_up(settings: Settings) -> bool:
    """Whether the lab is up with just these settings and everything that it started still runs; raises LabFailed when a
    lab of that name is up with other settings."""
    places = Places(settings.name)
    state = _state(places)
    if state is None or state["stage"] != "up" or any(running(record) is None for record in places.pids.glob("*")):
        return False
    there = Settings.from_json(state["settings"])
    if there != settings:
        raise LabFailed(f"a lab {settings.name} of another size or kind is up; take it down first, or give this one another name")
    return control_plane.ready(places)


def up(settings: Settings, say: Say = lambda _: None, patience: float = 0.0) -> None:
    """Start a lab; one that is up already is left as it is, one that is half there is taken down first.

    Waits up to `patience` seconds where other labs leave no room. Raises LabFailed when the start fails: then nothing is left
    of it but its logs, and the message says which to read.
    """
    from tests.lab import capabilities

    lacking = capabilities.absent(settings.kind.needs)
    if lacking:
        raise LabFailed(f"this machine cannot do {', '.join(lacking)}, which the kind {settings.kind.name} needs")
    if is_up(settings):
        say(f"the lab {settings.name} is up already")
        return
    places = Places(settings.name)
    programs.provide(say)
    take_down(settings.name)
    with limits.room(settings, patience):
        shutil.rmtree(places.logs, ignore_errors=True)
        began = time.monotonic()
        try:
            _start(places, settings, lambda what: say(f"{time.monotonic() - began:6.1f} s  {what}"))
        except BaseException:
            take_down(settings.name)
            raise


def _start(places: Places, settings: Settings, say: Say) -> None:
    for folder in (places.home, places.pids, places.logs, places.pki):
        folder.mkdir(parents=True, exist_ok=True)
    places.prefix.write_text(PREFIX)
    _note(places, settings, "starting")
    if settings.light:
        host.hold(settings.name)
    _prepare_cluster(places, settings)
    say("certificates, switches")
    _start_control_plane(places, settings)
    outside.start(places, settings)
    nodes = networks.full_nodes(settings)
    with ThreadPoolExecutor(AT_ONCE) as workers:
        list(workers.map(lambda machine: full_nodes.prepare(places, settings, machine), nodes))
        _await(places, lambda: control_plane.ready(places), "the API server is ready", CONTROL_PLANE)
        say("API server")
        control_plane.start_rest(places, settings)
        list(workers.map(lambda machine: machines.start_machine(places, settings, machine), nodes))
    say(f"{len(nodes)} nodes started")
    _fill(places, settings, say)
    operator_home.write(places, settings)
    if settings.light:
        _start_light(settings, say)
    _note(places, settings, "up")
    say(f"the lab {settings.name} is up")


def _prepare_cluster(places: Places, settings: Settings) -> None:
    operator_home.make_key(places)
    certificates.make_authority(places.pki)
    certificates.make_control_plane(places.pki, control_plane.FIRST_SERVICES, settings.name)
    cgroups.make(places, [])
    networks.make_switches(places, settings)


def _start_control_plane(places: Places, settings: Settings) -> None:
    machine = networks.control_plane()
    full_nodes.prepare(places, settings, machine)
    control_plane.prepare(places, settings)
    machines.service(places, machine.name, "etcd", control_plane.ETCD)
    machines.start_machine(places, settings, machine)


def _fill(places: Places, settings: Settings, say: Say) -> None:
    """Apply what runs in the cluster, and wait until all of it does."""
    from tests.lab.lab import Lab

    lab = Lab(settings)
    lab.apply(control_plane.administrators(), *manifests.flannel(settings), manifests.probe())
    if not settings.kind.managed:
        lab.apply(*control_plane.kubeadm_objects(settings))
    expected = _nodes(settings)
    _await(places, lambda: expected <= lab.pod_cidrs().keys(), f"{', '.join(sorted(expected))} are registered", "*")
    if not settings.kind.managed:
        labels = {"node-role.kubernetes.io/control-plane": "", "node.kubernetes.io/exclude-from-external-load-balancers": ""}
        lab.patch("node", CONTROL_PLANE, {"metadata": {"labels": labels}})
    say("nodes are registered")
    for what, wait in (
        ("flannel", ["-n", settings.kind.namespace, "rollout", "status", f"daemonset/{settings.kind.daemonset}"]),
        ("nodes", ["wait", "--for=condition=Ready", "node", "--all"]),
        ("probe pods", ["rollout", "status", "daemonset/probe"]),
    ):
        try:
            lab.kubectl(*wait, f"--timeout={PATIENCE:.0f}s", seconds=PATIENCE + 20)
        except LabFailed as failure:
            raise LabFailed(f"{failure}\nread {places.logs}/*/kubelet.log and {places.logs}/*/pods") from failure
        say(f"{what} ready")


def _nodes(settings: Settings) -> set[str]:
    """Names of the machines with a kubelet that makes a Node of them."""
    return {machine.name for machine in networks.full_nodes(settings)} | (set() if settings.kind.managed else {CONTROL_PLANE})


def _await(places: Places, condition: Callable[[], bool], what: str, machine: str) -> None:
    logs = f"{places.logs / machine}/kubelet.log, {places.logs / machine}/pods and {places.logs / machine}.log"
    wait_until(condition, f"{what}; read {logs}", PATIENCE, 0.3)


def _start_light(settings: Settings, say: Say) -> None:
    from tests.lab import light_nodes
    from tests.lab.lab import Lab

    light_nodes.start(Lab(settings), say)


def _note(places: Places, settings: Settings, stage: str) -> None:
    """How far the start has come; whole at once, so that a kill never leaves half of it."""
    new = places.state.with_suffix(".new")
    new.write_text(json.dumps({"stage": stage, "settings": settings.to_json(), "by": os.getpid()}))
    new.rename(places.state)


def _state(places: Places) -> dict[str, Any] | None:
    try:
        state: dict[str, Any] = json.loads(places.state.read_text())
    except (OSError, ValueError):
        return None
    return state
