"""The runtime calls a program for each plugin that its CNI configuration names. Where one is missing no pod of that node gets an
address: all wait in ContainerCreating with "failed to find plugin".

How it is known

In two readings of a member none of the runtime's plugin directories holds an executable that the first CNI configuration names,
itself or in its turn (flannel calls bridge and host-local). Without a look at the nodes, an event of the last ten minutes tells
of it: FailedCreatePodSandBox with `failed to find plugin`.

How to see it

On the node, `ls /opt/cni/bin`.

    kubectl get events -A --field-selector reason=FailedCreatePodSandBox
    flannelscope check --ssh --only FLN419

What to do

Install the package that brings the plugins (containernetworking-plugins, kubernetes-cni); flannel's own program comes with its
pod's init container, so delete flannel's pod on that node.

How to undo it

There is nothing to undo: more programs in that directory change nothing by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import RECENT, Facts
from flannelscope.flannel.cni import configurations
from flannelscope.here import Here, NotRead
from flannelscope.model import Cni, Event, Evidence, Finding, Remedy, Severity, Topic, Unknown, node_subject
from flannelscope.proofs import quoted, restart_flannel, when
from flannelscope.seen_twice import Complaint, seen_twice
from flannelscope.text import clean, natural

_SAID = re.compile(r'failed to find plugin "([^"]{1,64})" in path \[([^\]]{0,300})\]')


@check("FLN419", "cni-binary-missing", Severity.CRITICAL, needs=(Topic.NODES,), swallows=("FLN114", "FLN601"))
def cni_binary_missing(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each node whose runtime lacks a plugin: as the node shows, else as events tell."""
    told: set[str] = set()
    if facts.snapshot.has(Topic.KERNELS):
        for said in seen_twice(this, facts, _judge):
            told.update(said.nodes if isinstance(said, Finding) else ())
            yield said
    else:
        yield this.unknown(f"{facts.snapshot.why_not(Topic.KERNELS)}: only events tell of missing plugins")
    for name, (plugin, event) in sorted(_by_events(facts).items(), key=lambda item: natural(item[0])):
        if name not in told:
            yield _by_event(this, facts, name, plugin, event)


def _judge(here: Here) -> Iterator[Complaint]:
    cni: Cni = here.fact("cni", "CNI configuration")
    found = configurations(cni)
    if not found or found[0].broken:
        return
    if not cni.bin_dirs:
        raise NotRead("the directory of CNI plugins was not read")
    there = {name for names in cni.bin_dirs.values() for name in names}
    missing = [name for name in found[0].types if name not in there]
    if missing:
        place, name = ", ".join(cni.bin_dirs), here.node.name
        yield Complaint(
            key=" ".join(missing),
            summary=f"{name} lacks the CNI plugin {clean(', '.join(missing))}: no new pod gets an address there.",
            evidence=(
                here.proof(
                    f"programs in {place}", clean(", ".join(sorted(there)) or "none"), "cni", f"ls {' '.join(cni.bin_dirs)}"
                ),
                here.proof(
                    f"plugins that {clean(found[0].file.name)} names",
                    clean(", ".join(found[0].types)),
                    "cni",
                    f"cat {quoted(f'{cni.conf_dir}/{found[0].file.name}')}",
                ),
            ),
            remedy=_remedy(here.facts, name, missing),
        )


def _remedy(facts: Facts, name: str, missing: list[str]) -> Remedy:
    if missing == ["flannel"]:
        first = f"Start flannel's pod on {name} anew: its init container copies the plugin there."
    else:
        first = f"Install {clean(', '.join(missing))} on {name} (containernetworking-plugins or kubernetes-cni)."
    return Remedy(first, restart_flannel(facts.flannel_on.get(name, ())) if "flannel" in missing else ())


def _by_events(facts: Facts) -> dict[str, tuple[str, Event]]:
    """By Node: the plugin that an event of the last ten minutes misses."""
    pods = {(pod.namespace, pod.name): pod.node for pod in facts.snapshot.pods}
    found: dict[str, tuple[str, Event]] = {}
    for event in facts.snapshot.events:
        said = _SAID.search(event.message) if event.reason == "FailedCreatePodSandBox" else None
        node = pods.get((event.namespace, event.name), "") if said else ""
        recent = event.last is not None and facts.now - event.last <= RECENT
        if said and recent and node in facts.nodes and facts.covered(facts.nodes[node]):
            found[node] = (said[1], event)
    return found


def _by_event(this: Check, facts: Facts, name: str, plugin: str, event: Event) -> Finding:
    return this.finding(
        f"{name} lacks the CNI plugin {clean(plugin)}, as its runtime says: no new pod gets an address there.",
        (node_subject(name),),
        evidence=(
            Evidence(
                f"event of {event.namespace}/{event.name} on {name}, last {when(event.last)}",
                clean(event.message, 300),
                "Event, FailedCreatePodSandBox",
                f"kubectl -n {quoted(event.namespace)} get events --field-selector involvedObject.name={quoted(event.name)}",
            ),
        ),
        remedy=_remedy(facts, name, [plugin]),
    )
