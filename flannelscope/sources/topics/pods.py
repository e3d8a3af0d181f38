"""Pods: all of them, or only those of Nodes whose podCIDRs are suspect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flannelscope.cidr import parse, sweep
from flannelscope.model import Node, Pod, Snapshot, Topic
from flannelscope.sources import Answer, Part, wire
from flannelscope.sources.decode import Odd
from flannelscope.sources.listing import keyed, listed, values
from flannelscope.sources.project.pods import project_pod
from flannelscope.sources.reader import Listed, Reader, gap_of_odd
from flannelscope.sources.rights import PODS
from flannelscope.sources.streams import Starts, Stream

POD = keyed(wire.Pod, project_pod)
STREAM = Stream(topic=Topic.PODS, kind=PODS, decoder=POD)
MOST_SUSPECTS = 300  # one request a Node; above that, what is left out is said


def read(reader: Reader, known: Snapshot, starts: Starts) -> Iterator[Answer]:
    """The pods that --pods asks for."""
    if reader.pods == "suspect":
        yield from _of_suspects(reader, known)
        return
    for item in listed(reader, STREAM, starts):
        if not isinstance(item, Listed):
            yield item
            continue
        yield Part(reader.topic, {"pods": values(item)}, reader.reading(len(item.values), odd=len(item.odd)))
        yield from (gap_of_odd(reader.topic, odd) for odd in item.odd)


def _of_suspects(reader: Reader, known: Snapshot) -> Iterator[Answer]:
    names = suspects(known.nodes)
    pods: list[Pod] = []
    odd: list[Odd] = []
    yield from of_nodes(reader, names[:MOST_SUSPECTS], pods, odd)
    yield Part(reader.topic, {"pods": tuple(pods)}, reader.reading(len(pods), odd=len(odd), scope="suspect"))
    yield from (gap_of_odd(reader.topic, item) for item in odd)
    for name in names[MOST_SUSPECTS:]:
        yield reader.gap(f"pods of more than {MOST_SUSPECTS} suspect Nodes are not read; --pods all reads them", name)


def of_nodes(reader: Reader, names: Iterable[str], pods: list[Pod], odd: list[Odd]) -> Iterator[Answer]:
    """Read the pods of these Nodes into `pods`, a request a Node; what cannot be read into `odd`."""
    for name in names:
        query = (("fieldSelector", f"spec.nodeName={name}"),)
        for item in reader.values(PODS, POD, lambda pair: pair[0], query=query, whole=True):
            if isinstance(item, Listed):
                pods += values(item)
                odd += item.odd
            else:
                yield item


def suspects(nodes: Sequence[Node]) -> tuple[str, ...]:
    """Names of the Nodes whose podCIDR is missing, unreadable, or touches another Node's."""
    found: dict[str, None] = {}
    held: list[tuple[str, str]] = []
    for node in nodes:
        held += [(node.name, text) for text in node.pod_cidrs]
        if not node.pod_cidrs:
            found[node.name] = None
    read = [(name, prefix) for name, text in held if (prefix := parse(text)) is not None]
    found.update((name, None) for name, text in held if parse(text) is None)
    for group in sweep([prefix for _, prefix in read]):
        found.update((read[index][0], None) for index in (group.outer, *group.inner))
    return tuple(found)
