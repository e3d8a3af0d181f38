"""Where and how flannel is installed: by image, labels, ConfigMap, annotations; upstream, Canal, k3s, RKE2, on the host.

Order: the gate annotations of the Nodes tell the prefixes; containers tell the pods; their owners and every DaemonSet
whose template runs flanneld tell the installations; the ConfigMaps these mount tell net-conf. Members that no such
DaemonSet accounts for run a flannel that the API does not show: inside k3s or RKE2, or as a service of the host.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from flannelscope.flannel.annotations import DEFAULT_PREFIX, GATE, normal_prefix, prefixes
from flannelscope.flannel.coverage import coverage
from flannelscope.flannel.flags import flags, is_true
from flannelscope.flannel.names import flannel_container
from flannelscope.flannel.netconf import NetConf, parse_net_conf
from flannelscope.flannel.versions import UNKNOWN, image_version, parse_release, pod_version
from flannelscope.model import ConfigMap, Container, DaemonSet, Node, Pod, Snapshot, Topic, Value

DEFAULT_SUBNET_FILE = "/run/flannel/subnet.env"
DEFAULT_NET_CONF_KEY = "net-conf.json"
_OS_LABELS = ("kubernetes.io/os", "beta.kubernetes.io/os")
_VIRTUAL_LABEL = "type"
_VIRTUAL = "virtual-kubelet"


class Installation(Value, frozen=True, kw_only=True):
    """One flannel. `kind` is upstream, canal, k3s, rke2, host or other; `container` names flannel's container in its pods.

    `pods` are flannel's pods of this installation, `prefix` its annotation prefix, `covered` the Nodes it is meant to run
    on. `flags` are the settings its container is given; an installation in etcd mode (`etcd`) writes no annotations.
    """

    kind: str
    namespace: str = ""
    name: str = ""
    container: str = "kube-flannel"
    daemonset: DaemonSet | None = None
    pods: tuple[Pod, ...] = ()
    config_map: ConfigMap | None = None
    net_conf: NetConf | None = None
    prefix: str = ""
    version: str = ""
    covered: frozenset[str] = frozenset()
    os: str = "linux"
    etcd: bool = False
    flags: Mapping[str, tuple[str, ...]] = {}
    subnet_file: str = DEFAULT_SUBNET_FILE

    @property
    def embedded(self) -> bool:
        """Whether it runs inside k3s or RKE2 or as a service of the host, without pods."""
        return self.kind in ("k3s", "rke2", "host")

    @property
    def title(self) -> str:
        """How to name it in a sentence."""
        return f"{self.namespace}/{self.name}" if self.name else f"the flannel in {self.kind}"


class Discovery(Value, frozen=True, kw_only=True):
    """All installations. `families` is what their net-conf enables (None when none could be read);
    `covered` are the Nodes on which a flannel DaemonSet is meant to run a pod."""

    installations: tuple[Installation, ...] = ()
    families: frozenset[int] | None = None
    covered: frozenset[str] = frozenset()
    etcd_mode: bool = False


class _Found:
    """What belongs to one installation while it is put together."""

    def __init__(self) -> None:
        self.daemonset: DaemonSet | None = None
        self.container: Container | None = None
        self.pods: list[Pod] = []


def discover(snapshot: Snapshot, members: Mapping[str, set[str]] | None = None) -> Discovery:
    """Find every flannel of the cluster. `members` saves looking at all gates a second time."""
    members = members_by_prefix(snapshot.nodes) if members is None else members
    maps = {(item.namespace, item.name): item for item in snapshot.config_maps}
    deployed = tuple(_installation(key, found, snapshot.nodes, maps, members) for key, found in sorted(_gather(snapshot).items()))
    installations = (*deployed, *_without_pods(snapshot, deployed, members))
    enabled = [i.net_conf.families for i in installations if i.net_conf is not None and i.net_conf.families is not None]
    return Discovery(
        installations=installations,
        families=frozenset().union(*enabled) if enabled else None,
        covered=frozenset().union(*(i.covered for i in deployed)),
        etcd_mode=bool(installations) and all(i.etcd for i in installations),
    )


def members_by_prefix(nodes: Iterable[Node]) -> dict[str, set[str]]:
    """Names of the Nodes whose gate is "true", by annotation prefix: only the gate is looked at, nothing is decoded."""
    found: dict[str, set[str]] = {}
    for node in nodes:
        for prefix in prefixes(node) if node.annotations else ():
            if node.annotations[prefix + GATE] == "true":
                found.setdefault(prefix, set()).add(node.name)
    return found


def _gather(snapshot: Snapshot) -> dict[tuple[str, str], _Found]:
    """DaemonSets whose template runs flanneld and pods that run it, by (namespace, name of the owner)."""
    found: dict[tuple[str, str], _Found] = {}
    for daemonset in snapshot.daemonsets:
        container = flannel_container(daemonset.containers)
        if container is not None:
            group = found.setdefault((daemonset.namespace, daemonset.name), _Found())
            group.daemonset, group.container = daemonset, container
    for pod in _pods(snapshot):
        container = flannel_container(pod.detail.containers) if pod.detail is not None else None
        if container is not None:
            owner = pod.owner_name if pod.owner_kind == "DaemonSet" else ""
            group = found.setdefault((pod.namespace, owner), _Found())
            group.pods.append(pod)
            group.container = group.container or container
    return found


def _pods(snapshot: Snapshot) -> Iterable[Pod]:
    """Pods that may be flannel's, each once; where two readings have one, that of the newer reading."""
    detailed, flannel_pods = [pod for pod in snapshot.pods if pod.detail is not None], snapshot.flannel_pods
    every, flannel = snapshot.readings.get(Topic.PODS), snapshot.readings.get(Topic.FLANNEL_PODS)
    newer_last = every is not None and flannel is not None and every.at > flannel.at
    older, newer = (flannel_pods, detailed) if newer_last else (detailed, flannel_pods)
    by_name = {(pod.namespace, pod.name): pod for pod in older}
    by_name.update(((pod.namespace, pod.name), pod) for pod in newer)
    return by_name.values()


