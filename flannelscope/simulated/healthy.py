"""A healthy cluster: 40 nodes, flannel on a second card, room for 216 more.

Every Node announces its private card (eth1 on some machines, bond1 on others), which is not the address the Node is known
by; finished Jobs still show addresses that are in use again. None of this is a fault, and nothing is found.
"""

from __future__ import annotations

from msgspec.structs import replace

from flannelscope.model import Snapshot
from flannelscope.simulated.world import DAY, Blueprint, Machine, build

WORKERS = 37


def snapshot(now: float, seed: int) -> Snapshot:
    """The healthy cluster at `now`."""
    return build(blueprint(now, seed))


def blueprint(now: float, seed: int, workers: int = WORKERS) -> Blueprint:
    """Three control-plane Nodes and `workers` more, each with the podCIDR that the allocator gave it in turn."""
    plan = Blueprint(name="healthy", now=now, seed=seed, machines=(), age=200 * DAY)
    named = [f"cp{number}" for number in (1, 2, 3)] + [f"w{number:03d}" for number in range(1, workers + 1)]
    machines = [
        Machine(
            name=name,
            address=f"198.51.100.{index + 10}",
            announced=f"10.20.1.{index + 10}",
            age=(200 - index) * DAY,
            pod_cidr=f"10.244.{index}.0/24",
            pods=plan.dice("size", name).randint(8, 31),
            control_plane=name.startswith("cp"),
        )
        for index, name in enumerate(named)
    ]
    return replace(plan, machines=machines)
