"""Everything that is said of cluster CIDR, node masks and service ranges, the most trusted first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flannelscope.allocator import DEFAULT_NODE_MASK
from flannelscope.cidr import parse, show, supernet
from flannelscope.effective import hints, manager
from flannelscope.effective.flags import number, parts
from flannelscope.effective.manager import Arguments
from flannelscope.effective.values import Claim, Sureness, origin
from flannelscope.flannel.discovery import Discovery
from flannelscope.model import Origin, Prefix, Snapshot, Topic, Value

CLUSTER, MASK, SERVICE, ALLOCATOR = "cluster-cidr", "node-cidr-mask-size", "service-cidr", "allocator"
OPTION = {CLUSTER: "--cluster-cidr", MASK: "--node-cidr-mask-size", SERVICE: "--service-cidr"}


class Said(Value, frozen=True):
    """What one source says of one setting, in the order of its list."""

    texts: tuple[str, ...]
    origin: Origin
    sure: Sureness

    @property
    def prefixes(self) -> tuple[Prefix, ...]:
        """Those of the texts that are CIDRs."""
        return tuple(p for p in map(parse, self.texts) if p is not None)

    @property
    def text(self) -> str:
        """As one value."""
        return ",".join(self.texts)

    def claim(self, setting: str, chosen: bool) -> Claim:
        """This as a Claim."""
        return Claim(setting, self.text, self.origin, self.sure, chosen)


def option(setting: str, texts: tuple[str, ...]) -> Iterator[Said]:
    """What was given by option."""
    if texts:
        yield Said(texts, Origin("option", OPTION[setting]), Sureness.SURE)


def of_cluster(
    snapshot: Snapshot, deciding: Arguments | None, managers: tuple[Arguments, ...], discovery: Discovery
) -> list[Said]:
    """The cluster CIDRs by every source; the Nodes are asked only when nobody else tells."""
    said = list(option(CLUSTER, snapshot.declared.cluster_cidrs))
    for arguments in sorted(managers, key=lambda a: a is not deciding):
        if arguments.cluster_cidrs:
            same = deciding is not None and arguments.cluster_cidrs == deciding.cluster_cidrs
            said.append(Said(arguments.cluster_cidrs, arguments.origin, Sureness.SURE if same else Sureness.HINT))
    if (kubeadm := hints.kubeadm(snapshot)) and kubeadm.pod_subnets:
        said.append(_hint(snapshot, kubeadm.pod_subnets, "kubeadm-config networking.podSubnet"))
    if (proxy := hints.kube_proxy(snapshot)) and proxy.cluster_cidrs:
        said.append(_hint(snapshot, proxy.cluster_cidrs, "kube-proxy clusterCIDR"))
    said.extend(_networks(snapshot, discovery))
    if not any(s.prefixes for s in said):
        said.extend(_supernets(snapshot))
    return said


def _hint(snapshot: Snapshot, texts: tuple[str, ...], path: str) -> Said:
    return Said(texts, origin(snapshot, f"ConfigMap kube-system/{path}", Topic.CONFIGURATION), Sureness.HINT)


def _networks(snapshot: Snapshot, discovery: Discovery) -> Iterator[Said]:
    for installation in discovery.installations:
        conf, held = installation.net_conf, installation.config_map
        if conf is None or held is None:
            continue
        enabled = ((conf.enable_ipv4, conf.network_written), (conf.enable_ipv6, conf.ipv6_network_written))
        texts = tuple(text for on, text in enabled if on and text)
        if texts:
            path = f"ConfigMap {held.namespace}/{held.name} net-conf.json Network"
            yield Said(texts, origin(snapshot, path, Topic.CONFIGURATION), Sureness.HINT)


def _supernets(snapshot: Snapshot) -> Iterator[Said]:
    families: dict[int, list[Prefix]] = {}
    for text in (text for node in snapshot.nodes for text in node.pod_cidrs):
        prefix = parse(text)
        if prefix is not None:
            families.setdefault(prefix.family, []).append(prefix)
    texts = tuple(show(found) for members in families.values() if (found := supernet(members)) is not None)
    if texts:
        yield Said(texts, Origin("inferred", "smallest range that holds the podCIDRs of all Nodes"), Sureness.ESTIMATE)


def of_masks(snapshot: Snapshot, deciding: Arguments | None, cluster: Said | None) -> list[Said]:
    """The node masks by every source, by index of the chosen cluster CIDRs."""
    families = [prefix.family for prefix in cluster.prefixes] if cluster else []
    said = list(option(MASK, tuple(str(mask) for mask in snapshot.declared.node_masks)))
    if deciding is not None and cluster is not None:
        given = [deciding.masks.get(prefix.family, DEFAULT_NODE_MASK[prefix.family]) for prefix in cluster.prefixes]
        said.append(Said(tuple(map(str, given)), deciding.origin, Sureness.SURE))
    kubeadm = hints.kubeadm(snapshot)
    flags = kubeadm.manager_arguments if kubeadm else {}
    both = number(flags, MASK)
    meant = [number(flags, f"{MASK}-ipv{family}") or both for family in families]
    if meant and all(meant):
        said.append(_hint(snapshot, tuple(map(str, meant)), "kubeadm-config controllerManager.extraArgs"))
    if not said and families:
        said.extend(_usual_masks(snapshot, families))
    return said


def _usual_masks(snapshot: Snapshot, families: list[int]) -> Iterator[Said]:
    seen: dict[int, Counter[int]] = {family: Counter() for family in families}
    for text in (text for node in snapshot.nodes for text in node.pod_cidrs):
        prefix = parse(text)
        if prefix is not None and prefix.family in seen:
            seen[prefix.family][prefix.length] += 1
    if all(seen.values()):
        texts = tuple(str(seen[family].most_common(1)[0][0]) for family in families)
        yield Said(texts, Origin("inferred", "the length that most podCIDRs have"), Sureness.ESTIMATE)


def of_services(snapshot: Snapshot, deciding: Arguments | None) -> list[Said]:
    """The service ranges by every source: options, ServiceCIDR objects, API servers, the manager, kubeadm, the first address."""
    said = list(option(SERVICE, snapshot.declared.service_cidrs))
    said.extend(
        Said(found.cidrs, origin(snapshot, f"ServiceCIDR {found.name}", Topic.SERVICES), Sureness.SURE)
        for found in snapshot.service_cidrs
    )
    for pod in manager.component_pods(snapshot, manager.API_SERVER):
        texts = parts(manager.component_flags(pod, manager.API_SERVER) or {}, "service-cluster-ip-range")
        if texts:
            path = f"Pod {pod.namespace}/{pod.name} command"
            said.append(Said(texts, origin(snapshot, path, Topic.CONTROL_PLANE), Sureness.SURE))
    if deciding is not None and deciding.service_cidrs:
        said.append(Said(deciding.service_cidrs, deciding.origin, Sureness.SURE))
    if (kubeadm := hints.kubeadm(snapshot)) and kubeadm.service_subnets:
        said.append(_hint(snapshot, kubeadm.service_subnets, "kubeadm-config networking.serviceSubnet"))
    if snapshot.kubernetes_service_ips:
        path = "Service default/kubernetes clusterIPs (the first address of each range)"
        said.append(Said(snapshot.kubernetes_service_ips, origin(snapshot, path, Topic.SERVICES), Sureness.ESTIMATE))
    return said