def _installation(
    key: tuple[str, str],
    found: _Found,
    nodes: tuple[Node, ...],
    maps: Mapping[tuple[str, str], ConfigMap],
    members: Mapping[str, set[str]],
) -> Installation:
    container = found.container or Container(name="kube-flannel")
    given = flags(container)
    version = _version(found, container)
    prefix = normal_prefix(given.get("kube-annotation-prefix", (DEFAULT_PREFIX,))[-1])
    config_map, text = _net_conf(key[0], found, given, maps)
    os = _os(found.daemonset)
    covered = _covered(found.daemonset, nodes, os) if found.daemonset else frozenset[str]()
    on = covered.union(pod.node for pod in found.pods if pod.node)
    return Installation(
        kind=_kind(key[1], found),
        namespace=key[0],
        name=key[1],
        container=container.name,
        daemonset=found.daemonset,
        pods=tuple(found.pods),
        config_map=config_map,
        net_conf=None if text is None else parse_net_conf(text, parse_release(version)),
        prefix=prefix,
        version=version,
        covered=covered,
        os=os,
        # flanneld started by a script of its own shows no flags: its members tell that it is in kube mode
        etcd=not is_true(given.get("kube-subnet-mgr", ())) and not (members.get(prefix, set()) & on),
        flags=given,
        subnet_file=given.get("subnet-file", (DEFAULT_SUBNET_FILE,))[-1],
    )


def _version(found: _Found, container: Container) -> str:
    """The release most of its pods run; of a DaemonSet without pods, what its template asks for."""
    running = Counter(pod_version(pod, container.name) for pod in found.pods)
    running.pop(UNKNOWN, None)
    if running:
        return max(running, key=lambda version: (running[version], version))
    return image_version(container.image)


