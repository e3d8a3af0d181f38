"""Judges single nodes' kernels: what is wrong in the first reading counts only when a second one, seconds later, shows it too.

A kernel changes while it is read: flanneld starts, a rule set is loaded anew. So a complaint of the first sweep is said once
`Snapshot.second_sweep` shows a complaint with the same key on that node, while the Node's uid, podCIDRs and flannel's
annotations stayed as they were; until then it is an Unknown. Which nodes are to be read again follows from judging a Snapshot
whose second sweep is its first: the Nodes of all findings then. Saved and simulated clusters stand still and are read once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from flannelscope.checks import Check
from flannelscope.facts import Facts, Network
from flannelscope.here import Here, NotRead
from flannelscope.mesh import identity
from flannelscope.mesh.steady import NOT_AGAIN, SEEN_ONCE
from flannelscope.model import Evidence, Finding, Kernel, Node, Remedy, Severity, Unknown, Value, node_subject
from flannelscope.pod_addresses import QUIET, STANDS_STILL
from flannelscope.text import natural

SETTLING = "settling: its Node was written just before, or while, its kernel was read"
ON_NODE = "Run these on the node itself, as root."
MARKED = "What is marked with the node's name belongs on the node itself, as root."


class Complaint(Value, frozen=True, kw_only=True):
    """What is wrong on one node. `key` tells it from other complaints of the check, and is the same in both readings."""

    key: str
    summary: str
    severity: Severity | None = None  # None: the check's usual one
    evidence: tuple[Evidence, ...] = ()
    remedy: Remedy | None = None


Judge = Callable[[Here], Iterable[Complaint]]


def seen_twice(
    this: Check, facts: Facts, judge: Judge, *, apart: Callable[[Here], float] | None = None
) -> Iterator[Finding | Unknown]:
    """A finding for each member that `judge` complains about in both readings; Unknowns with a reason for all others in doubt.

    `judge` raises NotRead where it lacks something. `apart` tells how many seconds the readings must lie apart.
    """
    complaints, doubts = judged_twice(facts, judge, apart=apart)
    for name, found in complaints.items():
        yield _finding(this, name, found)
    yield from doubts.told(this)


def judged_twice(
    facts: Facts, judge: Judge, *, apart: Callable[[Here], float] | None = None
) -> tuple[dict[str, list[Complaint]], Doubts]:
    """By member, the complaints that both readings show, and why which members could not be judged."""
    doubts = Doubts()
    complaints: dict[str, list[Complaint]] = {}
    for network in facts.networks:
        for name in sorted(network.members, key=natural):
            node = facts.nodes[name]
            if node.os == "windows" or not facts.settled(node):
                continue
            found = _of_node(facts, node, network, judge, doubts, apart)
            if found:
                complaints.setdefault(name, []).extend(found)
    return complaints, doubts


class Doubts:
    """Why which nodes were not judged."""

    def __init__(self) -> None:
        self.nodes: dict[str, dict[str, None]] = {}

    def add(self, reason: str, node: str) -> None:
        """Note that a node was not judged, or not wholly."""
        self.nodes.setdefault(reason, {})[node] = None

    def told(self, this: Check) -> Iterator[Unknown]:
        """One Unknown for each reason."""
        for reason, names in self.nodes.items():
            yield this.unknown(reason, tuple(names))


def _of_node(
    facts: Facts,
    node: Node,
    network: Network,
    judge: Judge,
    doubts: Doubts,
    apart: Callable[[Here], float] | None,
) -> list[Complaint]:
    kernel = first_kernel(facts, node.name)
    if kernel is None:
        doubts.add(facts.why_no_kernel(node.name), node.name)
        return []
    here = Here(facts, node, network, kernel)
    first = _complaints(here, judge, doubts)
    if not first or facts.snapshot.source in STANDS_STILL:
        return first
    if settling(facts, node):
        doubts.add(SETTLING, node.name)
        return []
    again, reason = second_kernel(facts, node.name)
    if again is None:
        doubts.add(reason, node.name)
        return []
    wanted = apart(here) if apart else 0.0
    if again is not kernel and again.at - kernel.at < wanted:
        doubts.add(f"seen in two readings that lie less than {wanted:.0f} s apart", node.name)
        return []
    keys = {complaint.key for complaint in first}
    return [complaint for complaint in _complaints(Here(facts, node, network, again), judge, doubts) if complaint.key in keys]


def _complaints(here: Here, judge: Judge, doubts: Doubts) -> list[Complaint]:
    found: list[Complaint] = []
    try:
        for complaint in judge(here):
            found.append(complaint)  # noqa: PERF402 - those before a NotRead count
    except NotRead as error:
        doubts.add(str(error), here.node.name)
    return found


def _finding(this: Check, name: str, found: list[Complaint]) -> Finding:
    """All complaints about one node as one finding, the gravest first."""
    found.sort(key=lambda complaint: -(this.severity if complaint.severity is None else complaint.severity))
    return this.finding(
        " ".join(dict.fromkeys(complaint.summary for complaint in found)),
        (node_subject(name),),
        severity=found[0].severity,
        evidence=tuple({(e.what, e.value): e for complaint in found for e in complaint.evidence}.values()),
        remedy=next((complaint.remedy for complaint in found if complaint.remedy), None),
    )


def first_kernel(facts: Facts, name: str) -> Kernel | None:
    """The first reading of a node."""
    sweep = facts.snapshot.sweep
    return sweep.kernels.get(name) if sweep is not None else None


def second_kernel(facts: Facts, name: str) -> tuple[Kernel | None, str]:
    """The second reading of a node, or why there is none."""
    sweep = facts.snapshot.second_sweep
    kernel = sweep.kernels.get(name) if sweep is not None else None
    return kernel, SEEN_ONCE if sweep is None or sweep.ended is None else NOT_AGAIN


def origin(facts: Facts, name: str) -> str:
    """How a node was reached for the newest reading."""
    kernel = second_kernel(facts, name)[0] or first_kernel(facts, name)
    return (kernel.origin or name) if kernel is not None else name


def settling(facts: Facts, node: Node) -> bool:
    """Whether the Node changed around the sweeps: kernel and API may then tell of different moments."""
    sweep, again = facts.snapshot.sweep, facts.snapshot.second_sweep
    if sweep is None:
        return True
    before, after = sweep.before.get(node.name), None if sweep.after is None else sweep.after.get(node.name)
    if (sweep.before and before is None) or (sweep.after is not None and after is None):
        return True
    later = (again.before.get(node.name), (again.after or {}).get(node.name)) if again is not None else ()
    said = identity(node)
    if any(identity(one) != said for one in (before, after, *later) if one is not None and one is not node):
        return True
    written = max((w.at for w in node.writers if w.at is not None), default=None)
    return written is not None and sweep.begun - QUIET < written


def on_node(
    node: str,
    summary: str,
    commands: Sequence[str],
    after: Sequence[str] = (),
    *,
    before: Sequence[str] = (),
    caution: str = "",
) -> Remedy:
    """A remedy with commands for the node itself, each marked so; those before and after them are for anywhere."""
    marked = [f"{command}  # on {node}" for command in commands]
    return Remedy(summary, (*before, *marked, *after), f"{caution} {MARKED if before or after else ON_NODE}".strip())
