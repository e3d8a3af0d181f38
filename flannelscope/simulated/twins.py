"""300 nodes some weeks after the cluster CIDR was widened twice: podCIDRs held by two nodes, others inside a /16.

What happened, as the objects tell it. The cluster began with 10.244.0.0/16 and /24 blocks, and ran out of them. Eleven weeks
ago the controller manager was given 10.244.0.0/12 (which is 10.240.0.0/12) with /16 blocks; w044 and w045 were rebuilt
then and keep a /16 each. Three days later the mask went back to 24. Six days ago somebody made fifteen Nodes by hand:
w231 to w240 from saved manifests of w031 to w040, podCIDR included, and w251 to w255 with blocks that looked free and lie
in the /16 of w045. This morning flannel's ConfigMap said host-gw for some minutes, just when w118 was rebuilt. Two
machines came up without their private card and announce eth0's public address. flannel may use 50Mi, and on three
machines that was not enough.
"""

from __future__ import annotations

from msgspec.structs import replace

from flannelscope.model import Snapshot
from flannelscope.simulated.world import DAY, HOUR, MANAGER, MINUTE, Blueprint, Machine, build

WORKERS = 297
TWINS = tuple((f"w{number:03d}", f"w{number + 200:03d}") for number in range(31, 41))
LARGE = {"w044": "10.241.0.0/16", "w045": "10.242.0.0/16"}
INSIDE = {f"w{251 + number}": f"10.242.{number}.0/24" for number in range(5)}  # blocks of w045
ODD_BACKEND = "w118"
PUBLIC = {"w088": "203.0.113.88", "w163": "203.0.113.163"}
KILLED = {"w012": (9, 35 * MINUTE), "w077": (4, 5 * HOUR), "w203": (13, 48 * MINUTE)}  # how often, and when last
MADE_BY_HAND = frozenset((*(copy for _, copy in TWINS), *INSIDE))
BY_HAND = "kubectl-create"

_WIDENED, _MASK_BACK, _BY_HAND = 80 * DAY, 77 * DAY, 6 * DAY  # ages of what happened


def snapshot(now: float, seed: int) -> Snapshot:
    """The cluster at `now`."""
    return build(blueprint(now, seed))


def blueprint(now: float, seed: int) -> Blueprint:
    """Three control-plane Nodes and w001 to w297."""
    plan = Blueprint(
        name="twins",
        now=now,
        seed=seed,
        machines=(),
        cluster_cidr="10.244.0.0/12",
        node_mask=24,
        configured_cidr="10.244.0.0/16",
        network="10.244.0.0/12",
        flannel_memory_limit="50Mi",
        manager_age=_MASK_BACK,
        network_written_age=2 * HOUR + 50 * MINUTE,
    )
    workers = [_worker(plan, number) for number in range(1, WORKERS + 1)]
    return replace(plan, machines=(*_control_plane(), *workers))


def _control_plane() -> list[Machine]:
    blocks = ("10.244.0.0/24", "10.244.251.0/24", "10.244.252.0/24")
    return [
        Machine(
            name=f"cp{index}",
            address=f"10.20.0.{10 + index}",
            announced=f"10.20.0.{10 + index}",
            age=(420 - 20 * index) * DAY,
            pod_cidr=block,
            control_plane=True,
        )
        for index, block in enumerate(blocks, start=1)
    ]


def _worker(plan: Blueprint, number: int) -> Machine:
    name = f"w{number:03d}"
    private = f"10.20.{1 + (number - 1) // 250}.{(number - 1) % 250 + 1}"
    block, age = _block_and_age(number, name)
    restarts, killed_ago = KILLED.get(name, (0, 0.0))
    return Machine(
        name=name,
        address=private,
        announced=PUBLIC.get(name, private),
        age=age,
        pod_cidr=block,
        written_by=BY_HAND if name in MADE_BY_HAND else MANAGER,
        backend="host-gw" if name == ODD_BACKEND else "vxlan",
        flannel_age=killed_ago or min(age - 40, 20 * DAY + number * MINUTE),
        killed=restarts,
        pods=plan.dice("size", name).randint(8, 31),
    )


def _block_and_age(number: int, name: str) -> tuple[str, float]:
    """Its podCIDR and since when, in seconds, the Node exists."""
    if name in LARGE:
        return LARGE[name], _WIDENED - number * MINUTE
    if name in INSIDE:
        return INSIDE[name], _BY_HAND
    if name in MADE_BY_HAND:
        return f"10.244.{number - 200}.0/24", _BY_HAND + HOUR
    if name == ODD_BACKEND:
        return "10.240.31.0/24", 3 * HOUR
    if number <= 250:
        return f"10.244.{number}.0/24", 210 * DAY + (250 - number) * 3 * MINUTE
    joined = number - 256  # since the mask is /24 again: the lowest free blocks, one after the other
    return f"10.240.{joined if joined < 31 else joined + 1}.0/24", (60 - 1.25 * joined) * DAY
