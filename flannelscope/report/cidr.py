"""What `cidr plan`, `cidr free` and `cidr what-if` print: text, and JSON whose keys are a promise to scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flannelscope.blocks import Plan
from flannelscope.cidr import show, show_address
from flannelscope.model import Prefix
from flannelscope.report import SCHEMA
from flannelscope.text import clean, count, fold
from flannelscope.what_if import Answer, Pool

LISTED = 5  # Nodes to rebuild that are written out of each kind
FOLDED = 12  # groups of their names


def plan_document(plans: Sequence[Plan]) -> dict[str, Any]:
    """The plan as one object; with two cluster CIDRs its keys stand once per family in `families`."""
    if len(plans) == 1:
        return {"schema": SCHEMA, **_plan(plans[0])}
    problems = list(dict.fromkeys(problem for plan in plans for problem in plan.problems))
    return {
        "schema": SCHEMA,
        "valid": all(plan.valid for plan in plans),
        "problems": problems,
        "families": [_plan(plan) for plan in plans],
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "family": plan.cluster.family,
        "cluster_cidr": show(plan.cluster),
        "written": plan.written,
        "host_bits": plan.host_bits,
        "node_mask": plan.node_mask,
        "blocks": plan.blocks,
        "usable_blocks": plan.usable_blocks,
        "addresses_per_node": plan.addresses_per_node,
        "pods_per_node": plan.pods_per_node,
        "first": _shown(plan.first),
        "last": _shown(plan.last),
        "valid": plan.valid,
        "problems": list(plan.problems),
        "notes": list(plan.notes),
    }


def plan_text(plans: Sequence[Plan]) -> str:
    """The plan in lines."""
    return "\n\n".join("\n".join(_plan_lines(plan)) for plan in plans) + "\n"


def _plan_lines(plan: Plan) -> Iterator[str]:
    written = f" (written {clean(plan.written)})" if plan.host_bits else ""
    yield f"cluster CIDR     {show(plan.cluster)}{written}"
    yield f"addresses        {show_address(plan.cluster.family, plan.cluster.base)} to {_end(plan.cluster)}"
    yield f"node mask        /{plan.node_mask}"
    yield f"blocks           {plan.blocks}, {plan.usable_blocks} usable: so many nodes"
    if plan.first is not None and plan.last is not None:
        yield f"first, last      {show(plan.first)}, {show(plan.last)}"
    yield f"addresses, pods  {plan.addresses_per_node} addresses a node, {plan.pods_per_node} pods a node"
    yield f"valid            {'yes' if plan.valid else 'no'}"
    yield from (f"problem          {clean(text)}" for text in plan.problems)
    yield from (f"note             {clean(text)}" for text in plan.notes)


def _end(prefix: Prefix) -> str:
    bits = 32 if prefix.family == 4 else 128
    return show_address(prefix.family, prefix.base + (1 << (bits - prefix.length)) - 1)


def answer_document(answer: Answer, *, rebuild: bool) -> dict[str, Any]:
    """What is free as one object. `next` and `free` are of the first cluster CIDR; with two, `families` has both.

    Where no block can be called free, `problem` says why, and `left` is the most that there can be.
    """
    first = answer.pools[0] if answer.pools else None
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "would_start": answer.would_start,
        **({"reason": answer.reason} if answer.reason else {}),
        "left": answer.left,
        "next": [show(prefix) for prefix in first.next] if first else [],
        "free": [show(prefix) for prefix in first.free] if first else [],
    }
    if len(answer.pools) > 1:
        document["families"] = [_pool(pool) for pool in answer.pools]
    if rebuild:
        document["rebuild"] = [
            {
                "node": item.node,
                "podcidr": item.podcidr,
                "reason": item.reason,
                "to": _shown(item.to),
                "required": item.required,
            }
            for item in answer.rebuild
        ]
        document |= {"waiting": answer.waiting, "left_after_rebuild": answer.after, "too_small": list(answer.small)}
    problem = {"problem": answer.problem} if answer.problem else {}
    return {**document, **problem, "notes": [*answer.notes, *answer.small]}


def _pool(pool: Pool) -> dict[str, Any]:
    return {
        "family": pool.cluster.family,
        "cluster_cidr": show(pool.cluster),
        "node_mask": pool.node_mask,
        "left": pool.left,
        "next": [show(prefix) for prefix in pool.next],
        "free": [show(prefix) for prefix in pool.free],
    }


def answer_text(answer: Answer, *, rebuild: bool) -> str:
    """What is free, in lines."""
    return "\n".join(_answer_lines(answer, rebuild)) + "\n"


def _answer_lines(answer: Answer, rebuild: bool) -> Iterator[str]:
    yield from _verdict(answer)
    most, nothing = ("at most ", "not known") if answer.problem else ("", "")
    for pool in answer.pools:
        yield ""
        yield f"{show(pool.cluster)} in blocks of /{pool.node_mask}"
        yield f"  left                {most}{pool.left}"
        yield f"  next                {' '.join(show(p) for p in pool.next) or nothing or 'none'}"
        yield f"  best for a rebuild  {' '.join(show(p) for p in pool.free) or nothing or 'none is free'}"
    if rebuild and answer.pools:
        yield from _rebuilds(answer, nothing or "no free block")
    yield from (f"note: {clean(text)}" for text in answer.notes)


def _verdict(answer: Answer) -> Iterator[str]:
    """What decides the exit code comes first."""
    if answer.problem:
        yield f"problem: {clean(answer.problem)}"
    if not answer.would_start:
        yield f"The controller manager would not start: {clean(answer.reason)}"
    yield from (f"{clean(text)[:1].upper()}{clean(text)[1:]}." for text in answer.small)
    if answer.would_start:
        nodes, most = ("the nodes that could be read", "at most ") if answer.problem else ("these nodes", "")
        yield f"The controller manager would start with {nodes} and could give {most}{count(answer.left, 'more block')}."
    if answer.waiting and not answer.small and not answer.problem:
        yield f"That is enough for the {count(answer.waiting, 'node that waits', 'nodes that wait')} for a podCIDR."
    if answer.rebuild and answer.after is not None:
        yield f"With all rebuilds below done it could give {count(answer.after, 'block')} ({answer.after - answer.left:+,})."


def _rebuilds(answer: Answer, nothing: str) -> Iterator[str]:
    """Who is to be rebuilt, in this order: those that must, then those that may stay; long lists are folded."""
    if not answer.rebuild:
        yield from ("", "No node has to be rebuilt.")
    gain = 0 if answer.after is None else answer.after - answer.left
    why = f"frees up to {count(gain, 'more block')}" if gain > 0 else "nothing stands still without it"
    heads = {True: "Must be rebuilt, in this order", False: f"May be rebuilt, in this order ({why})"}
    for required, head in heads.items():
        items = [item for item in answer.rebuild if item.required is required]
        if items:
            yield ""
            yield f"{head}: {count(len(items), 'node')}, {fold((clean(item.node) for item in items), FOLDED)}"
            for item in items[:LISTED]:
                to = _shown(item.to) or nothing
                yield f"  {clean(item.node)}  {clean(item.podcidr, 60)} -> {to}  {clean(item.reason)}"
            if len(items) > LISTED:
                yield f"  and {len(items) - LISTED:,} more: -o json lists all of them, each with its block"


def _shown(prefix: Prefix | None) -> str | None:
    return None if prefix is None else show(prefix)
