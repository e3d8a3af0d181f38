"""flannel reads public-ip-overwrite and node-public-ip once, when it starts. Set later, they change nothing until then: the
node goes on announcing the old address, and a later restart switches it without anybody expecting that.

How it is known

public-ip-overwrite (or public-ipv6-overwrite) differs from the public-ip that is announced; or, without an overwrite,
node-public-ip does. node-public-ip is known since v0.25.3: an older flannel never looks at it.

How to see it

public-ip-overwrite or node-public-ip beside public-ip in the Node's annotations.

    kubectl get node NODE -o yaml

What to do

Start flannel anew on the node, or remove the annotation if it is not wanted any more.

How to undo it

Remove the annotation and start flannel anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.flannel.annotations import Announcement
from flannelscope.flannel.versions import parse_release, pod_version
from flannelscope.model import Finding, Node, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import (
    annotation,
    announced_address,
    doubtful,
    flannel_runs,
    living,
    members,
    restart_flannel,
    why_doubtful,
)

NODE_PUBLIC_IP_SINCE = (0, 25, 3)


@check("FLN209", "overwrite-not-in-effect", Severity.WARNING, needs=(Topic.NODES,), swallows=("FLN203",))
def overwrite_not_in_effect(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Members whose announced address is not the one that an annotation asks for."""
    unsure: dict[str, None] = {}
    for network in facts.networks:
        for node, said in members(facts, network):
            for family in sorted(facts.families):
                ignored = _ignored(said, family)
                if ignored is not None and living(facts, node):
                    yield _finding(self, facts, node, said, family, *ignored)
                    unsure.update(dict.fromkeys(doubtful(facts, (node,))))
    if unsure:
        yield self.unknown(why_doubtful(facts), tuple(unsure))


def _ignored(said: Announcement, family: int) -> tuple[str, str] | None:
    """The key and value of the annotation that is not in effect."""
    suffix = "" if family == 4 else "v6"
    announced = said.public_ip if family == 4 else said.public_ipv6
    overwrite = said.overwrite if family == 4 else said.overwrite_v6
    wanted = said.node_public_ip if family == 4 else said.node_public_ipv6
    if overwrite:  # it wins over node-public-ip in what is announced
        return None if overwrite == announced else (f"public-ip{suffix}-overwrite", overwrite)
    return (f"node-public-ip{suffix}", wanted) if wanted and wanted != announced else None


def _finding(self: Check, facts: Facts, node: Node, said: Announcement, family: int, key: str, wanted: str) -> Finding:
    announced = said.public_ip if family == 4 else said.public_ipv6
    items = [
        i for i in facts.flannel_on.get(node.name, ()) if facts.discovery.installations[i.installation].prefix == said.prefix
    ]
    release = next((r for i in items if (r := parse_release(pod_version(i.pod, i.container))) is not None), None)
    too_old = key.startswith("node-public-ip") and release is not None and release < NODE_PUBLIC_IP_SINCE
    reason = "this flannel does not know that annotation (v0.25.3 and later do)" if too_old else "flannel reads it when it starts"
    return self.finding(
        f"{node.name} announces {announced or 'no address'} although {key} says {wanted}: {reason}.",
        (node_subject(node.name),),
        evidence=(
            annotation(node.name, said.prefix + key, wanted),
            announced_address(said, family),
            *(flannel_runs(item) for item in items[:1]),
        ),
        remedy=Remedy(
            "Start flannel anew on this node, or remove the annotation if it is not wanted any more.",
            restart_flannel(items),
            "Peers follow the new address as soon as it is announced; connections of this node's pods are interrupted meanwhile.",
        ),
    )
