"""The pool of podCIDRs has no block left: Nodes that join get none, flannel does not start on them, and their pods wait.

How it is known

A Node waits without podCIDR and either no block is free (every block that a podCIDR or a service range touches counts as
used; with two families the smaller number holds), or an event CIDRNotAvailable names that Node while it still waits. Where
blocks are free by arithmetic but the allocator gives none, its own book is wrong: with two families each failed attempt
leaks a block of the first, and a restart of the controller manager heals that, once FLN103 does not keep it from starting.

How to see it

How many blocks are left, by the same arithmetic as the allocator's; and the events of Nodes that got none.

    flannelscope cidr free
    kubectl get events -A --field-selector reason=CIDRNotAvailable

What to do

Widen --cluster-cidr to a range that holds the present one, or lengthen the node mask; remove Nodes that are gone for good;
give Nodes with an oversized podCIDR one of the usual length.

How to undo it

A wider range may be narrowed again as long as no Node got a podCIDR from the new part.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from flannelscope.address_proofs import settings
from flannelscope.allocator import CidrSet, Restart
from flannelscope.checks import Check, check
from flannelscope.cidr import show
from flannelscope.deletion import no_restart
from flannelscope.facts import Facts
from flannelscope.model import WHOLE_CLUSTER, Event, Evidence, Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import when
from flannelscope.relief import Holders, cause, held, holders, options, tightest
from flannelscope.shortage import Shortage, shortage
from flannelscope.text import count, fold

EVENTS = 3  # shown; all say the same of other Nodes
ANY_WAY = (
    "Widen --cluster-cidr to a range that holds all podCIDRs, or lengthen the node mask, or remove Nodes that are gone for good."
)
CAUTION = "A disjoint range would keep the controller manager from starting; what-if tells, and which Nodes must be rebuilt."
ANY_RANGE = "flannelscope cidr what-if --cluster-cidr CIDR --node-cidr-mask-size N"


@check("FLN106", "pool-exhausted", Severity.CRITICAL, needs=(Topic.NODES,), swallows=("FLN105", "FLN107"))
def pool_exhausted(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for the pool, about all Nodes that wait for it."""
    short = shortage(facts)
    if short is not None:
        yield _finding(this, facts, short)
    elif facts.waiting and facts.pod_cidrs and not facts.configuration.known and facts.configuration.allocator != "off":
        yield this.unknown(
            f"how many blocks are free is not known: {facts.configuration.allocator_reason}",
            tuple(node.name for node in facts.waiting),
        )


def _finding(this: Check, facts: Facts, short: Shortage) -> Finding:
    restart = facts.restart if facts.configuration.known else None
    waits = f"{fold(short.nodes)} {'waits' if len(short.nodes) == 1 else 'wait'} for a podCIDR"
    if restart is None:
        summary = f"The pool of podCIDRs is exhausted: the allocator says that none is left, and {waits}."
        advice, commands = ANY_WAY, [ANY_RANGE]
    elif short.full:
        why = cause(_held(facts, restart), _pool(facts, restart).node_mask)
        summary = f"The pool of podCIDRs is exhausted: all {restart.blocks} blocks are used, and {waits}. {why}".rstrip()
        ways = options(facts, restart, len(short.nodes))
        advice = " ".join(f"{number}. {way.said}." for number, way in enumerate(ways, 1))
        commands = [way.command for way in ways if way.command]
    else:
        summary = (
            f"The allocator says that no podCIDR is left while {count(restart.free, 'block is', 'blocks are')} free by "
            f"arithmetic, and {waits}: its own book is wrong, which a restart of the controller manager heals."
        )
        blocked = no_restart(facts)
        advice = f"{blocked} Then restart it" if blocked else "Restart the controller manager"
        advice, commands = f"{advice}: it counts anew which blocks are used.", []
    return this.finding(
        summary,
        tuple(node_subject(name) for name in short.nodes),
        evidence=_proofs(facts, restart, short),
        remedy=Remedy(advice, ("flannelscope cidr free", *commands), CAUTION),
        reach=(WHOLE_CLUSTER,),
    )


def _proofs(facts: Facts, restart: Restart | None, short: Shortage) -> tuple[Evidence, ...]:
    """What decides comes first, then what the allocator said of some Nodes."""
    return (
        *settings(facts, "cluster-cidr", "node-cidr-mask-size"),
        *_pools(restart),
        *_holding(facts, restart),
        *map(_named, short.events[:EVENTS]),
        *_further(short.events),
    )


def _pools(restart: Restart | None) -> Iterator[Evidence]:
    for pool in restart.pools if restart else ():
        value = f"{pool.free} of {pool.blocks} free (/{pool.node_mask} in {show(pool.cluster)})"
        yield Evidence("blocks", value, "podCIDRs of all Nodes and service ranges", "flannelscope cidr free")


def _pool(facts: Facts, restart: Restart) -> CidrSet:
    return restart.pools[tightest(facts, restart)]


def _held(facts: Facts, restart: Restart) -> tuple[Holders, ...]:
    return holders(facts, restart, tightest(facts, restart))


def _holding(facts: Facts, restart: Restart | None) -> Iterator[Evidence]:
    if restart and restart.pools and (found := _held(facts, restart)):
        where = "podCIDRs of all Nodes, by their length"
        yield Evidence(f"who holds {show(_pool(facts, restart).cluster)}", held(found), where, "flannelscope nodes")


def _further(events: Sequence[Event]) -> tuple[Evidence, ...]:
    rest = len(events) - EVENTS
    command = "kubectl get events -A --field-selector reason=CIDRNotAvailable"
    return (Evidence("further events", f"{rest} more like these", "Events about Nodes", command),) if rest > 0 else ()


def _named(event: Event) -> Evidence:
    return Evidence(
        f"event {event.reason} of {event.name}",
        f"{event.message or event.reason}, last {when(event.last)}, {event.count} times",
        f"Event about Node {event.name}",
        f"kubectl get events -A --field-selector reason={event.reason},involvedObject.name={shlex.quote(event.name)}",
    )
