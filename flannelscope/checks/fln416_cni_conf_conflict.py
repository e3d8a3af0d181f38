"""The container runtime takes the first file of its CNI directory. Where another plugin's file sorts before flannel's, new pods
are wired by that one: they get addresses that no other node knows.

How it is known

In two readings the first configuration (by name, of *.conf, *.conflist and *.json) on a member contains no flannel: neither
directly, nor in a chain, nor as a delegate of Multus; and it is not Canal's calico with host-local over the podCIDR. A file that
sorts after flannel's is never read, and fine. It is critical where running pods of the node have addresses outside of its
podCIDR.

How to see it

On the node, `ls /etc/cni/net.d`: the first name counts.

    flannelscope check --ssh --only FLN416

What to do

Move the file that is not flannel's out of the directory, take away the program that put it there, and delete the pods that were
wired by it.

How to undo it

Move the file back.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.cidr import holds, parse_address
from flannelscope.facts import Facts
from flannelscope.flannel.cni import CniConfiguration, by_flannel, configurations
from flannelscope.here import Here
from flannelscope.model import Cni, Evidence, Finding, Pod, Severity, Topic, Unknown
from flannelscope.pod_addresses import in_use
from flannelscope.proofs import SHOWN, quoted
from flannelscope.seen_twice import Complaint, on_node, seen_twice
from flannelscope.text import clean, count


@check(
    "FLN416",
    "cni-conf-conflict",
    Severity.WARNING,
    needs=(Topic.NODES, Topic.KERNELS),
    swallows=("FLN111", "FLN114", "FLN409"),
)
def cni_conf_conflict(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each member whose runtime takes another plugin's configuration."""
    yield from seen_twice(this, facts, _judge)


def _judge(here: Here) -> Iterator[Complaint]:
    cni: Cni = here.fact("cni", "CNI configuration")
    found = configurations(cni)
    if not found or by_flannel(found[0], found[1:]):
        return
    first, strays = found[0], _strays(here)
    path = f"{cni.conf_dir}/{first.file.name}"
    effect = f"{count(len(strays), 'pod')} there got addresses by it" if strays else "new pods there get addresses by it"
    what = f"is {first.broken}" if first.broken else f"names {', '.join(first.types)} and not flannel"
    yield Complaint(
        key=path,
        summary=f"On {here.node.name} the runtime takes {clean(path)}, which {clean(what)}: {effect}, not flannel's.",
        severity=Severity.CRITICAL if strays else None,
        evidence=(_files(here, cni, found), *_stray_proofs(here, strays)),
        remedy=on_node(
            here.node.name,
            f"Move {clean(path)} away on {here.node.name}, and delete the pods that were wired by it.",
            [f"mv {quoted(path)} /root/"],
        ),
    )


def _strays(here: Here) -> list[tuple[Pod, str]]:
    """Running pods of the node with an IPv4 address outside of its podCIDR."""
    own = here.own(4)
    if own is None:
        return []
    pods = (pod for pod in here.facts.pods_on.get(here.node.name, ()) if in_use(pod))
    found = ((pod, text, parse_address(text)) for pod in pods for text in pod.ips[:1])
    return [(pod, text) for pod, text, at in found if at is not None and at[0] == 4 and not holds(own, *at)]


def _files(here: Here, cni: Cni, found: tuple[CniConfiguration, ...]) -> Evidence:
    told = ", ".join(clean(f"{item.file.name} ({', '.join(item.types) or item.broken})") for item in found[:SHOWN])
    return here.proof(f"files of {cni.conf_dir} in their order", told, "cni", f"ls {cni.conf_dir}")


def _stray_proofs(here: Here, strays: list[tuple[Pod, str]]) -> Iterator[Evidence]:
    command = f"kubectl get pods -A --field-selector spec.nodeName={quoted(here.node.name)} -o wide"
    for pod, address in strays[:SHOWN]:
        yield Evidence(f"address of {pod.namespace}/{pod.name}", address, "Pod, status.podIPs", command)
