"""A Node's podCIDR lies inside another Node's. The longer prefix wins in every routing table: the smaller Node takes
traffic that the larger one's pods should get, and once the larger one hands out addresses from there, its pods are
unreachable and pods exist twice.

How it is known

All podCIDRs are sorted and swept once; one finding names the largest and everything inside it, in every family that
flannel serves. The Node that shares the base address is the worst off: flannel uses the base as the gateway, so both
share one neighbour entry, and traffic for both goes to whichever was announced last. It is critical where a member (or a
Node that runs flannel) contains another such Node, else a warning.

How to see it

A podCIDR of another length in the list of all Nodes, which begins at or below others.

    kubectl get nodes -o custom-columns=NAME:.metadata.name,PODCIDRS:.spec.podCIDRs

What to do

Usually the larger one is a remnant of another node mask: give it a podCIDR of the usual length. Deleting its Node clears
every block it touched in the controller manager, also those in use by others: restart the controller manager before any
Node joins, but never while FLN103 stands: it would not start. Peers also drop the neighbour entry of the base address, which
the Node with the same base still needs: write its backend-data annotation again with another blank. That Node's own flannel
can neither set nor remove a route by its own address: it tries for minutes, and what other Nodes announce waits meanwhile
(FLN311). Where all it contains are dead, or it may not be moved and contains few, these move in its place.

How to undo it

The same commands once more, with the former podCIDR in the saved manifest: the Node is deleted and created again, its flannel
started anew, and pods that got an address meanwhile are deleted. `kubectl create` takes no manifest with a resourceVersion and
no name that exists. What was wrong before is then wrong again.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.address_proofs import held_by
from flannelscope.addresses import Overlap, PodCidr
from flannelscope.checks import REACHABILITY, Check, check
from flannelscope.cidr import sweep
from flannelscope.deletion import dead, objection
from flannelscope.exchange import exchange_remedy
from flannelscope.facts import Facts
from flannelscope.model import Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.text import count, fold

FEW = 3  # Nodes that are moved in place of the larger one


@check(
    "FLN102",
    "overlapping-podcidr",
    Severity.CRITICAL,
    needs=(Topic.NODES,),
    swallows=("FLN104", "FLN112", "FLN310", "FLN401", "FLN402", "FLN403", "FLN404", "FLN405", *REACHABILITY),
)
def overlapping_podcidr(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each podCIDR that contains others."""
    for overlap in facts.overlaps:
        inner = [item.node for item in overlap.inner]
        outer = [item.node for item in overlap.outer]
        if len({*inner, *outer}) > 1:
            yield _finding(this, facts, overlap, outer, list(dict.fromkeys(inner)))


def _finding(this: Check, facts: Facts, overlap: Overlap, outer: list[str], inner: list[str]) -> Finding:
    container, base = overlap.outer[0], _same_base(overlap)
    shared = f" {fold(base)} has the same base address: both share one gateway in flannel." if base else ""
    names = list(dict.fromkeys([*outer, *inner]))
    summary = (
        f"{container.text} of {fold(outer)} contains the {'podCIDR' if len(inner) == 1 else 'podCIDRs'} of "
        f"{count(len(inner), 'other Node')} ({fold(inner)}): addresses in both belong to the smaller one.{shared}"
    )
    return this.finding(
        summary,
        tuple(node_subject(name) for name in names),
        severity=Severity.CRITICAL if _live(facts, overlap) else Severity.WARNING,
        evidence=held_by(facts, (*overlap.outer, *overlap.inner)),
        remedy=_remedy(facts, list(dict.fromkeys(outer)), inner),
    )


def _remedy(facts: Facts, outer: list[str], inner: list[str]) -> Remedy:
    """The larger one moves, unless all it contains are dead, or only what it contains may be moved and that is little."""
    small = [facts.nodes[name] for name in inner]
    large = [facts.nodes[name] for name in outer]
    only_the_dead = all(dead(facts, node) for node in small) and not any(dead(facts, node) for node in large)
    may_not = any(objection(facts, node) for node in large) and len(small) <= FEW
    inside = (only_the_dead or may_not) and not any(objection(facts, node) for node in small)
    moving = inner if inside else outer
    return exchange_remedy(facts, f"{fold(moving)} must leave: the podCIDRs of Nodes must not touch each other.", *moving)


def _same_base(overlap: Overlap) -> list[str]:
    container = overlap.outer[0].prefix
    return [item.node for item in overlap.inner if item.prefix and container and item.prefix.base == container.base]


def _live(facts: Facts, overlap: Overlap) -> bool:
    """Whether, among those in flannel, one still contains another."""
    inside: list[PodCidr] = [item for item in (*overlap.outer, *overlap.inner) if facts.in_flannel(item.node)]
    return bool(sweep(list({item.prefix for item in inside if item.prefix is not None})))
