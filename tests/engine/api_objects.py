"""Objects as an API server sends them, and a source that reads a FakeApi; for tests of everything that reads."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from flannelscope.events import RequestDone
from flannelscope.model import Gap, Snapshot, Topic
from flannelscope.sources import Answer, Part
from flannelscope.sources.access import Access
from flannelscope.sources.background import Halt
from flannelscope.sources.credentials import Fixed
from flannelscope.sources.kube import KubeSource
from flannelscope.sources.tls import Tls
from flannelscope.sources.transport import Transport
from flannelscope.sources.watch import Pace
from tests.fakes.api_server import FakeApi, Json

NODES = "/api/v1/nodes"
PODS = "/api/v1/pods"
DAEMON_SETS = "/apis/apps/v1/daemonsets"
EVENTS = "/api/v1/events"
QUICK = Pace(gather=0.02, relist=0.0, relist_selected=0.0, first=0.01, most=0.02, lease=3600.0)


def access(url: str, tls: Tls | None = None) -> Access:
    """The server at `url`, as nobody in particular."""
    return Access(server=url, context="test", tls=tls or Tls(), credentials=Fixed())


@contextmanager
def transport(url: str, *, timeout: float = 5.0, nodes_proxy: bool = False, tls: Tls | None = None) -> Iterator[Transport]:
    """A Transport to `url`."""
    made = Transport(access(url, tls), timeout=timeout, nodes_proxy=nodes_proxy)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def source(api: FakeApi | str, *, pods: str = "all", timeout: float = 5.0, tls: Tls | None = None) -> Iterator[KubeSource]:
    """A KubeSource on a fake API server, quick in everything."""
    url = api if isinstance(api, str) else api.url
    made = KubeSource(access(url, tls), pods=pods, timeout=timeout, pace=QUICK)
    try:
        yield made
    finally:
        made.close()


def fetch(of: Transport, path: str, query: tuple[tuple[str, str], ...] = ()) -> tuple[bytes, list[RequestDone]]:
    """The body of one GET, and the record of every request that it took."""
    work = of.get(path, query, Halt(threading.Event()))
    record: list[RequestDone] = []
    while True:
        try:
            record.append(next(work))
        except StopIteration as end:
            return bytes(end.value.body), record


class Read:
    """What reading one topic gave, sorted."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self.answers = list(answers)
        self.parts = [a for a in self.answers if isinstance(a, Part)]
        self.gaps = [a for a in self.answers if isinstance(a, Gap)]
        self.requests = [a for a in self.answers if isinstance(a, RequestDone)]

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the last Part."""
        return dict(self.parts[-1].fields)


def read(of: KubeSource, topic: Topic, known: Snapshot | None = None) -> Read:
    """Read `topic` to its end."""
    return Read(of.read(topic, known or Snapshot(), threading.Event()))


def a_node(name: str, cidr: str = "10.244.1.0/24", version: str = "1", **metadata: Any) -> Json:
    """A Node with flannel's annotations."""
    said = {
        "flannel.alpha.coreos.com/kube-subnet-manager": "true",
        "flannel.alpha.coreos.com/backend-type": "vxlan",
        "unrelated.example.com/large": "x" * 50,
    }
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": version, "annotations": said, **metadata},
        "spec": {"podCIDR": cidr, "podCIDRs": [cidr]},
        "status": {
            "capacity": {"pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "fine"}],
            "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}, {"type": "Hostname", "address": name}],
            "nodeInfo": {"operatingSystem": "linux", "architecture": "amd64", "kubeletVersion": "v1.34.4"},
        },
    }


def a_pod(
    name: str, node: str = "w1", ip: str = "10.244.1.2", namespace: str = "default", version: str = "1", **spec: Any
) -> Json:
    """A Running pod."""
    return {
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": version},
        "spec": {
            "nodeName": node,
            "containers": [{"name": "app", "image": "app:1", "env": [{"name": "PASSWORD", "value": "x"}]}],
            **spec,
        },
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]},
    }


def flannel_daemonset(namespace: str = "kube-flannel") -> Json:
    """flannel's DaemonSet, as its manifest makes it."""
    template = {
        "metadata": {"labels": {"app": "flannel", "tier": "node"}},
        "spec": {
            "hostNetwork": True,
            "containers": [
                {"name": "kube-flannel", "image": "ghcr.io/flannel-io/flannel:v0.28.10", "command": ["/opt/bin/flanneld"]}
            ],
            "volumes": [{"name": "cfg", "configMap": {"name": "kube-flannel-cfg"}}],
        },
    }
    return {
        "metadata": {"name": "kube-flannel-ds", "namespace": namespace, "uid": f"uid-ds-{namespace}", "resourceVersion": "1"},
        "spec": {"selector": {"matchLabels": {"app": "flannel"}}, "template": template},
        "status": {"desiredNumberScheduled": 1},
    }


def flannel_pod(name: str = "kube-flannel-x", node: str = "w1", restarts: int = 0, version: str = "1") -> Json:
    """One of its pods."""
    made = a_pod(name, node, "192.0.2.1", "kube-flannel", version, hostNetwork=True)
    made["metadata"]["labels"] = {"app": "flannel"}
    made["spec"]["containers"] = flannel_daemonset()["spec"]["template"]["spec"]["containers"]
    made["status"]["containerStatuses"] = [{"name": "kube-flannel", "restartCount": restarts, "state": {"running": {}}}]
    return made
