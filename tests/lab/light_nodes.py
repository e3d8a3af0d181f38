"""Starting nodes without kubelet and containerd, so that hundreds fit; the API learns from here what a kubelet would tell it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.lab import leases, light_machines, light_objects, machines, networks, operator_home, processes
from tests.lab.api import Api
from tests.lab.lab import Lab
from tests.lab.networks import Machine
from tests.lab.places import REPOSITORY, Places
from tests.lab.processes import LabFailed, wait_until
from tests.lab.settings import Settings
from tests.lab.synced import lacking

Say = Callable[[str], None]
ON_THE_WAY = 32  # machines whose flanneld does not run yet; more at once only wait for each other
WORKERS = 2  # prepare the next machines' files meanwhile
PATIENCE = 600.0  # seconds, for all of them together
RUNS = "Running backend"
LEASES = "leases"


def start(lab: Lab, say: Say) -> None:
    """Register and start all light nodes; back when each has an entry for every peer, and its pod an address.

    Raises LabFailed with what is not there and which log to read.
    """
    settings, places, api = lab.settings, lab.places, Api(lab.places)
    light = networks.light_nodes(settings)
    light_machines.make_identity(places, settings)
    for machine in light:
        api.post("/api/v1/nodes", light_objects.node(machine, settings.kind.dual_stack))
    _keep_leases(places, light)
    wait_until(lambda: _all_have_podcidrs(api, light), f"podCIDRs for light nodes; read {places.logs}/cp", PATIENCE)
    networks.connect(places, settings, light)
    for machine in light:
        api.patch(f"/api/v1/nodes/{machine.name}", light_objects.announced(machine, settings.kind))
    say(f"{len(light)} light nodes have podCIDRs")
    _start_in_turn(places, settings, light)
    operator_home.write(places, settings)
    say("flannel runs on light nodes")
    for machine in light:
        _show_pod(places, api, machine)
    say("their pods have addresses")
    await_entries(lab, api)
    say("each node has its entries for all others")
    api.close()


def _all_have_podcidrs(api: Api, light: Sequence[Machine]) -> bool:
    held = pod_cidrs(api)
    return all(held.get(machine.name) for machine in light)


def pod_cidrs(api: Api) -> dict[str, str]:
    """The first podCIDR of each Node that has one."""
    nodes = api.get("/api/v1/nodes?resourceVersion=0")["items"]
    return {node["metadata"]["name"]: node["spec"]["podCIDR"] for node in nodes if node["spec"].get("podCIDR")}


def _keep_leases(places: Places, light: Sequence[Machine]) -> None:
    """Start the process that renews the Leases of these nodes."""
    argv = [sys.executable, "-m", leases.__name__, places.lab, *(machine.name for machine in light)]
    processes.start(places, LEASES, argv, environment={**processes.tools(), "PYTHONPATH": str(REPOSITORY)})


def _start_in_turn(places: Places, settings: Settings, light: Sequence[Machine]) -> None:
    """Prepare and start machines so that never more than ON_THE_WAY of them have a flanneld that does not run yet."""
    starting: set[str] = set()
    with ThreadPoolExecutor(WORKERS) as workers:
        prepared = workers.map(partial(light_machines.prepare, places, settings), light)
        for machine, _ in zip(light, prepared, strict=True):
            _await_below(places, starting, ON_THE_WAY)
            machines.boot(places, machine)
            starting.add(machine.name)
    _await_below(places, starting, 1)


def _await_below(places: Places, starting: set[str], number: int) -> None:
    """Wait until fewer than `number` of these machines have no running flannel; those that have are taken out."""
    end = time.monotonic() + PATIENCE
    while len(starting) >= number:
        starting -= {name for name in starting if flannel_runs(places, name)}
        for name in starting:
            processes.recorded(places, name)  # one that has ended will not come
        if time.monotonic() > end:
            raise LabFailed(f"flannel does not run on {' '.join(sorted(starting))}; read {places.logs}/NODE/flanneld.log")
        time.sleep(0.1)


def flannel_runs(places: Places, name: str) -> bool:
    """Whether flanneld of a light node has said that its backend runs."""
    log = places.logs / name / "flanneld.log"
    return log.exists() and RUNS in log.read_text(errors="replace")


def _show_pod(places: Places, api: Api, machine: Machine) -> None:
    """Tell the API of the pod once it has its addresses, as the kubelet would."""
    wait_until(
        lambda: bool(light_machines.pod_addresses(places, machine)), f"an address; read {places.logs / machine.name}/pod.log"
    )
    api.post("/api/v1/namespaces/default/pods", light_objects.pod(machine))
    status = light_objects.pod_status(machine, light_machines.pod_addresses(places, machine))
    api.patch(f"/api/v1/namespaces/default/pods/probe-{machine.name}/status", status)


def await_entries(lab: Lab, api: Api) -> None:
    """Wait until every node, full and light, has what it wants for every other."""
    held = pod_cidrs(api)
    left = [*lab.nodes, *lab.light]
    end = time.monotonic() + PATIENCE
    while left:
        missing = lacking(lab, left[0], [cidr for name, cidr in held.items() if name != left[0]])
        if not missing:
            left.pop(0)
        elif time.monotonic() > end:
            raise LabFailed(f"{left[0]} lacks {missing}; read {lab.places.logs / left[0]}/flanneld.log")
        else:
            time.sleep(0.5)
