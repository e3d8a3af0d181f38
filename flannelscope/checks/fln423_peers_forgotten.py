"""A node's tunnel is up and flannel runs there, yet the entries of most peers are missing: its pods reach nearly nobody.
That is what a restart of the network leaves, or a tunnel that was made anew: flannel fills it at its own start only.

How it is known

In two readings more than half of the living peers that the node should reach have neither route nor neighbour there, peers
that no node has left out, while the device is up and flannel runs. flannel since v0.27.4 makes a lost device anew and leaves
it empty.

How to see it

On the node, `ip route show dev flannel.1` and `bridge fdb show dev flannel.1` say little or nothing.

    flannelscope check --ssh --only FLN423

What to do

Start flannel on that node anew: it sets all entries again. Find what restarted the network, and keep it from flannel's
devices (`unmanaged-devices` of NetworkManager, `Unmanaged=yes` of systemd-networkd).

How to undo it

There is nothing to undo: a new flannel pod sets what the old one had set.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.facts import Facts
from flannelscope.kernel_causes import causes, started
from flannelscope.kernel_words import at, doubts_elsewhere, proof, restart
from flannelscope.mesh import Problem, State
from flannelscope.model import Evidence, Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import SHOWN
from flannelscope.text import count, listed


@check(
    "FLN423",
    "peers-forgotten",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.KERNELS),
    swallows=("FLN401", "FLN402", "FLN403", "FLN404", *REACHABILITY),
)
def peers_forgotten(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Nodes that lack most of their peers."""
    known = causes(facts)
    for name, peers in known.forgotten.items() if known is not None else ():
        yield _finding(this, facts, name, peers)
    for reason, names in doubts_elsewhere(facts):
        yield this.unknown(reason, names)


def _finding(this: Check, facts: Facts, name: str, peers: tuple[str, ...]) -> Finding:
    return this.finding(
        f"{name} has forgotten {count(len(peers), 'peer')} of its flannel network: {listed(peers)}. {_though(facts, name)}, but "
        "does not set them again.",
        (node_subject(name),),
        evidence=tuple(_evidence(facts, name, peers)),
        remedy=Remedy("Start flannel on that node anew: it sets all entries again.", restart(facts, name)),
    )


def _though(facts: Facts, name: str) -> str:
    assert facts.mesh is not None  # a mesh told of these peers
    tunnels = any(grid.readings[name].backend.tunnels for grid in facts.mesh.grids if name in grid.readings)
    return "Its tunnel is up and flannel runs" if tunnels else "flannel runs"


def _evidence(facts: Facts, name: str, peers: tuple[str, ...]) -> Iterator[Evidence]:
    assert facts.mesh is not None  # a mesh told of these peers
    since = started(facts, facts.mesh, name)
    yield Evidence(f"flannel on {name} runs since", at(since), f"Node {name}", f"ps -o lstart,args -C flanneld  # on {name}")
    for peer in peers[: SHOWN // 3]:
        for entry in facts.mesh.cell(name, peer).entries:
            if entry.state is State.MISSING:
                yield proof(Problem(name, peer, entry.family, entry.leg, entry.state), entry)
