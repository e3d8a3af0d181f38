"""The middle of it: 10.244.0.0/12 with /16 blocks has sixteen of them, and all are taken; 29 nodes wait for a podCIDR.

The cluster filled 10.244.0.0/16 with 256 Nodes of a /24 each. Two days ago the controller manager was given
10.244.0.0/12 (which is 10.240.0.0/12) with /16 blocks. The old /24 blocks together take one of the sixteen; fifteen new
Nodes took the others. Every Node since waits: its flannel ends with `pod cidr not assigned`, its pods get no address.
The kubelet calls these Nodes Ready all the same, because flannel's init container has installed the CNI configuration.
"""

from __future__ import annotations

from msgspec.structs import replace

from flannelscope.model import Snapshot
from flannelscope.simulated.world import DAY, HOUR, MINUTE, Blueprint, Machine, build

WORKERS = 297
OLD = 253  # workers with a /24; three more /24 are the control plane's
LARGE_BLOCKS = tuple(f"10.{second}.0.0/16" for second in range(240, 256) if second != 244)
WAITING = tuple(f"w{number:03d}" for number in range(OLD + len(LARGE_BLOCKS) + 1, WORKERS + 1))

_WIDENED = 50 * HOUR


def snapshot(now: float, seed: int) -> Snapshot:
    """The cluster at `now`."""
    return build(blueprint(now, seed))


def blueprint(now: float, seed: int) -> Blueprint:
    """Three control-plane Nodes and w001 to w297."""
    plan = Blueprint(
        name="exhausted",
        now=now,
        seed=seed,
        machines=(),
        cluster_cidr="10.244.0.0/12",
        node_mask=16,
        configured_cidr="10.244.0.0/16",
        network="10.244.0.0/12",
        manager_age=_WIDENED,
        network_written_age=_WIDENED + 20 * MINUTE,
    )
    workers = [_worker(plan, number) for number in range(1, WORKERS + 1)]
    return replace(plan, machines=(*_control_plane(), *workers))


def _control_plane() -> list[Machine]:
    return [
        Machine(
            name=f"cp{index + 1}",
            address=f"10.20.0.{11 + index}",
            announced=f"10.20.0.{11 + index}",
            age=(420 - index) * DAY,
            pod_cidr=f"10.244.{index}.0/24",
            flannel_age=_WIDENED,
            control_plane=True,
        )
        for index in range(3)
    ]


def _worker(plan: Blueprint, number: int) -> Machine:
    name = f"w{number:03d}"
    address = f"10.20.{1 + (number - 1) // 250}.{(number - 1) % 250 + 1}"
    block, age = _block_and_age(number)
    return Machine(
        name=name,
        address=address,
        announced=address,
        age=age,
        pod_cidr=block,
        flannel_age=min(age - 30, _WIDENED - number),
        pods=plan.dice("size", name).randint(8, 31) if block else plan.dice("size", name).randint(2, 6),
    )


def _block_and_age(number: int) -> tuple[str, float]:
    if number <= OLD:
        return f"10.244.{number + 2}.0/24", (400 - number) * DAY
    joined = number - OLD - 1
    if joined < len(LARGE_BLOCKS):
        return LARGE_BLOCKS[joined], _WIDENED - 2 * HOUR - joined * 105 * MINUTE
    late = joined - len(LARGE_BLOCKS)
    return "", 21 * HOUR - late * 42 * MINUTE
