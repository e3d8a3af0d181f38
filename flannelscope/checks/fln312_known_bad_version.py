"""Some releases have a fault that is known and that this cluster can run into. Better to update before it does.

How it is known

The release of the controller manager (its image; else the API server's version) and of flannel (its image) stand in the
table of known faults, and the cluster has what brings the fault out. It is a warning where the trigger is there today.

How to see it

The releases that run.

    kubectl version
    kubectl get pods -A -o wide | grep -i flannel

What to do

Update to the release that is named, or take away the trigger.

How to undo it

Set the former image or option again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from flannelscope.checks import Check, check
from flannelscope.effective import Allocator
from flannelscope.facts import Facts
from flannelscope.flannel import known_faults as faults
from flannelscope.flannel.annotations import Announcement, read
from flannelscope.flannel.discovery import Installation
from flannelscope.flannel.known_faults import KnownFault
from flannelscope.flannel.versions import Release, image_release, parse_release, pod_version, show_release
from flannelscope.model import Evidence, Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import SHOWN, announced_address, quoted, show_daemonset
from flannelscope.text import fold

Member = tuple[Node, Announcement]
# What brings a flannel fault out: the Nodes concerned, and whether it does so today.
Trigger = Callable[[Installation, Sequence[Member]], tuple[Sequence[Member], bool]]


@check("FLN312", "known-bad-version", Severity.INFO, needs=(Topic.NODES,))
def known_bad_version(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Releases with a known fault that fits this cluster."""
    yield from _kubernetes(self, facts)
    for index, installation in enumerate(facts.discovery.installations):
        for release, members in _by_release(facts, index, installation).items():
            for fault in faults.FLANNEL_FAULTS:
                if fault.fits(release):
                    concerned, today = _TRIGGERS[fault.key](installation, members)
                    if concerned:
                        yield _flannel(self, installation, release, fault, concerned, today)


def _kubernetes(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    fault = faults.DELETION_TIMESTAMP
    held = [node for node in facts.snapshot.nodes if node.finalizers]
    if not held or facts.configuration.allocator is Allocator.OFF:
        return
    release, origin = _manager_release(facts)
    if release is None:
        yield self.unknown("the version of the controller manager is not known, and Nodes carry finalizers")
    elif fault.fits(release):
        leaving = [node for node in held if node.deleting is not None]
        names = [node.name for node in leaving or held]
        state = "being deleted and held by a finalizer" if leaving else "with a finalizer"
        yield self.finding(
            f"Kubernetes {show_release(release)}: {fault.what}. {fold(names)}: {state}.",
            tuple(node_subject(name) for name in names),
            severity=Severity.WARNING if leaving else Severity.INFO,
            evidence=(
                Evidence("version", show_release(release), origin, "kubectl version"),
                *(_finalizers(node) for node in (leaving or held)[:SHOWN]),
                Evidence("known from", fault.source, "table of known faults"),
            ),
            remedy=Remedy(f"{fault.cure[0].upper()}{fault.cure[1:]}."),
        )


def _manager_release(facts: Facts) -> tuple[Release | None, str]:
    for pod in facts.snapshot.control_plane_pods:
        for container in pod.detail.containers if pod.detail else ():
            if container.name == "kube-controller-manager" and (release := image_release(container.image)):
                return release, f"Pod {pod.namespace}/{pod.name}, image of the controller manager"
    return parse_release(facts.snapshot.cluster.version), "the API server's version"


def _finalizers(node: Node) -> Evidence:
    return Evidence(
        f"finalizers of {node.name}",
        ", ".join(node.finalizers),
        f"Node {node.name}, metadata.finalizers",
        f"kubectl get node {quoted(node.name)} -o jsonpath='{{.metadata.finalizers}}'",
    )


def _by_release(facts: Facts, index: int, installation: Installation) -> dict[Release, list[Member]]:
    """Settled Nodes with what they announce, by the release that runs there; only releases with a known fault."""
    said = {network.prefix: network.announcements for network in facts.networks}.get(installation.prefix, {})
    found: dict[Release, list[Member]] = {}
    for name, items in facts.flannel_on.items():
        item = next((i for i in items if i.installation == index), None)
        release = parse_release(pod_version(item.pod, item.container)) if item is not None else None
        node = facts.nodes.get(name)
        if node is not None and release is not None and _faulty(release) and facts.settled(node):
            found.setdefault(release, []).append((node, said.get(name) or read(node, installation.prefix)))
    return found


@cache
def _faulty(release: Release) -> bool:
    return any(fault.fits(release) for fault in faults.FLANNEL_FAULTS)


def _flannel(
    self: Check, installation: Installation, release: Release, fault: KnownFault, concerned: Sequence[Member], today: bool
) -> Finding:
    names = [node.name for node, _ in concerned]
    daemonset = installation.daemonset
    command = show_daemonset(daemonset) if daemonset is not None else ""
    return self.finding(
        f"flannel {show_release(release)} on {fold(names)}: {fault.what}.",
        tuple(node_subject(name) for name in names),
        severity=Severity.WARNING if today else Severity.INFO,
        evidence=(
            Evidence("release", show_release(release), f"{installation.title}, image of flannel's container", command),
            *(announced_address(said, 4) for _, said in concerned[:SHOWN]),
            Evidence("known from", fault.source, "table of known faults"),
        ),
        remedy=Remedy(f"{fault.cure[0].upper()}{fault.cure[1:]}."),
    )


def _non_local(installation: Installation, members: Sequence[Member]) -> tuple[Sequence[Member], bool]:
    """--public-ip (or node-public-ip) with an address that is not the node's; a NAT address where it is the ExternalIP."""
    asked = "public-ip" in installation.flags
    concerned = [
        (node, said)
        for node, said in members
        if said.backend_type == "vxlan"
        and (asked or said.node_public_ip)
        and said.public_ip
        and said.public_ip != said.overwrite
        and said.public_ip not in node.internal_ips
    ]
    outside = [(node, said) for node, said in concerned if said.public_ip in node.external_ips]
    return outside or concerned, bool(outside)


def _read_back(_: Installation, members: Sequence[Member]) -> tuple[Sequence[Member], bool]:
    """An overwrite that is not an address of the node: its next start fails."""
    return [(node, said) for node, said in members if said.overwrite and said.overwrite not in node.internal_ips], True


def _by_address(installation: Installation, members: Sequence[Member]) -> tuple[Sequence[Member], bool]:
    """An --iface-regex without a letter can only match addresses."""
    patterns = installation.flags.get("iface-regex", ())
    bare = [re.sub(r"\\.", "", pattern) for pattern in patterns]
    return (members if any(pattern and not re.search("[A-Za-z]", pattern) for pattern in bare) else ()), True


def _wireguard(_: Installation, members: Sequence[Member]) -> tuple[Sequence[Member], bool]:
    return [(node, said) for node, said in members if said.backend_type == "wireguard"], True


def _large_vni(installation: Installation, members: Sequence[Member]) -> tuple[Sequence[Member], bool]:
    conf = installation.net_conf
    large = conf is not None and conf.backend == "vxlan" and conf.vni > 65535
    return (members if large else ()), True


_TRIGGERS: Mapping[str, Trigger] = {
    faults.NON_LOCAL_PUBLIC_IP.key: _non_local,
    faults.PUBLIC_IP_READ_BACK.key: _read_back,
    faults.IFACE_REGEX_BY_ADDRESS.key: _by_address,
    faults.WIREGUARD_MTU.key: _wireguard,
    faults.LARGE_VNI.key: _large_vni,
}
