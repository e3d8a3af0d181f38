"""flannel's own pods, ahead of all others: those that its DaemonSets select, or, where these are not known, its usual labels."""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.flannel.names import flannel_container
from flannelscope.model import Pod, Snapshot, Topic
from flannelscope.sources import Answer, Part
from flannelscope.sources.decode import Odd
from flannelscope.sources.listing import listed, values
from flannelscope.sources.reader import Listed, Reader, gap_of_odd
from flannelscope.sources.rights import PODS
from flannelscope.sources.streams import Starts, Stream
from flannelscope.sources.topics.control_plane import DETAILED

_USUAL_LABELS = ("app=flannel", "k8s-app in (flannel,canal)")


def read(reader: Reader, known: Snapshot, starts: Starts) -> Iterator[Answer]:
    """flannel's pods."""
    starts.forget(Topic.FLANNEL_PODS)
    pods: dict[str, Pod] = {}
    odd: list[Odd] = []
    for stream in streams(known):
        for item in listed(reader, stream, starts):
            if isinstance(item, Listed):
                pods.update((pod.uid or pod.name, pod) for pod in values(item) if is_flannel(pod))
                odd += item.odd
            else:
                yield item
    yield Part(reader.topic, {"flannel_pods": tuple(pods.values())}, reader.reading(len(pods), odd=len(odd)))
    yield from (gap_of_odd(reader.topic, item) for item in odd)


def is_flannel(pod: Pod) -> bool:
    """Whether one of its containers runs flanneld."""
    return pod.detail is not None and flannel_container(pod.detail.containers) is not None


def streams(known: Snapshot) -> tuple[Stream, ...]:
    """What to list: by DaemonSet, each selector of a namespace once."""
    if not known.has(Topic.DAEMONSETS):
        return tuple(_stream("", selector) for selector in _USUAL_LABELS)
    chosen = {
        (item.namespace, ",".join(f"{key}={value}" for key, value in sorted(item.match_labels.items())))
        for item in known.daemonsets
        if flannel_container(item.containers) is not None
    }
    return tuple(_stream(namespace, selector) for namespace, selector in sorted(chosen))


def _stream(namespace: str, selector: str) -> Stream:
    query = (("labelSelector", selector),) if selector else ()
    return Stream(topic=Topic.FLANNEL_PODS, kind=PODS, decoder=DETAILED, namespace=namespace, query=query)