def _net_conf(
    namespace: str, found: _Found, given: Mapping[str, tuple[str, ...]], maps: Mapping[tuple[str, str], ConfigMap]
) -> tuple[ConfigMap | None, str | None]:
    """The mounted ConfigMap that holds net-conf.json (or the file that --net-config-path names), and its text."""
    names = list(found.daemonset.config_maps) if found.daemonset else []
    names += [name for pod in found.pods[:1] if pod.detail for name in pod.detail.config_maps]
    file = given.get("net-config-path", (DEFAULT_NET_CONF_KEY,))[-1].rpartition("/")[2]
    for key in dict.fromkeys((file, DEFAULT_NET_CONF_KEY)):
        for name in names:
            config_map = maps.get((namespace, name))
            if config_map is not None and key in config_map.data:
                return config_map, config_map.data[key]
    return None, None


def _kind(name: str, found: _Found) -> str:
    containers = found.daemonset.containers if found.daemonset else _containers(found.pods)
    if "canal" in name or any("calico-node" in c.name or "calico/node" in c.image for c in containers):
        return "canal"
    return "upstream" if name.startswith("kube-flannel") else "other"


def _containers(pods: list[Pod]) -> tuple[Container, ...]:
    return pods[0].detail.containers if pods and pods[0].detail else ()


def _os(daemonset: DaemonSet | None) -> str:
    """The operating system its DaemonSet asks for; Linux where it does not ask."""
    if daemonset is None:
        return "linux"
    asked = [daemonset.node_selector[label] for label in _OS_LABELS if label in daemonset.node_selector]
    for term in daemonset.affinity or ():
        asked += [v for r in term if r.key in _OS_LABELS and r.operator == "In" for v in r.values]
    return "windows" if asked and all(value == "windows" for value in asked) else "linux"


def _covered(daemonset: DaemonSet, nodes: tuple[Node, ...], os: str) -> frozenset[str]:
    """The Nodes its controller wants a pod on, without those where such a pod could not run as flannel.

    An old manifest selects no operating system: its pods on Windows or virtual Nodes are wanted and never run.
    """
    wants = coverage(daemonset)
    virtual = daemonset.node_selector.get(_VIRTUAL_LABEL) == _VIRTUAL
    return frozenset(
        node.name
        for node in nodes
        if (node.os or "linux").lower() == os and (virtual or node.labels.get(_VIRTUAL_LABEL) != _VIRTUAL) and wants(node)
    )


def _without_pods(
    snapshot: Snapshot, deployed: tuple[Installation, ...], members: Mapping[str, set[str]]
) -> Iterable[Installation]:
    """Members that no DaemonSet and no pod accounts for, by prefix and by what runs flannel there."""
    seen = snapshot.has(Topic.DAEMONSETS) or snapshot.has(Topic.FLANNEL_PODS)
    by_name = {node.name: node for node in snapshot.nodes}
    for prefix, names in sorted(members.items()):
        here = [i for i in deployed if i.prefix == prefix]
        accounted = frozenset().union(*(i.covered for i in here), *((p.node for p in i.pods) for i in here))
        kinds: dict[str, set[str]] = {}
        for name in names - accounted:
            kinds.setdefault(embedding(by_name[name]), set()).add(name)
        for kind, hosts in sorted(kinds.items()):
            if kind == "k3s" or seen:  # the others are concluded from there being no pods: these must have been read
                yield Installation(kind=kind, prefix=prefix, version=UNKNOWN, covered=frozenset(hosts))


def embedding(node: Node) -> str:
    """What runs flannel on a member without a flannel pod: k3s, rke2, or a service of the host."""
    return _embedding(tuple(node.annotations), node.kubelet_version)


@lru_cache(maxsize=4096)
def _embedding(keys: tuple[str, ...], version: str) -> str:
    for kind in ("rke2", "k3s"):
        marks = (f"{kind}.io/", f"{kind}.cattle.io/")
        if any(key.startswith(marks) for key in keys) or f"+{kind}" in version:
            return kind
    return "host"
