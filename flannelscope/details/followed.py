"""Nodes that changed while we looked, and how many of the other nodes' kernels have followed."""

from __future__ import annotations

from flannelscope.changes import followed
from flannelscope.details import About, detail
from flannelscope.facts import Facts
from flannelscope.judge import Judgement
from flannelscope.model import NodeChange, Topic
from flannelscope.node_views import FollowedLine, FollowedView
from flannelscope.text import clean, fold

MOST = 8  # groups of nodes named in a line


@detail("followed")
def changes(facts: Facts, judgement: Judgement, about: About) -> FollowedView:
    """The newest first."""
    unread = "" if Topic.KERNELS in facts.snapshot.readings else clean(facts.snapshot.why_not(Topic.KERNELS), 300)
    return FollowedView(lines=tuple(_line(facts, change) for change in reversed(facts.snapshot.changes)), note=unread)


def _line(facts: Facts, change: NodeChange) -> FollowedLine:
    found = followed(facts, change)
    others = len(facts.nodes) - (change.name in facts.nodes)
    return FollowedLine(
        node=clean(change.name),
        what=clean(what(change), 300),
        at=change.at,
        followed=len(found.followed),
        read=len(found.read),
        of=others,
        lacking=clean(fold(found.lacking, MOST)) if found.lacking else "",
        unknown=clean(fold(found.unknown, MOST)) if found.unknown else "",
        doubtful=len(found.unknown),
        seen=found.seen,
    )


def what(change: NodeChange) -> str:
    """The change in words."""
    before, after = change.before, change.after
    if before is None:
        return f"came with podCIDR {', '.join(after.pod_cidrs) or 'none yet'}" if after is not None else "came and went"
    if after is None:
        return f"is gone; it held {', '.join(before.pod_cidrs) or 'no podCIDR'}"
    if before.uid != after.uid:
        return (
            f"was created again: podCIDR {', '.join(before.pod_cidrs) or 'none'}, now {', '.join(after.pod_cidrs) or 'none yet'}"
        )
    if before.pod_cidrs != after.pod_cidrs:
        return f"got podCIDR {', '.join(after.pod_cidrs) or 'none'}"
    keys = sorted(k for k in {*before.annotations, *after.annotations} if before.annotations.get(k) != after.annotations.get(k))
    return f"changed what flannel announces: {', '.join(key.rpartition('/')[2] for key in keys)}"
