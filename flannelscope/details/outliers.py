"""In which facts nodes differ: groups of equals, the odd ones first."""

from __future__ import annotations

from flannelscope.compared import COMPARED, Compared
from flannelscope.details import About, detail
from flannelscope.facts import Facts
from flannelscope.judge import Judgement
from flannelscope.kernels import kernel_of
from flannelscope.model import NO_EYES, Kernel, Node, Topic
from flannelscope.node_views import OutlierGroup, OutlierLine, OutliersView
from flannelscope.text import clean, fold

MOST = 8  # groups of nodes named in a line
LONGEST = 200  # characters of a value

Read = list[tuple[Node, Kernel]]


@detail("outliers")
def outliers(facts: Facts, judgement: Judgement, about: About) -> OutliersView:
    """All facts, those first on which nodes differ."""
    snapshot = facts.snapshot
    if Topic.KERNELS not in snapshot.readings or snapshot.sweep is None:
        return OutliersView(note=clean(snapshot.why_not(Topic.KERNELS), 300) or NO_EYES)
    read = [(node, kernel) for node in snapshot.nodes if (kernel := kernel_of(snapshot, node.name)) is not None]
    reading = snapshot.readings[Topic.KERNELS]
    lines = sorted((_line(facts, fact, read) for fact in COMPARED), key=lambda line: len(line.groups) < 2)
    return OutliersView(lines=tuple(lines), asked=reading.asked, answered=len(read), taken=reading.at)


def _line(facts: Facts, fact: Compared, read: Read) -> OutlierLine:
    groups: dict[str, list[str]] = {}
    unread = []
    for node, kernel in read:
        value = fact.of(facts, node, kernel)
        if value is None:
            unread.append(node.name)
        else:
            groups.setdefault(value, []).append(node.name)
    ordered = sorted(groups.items(), key=lambda group: (len(group[1]), group[0]))
    return OutlierLine(
        fact=fact.name,
        groups=tuple(OutlierGroup(clean(value, LONGEST), clean(fold(names, MOST)), len(names)) for value, names in ordered),
        unread=clean(fold(unread, MOST)) if unread else "",
        why=fact.why,
    )
