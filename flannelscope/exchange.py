"""How a Node gets another podCIDR, and how the Node of a machine that is gone is removed: commands in their order.

What is given here may be copied line by line. So there is no command for a Node that another hand makes or removes, none
where no free block is known for sure, and none that needs a restart of the controller manager while that would not start.
A flag that destroys data is never given.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from flannelscope.cidr import show
from flannelscope.deletion import clears_others, dead, no_restart, not_read, objection, once, said_not_read, survivors
from flannelscope.effective.manager import MANAGER, component_pods, embedded
from flannelscope.facts import Facts
from flannelscope.fits import where
from flannelscope.flannel.annotations import gates
from flannelscope.flannel.discovery import embedding
from flannelscope.model import Node, Prefix, Remedy
from flannelscope.proofs import restart_flannel, when
from flannelscope.targets import target
from flannelscope.text import clean, fold

BLANKS = 64  # before backend-data they are at most so many, however often it is written
TOUCHED = "the same JSON, other blanks before it: peers set route, ARP and FDB again"
COUNTS_ANEW = "it counts anew which blocks are used"
MOST = 12  # Nodes for which one remedy holds the commands
CAUTION = (
    "A podCIDR cannot be changed in place. Deleting a Node lets every peer drop the routes to its podCIDR, also where "
    "another Node still uses it. Do one Node at a time, each line only after the one before has ended well, and let no Node "
    "join meanwhile. drain stops at pods that have emptyDir volumes or no controller: --delete-emptydir-data destroys that "
    "data and --force ends such pods for good, so decide about each of them. "
    "Of several such findings, rebuild one Node and run the check at the end of its commands before the next: begin where the "
    "pods matter most. How long one takes is decided by drain (grace periods, disruption budgets)."
)
_AGENTS = {"k3s": "k3s-agent", "rke2": "rke2-agent"}


def exchange_remedy(facts: Facts, summary: str, *names: str, clearing: bool = True) -> Remedy:
    """Another podCIDR for these Nodes, or the removal of those that are dead. `summary` says what is to be done.

    `clearing` is False where none of these Nodes clears what others use: then it is not said what a restart would meet.
    """
    blocked = no_restart(facts)
    sentences, commands = [summary], list[str]()
    new: list[Prefix] = []
    if blocked and clearing:
        sentences.insert(0, blocked)
    for name in names[:MOST]:
        said, lines = _of_node(facts, name, bool(blocked))
        sentences += said
        commands += lines
        if lines and not dead(facts, facts.nodes[name]):
            new += target(facts, name)
    sentences.append(where(facts, new))
    if len(names) > MOST:
        sentences.append(f"The commands are for {MOST} of them; the others follow in the same way.")
    return Remedy(" ".join(dict.fromkeys(filter(None, sentences))), tuple(commands), CAUTION)


def _of_node(facts: Facts, name: str, blocked: bool) -> tuple[list[str], tuple[str, ...]]:
    """What is to be said of one Node, and its commands."""
    node = facts.nodes[name]
    if reason := objection(facts, node):
        return [f"No command for {name}: it {reason}."], ()
    clears = clears_others(facts, name)
    silent = [left_over(facts, node)] if dead(facts, node) else []
    if clears and blocked:
        return [*silent, f"Until then {name} must not be deleted: its block would be handed out while others use it."], ()
    if silent:
        return silent, removal(facts, name, clears=clears)
    if lacking := _lacking(facts, node):
        return [f"No command for {name}: {lacking}."], ()
    return [], exchange(facts, name, clears=clears)


def _lacking(facts: Facts, node: Node) -> str:
    """Why a living Node cannot be given another podCIDR by commands, "" when it can."""
    if not_read(facts):
        return f"{said_not_read(facts)}, so no block can be called free"
    if facts.configuration.known and not target(facts, node.name):
        return "no block is free; widen the pool first, or choose one of its own range that nobody else uses"
    return "it runs Windows" if node.os.lower() == "windows" else ""


def left_over(facts: Facts, node: Node) -> str:
    """What a Node of a dead machine is, and what becomes of those who share with it when it is deleted."""
    lease = facts.lease_of.get(node.name)
    since = lease.renewed if lease is not None and lease.renewed is not None else node.ready_since or node.created
    others = survivors(facts, node.name)
    effect = f"; peers drop the entries of {fold(others)} with it, until it is announced again" if others else ""
    return f"{node.name} has been silent since {when(since)}: only if its machine is gone for good, delete its Node{effect}."


def removal(facts: Facts, name: str, *, clears: bool) -> tuple[str, ...]:
    """The commands that save and delete the Node of a machine that is gone."""
    node = shlex.quote(name)
    return (
        f"kubectl get node {node} -o yaml > {shlex.quote(name + '.yaml')}",
        f"kubectl delete node {node}",
        *touch(facts, survivors(facts, name), name),
        *(restart_manager(facts) if clears else ()),
    )


def exchange(facts: Facts, name: str, *, clears: bool) -> tuple[str, ...]:
    """The commands that give a living Node another podCIDR. Peers set the entries of those who share the old one again."""
    wanted = ",".join(map(show, target(facts, name))) or "a free podCIDR (flannelscope cidr free)"
    node, agent = shlex.quote(name), _AGENTS.get(embedding(facts.nodes[name]), "kubelet")
    return (
        f"kubectl cordon {node} && kubectl drain {node} --ignore-daemonsets",
        f"kubectl get node {node} -o json > {shlex.quote(name + '.json')}"
        f"  # set spec.podCIDR and spec.podCIDRs to {wanted}; remove uid, resourceVersion, managedFields",
        f"systemctl stop {agent}  # on {node}; running containers stay",
        f"kubectl delete node {node}",
        *touch(facts, survivors(facts, name), name),
        *(restart_manager(facts) if clears else ()),
        f"kubectl create -f {shlex.quote(name + '.json')}",
        *_former_network(facts, name),
        f"systemctl start {agent}  # on {node}",
        *_flannel_anew(facts, name),
        f"kubectl get pods -A -o wide --field-selector spec.nodeName={node}"
        "  # delete those, not of the host network, whose address is not in the new podCIDR",
        f"kubectl uncordon {node}",
    )


def _former_network(facts: Facts, name: str) -> Iterator[str]:
    """What the CNI keeps of the former podCIDR on the machine: known for upstream's manifest, which uses the bridge plugin."""
    node = shlex.quote(name)
    kinds = {i.kind for i in facts.discovery.installations if name in i.covered}
    if kinds == {"upstream"}:
        yield f"ip link delete cni0; rm -rf /var/lib/cni/networks/cbr0 /run/flannel/subnet.env  # on {node}"
    elif kinds == {"canal"}:
        yield f"# on {node} there is no bridge (Canal): its pod writes the new subnet when it has started anew"
    else:
        yield f"# on {node} remove the bridge and the address reservations of the former podCIDR, where its CNI keeps them"


def _flannel_anew(facts: Facts, name: str) -> Iterator[str]:
    """flannel reads its podCIDR only when it starts. Its pod may have got another name meanwhile: it is found by its labels."""
    node, found = shlex.quote(name), facts.flannel_on.get(name, ())
    for item in found:
        daemonset = facts.discovery.installations[item.installation].daemonset
        if daemonset is None or not daemonset.match_labels:
            yield from restart_flannel((item,))
        else:
            labels = shlex.quote(",".join(f"{key}={value}" for key, value in sorted(daemonset.match_labels.items())))
            at = f"-l {labels} --field-selector spec.nodeName={node}"
            yield f"kubectl -n {shlex.quote(daemonset.namespace)} delete pod {at}"
    if not found:
        yield f"# make sure that flannel on {node} has started anew"


@once
def restart_manager(facts: Facts) -> tuple[str, ...]:
    """The line that restarts the controller manager, which then counts anew which blocks are used."""
    before = "before any Node joins; go on when one leads again"
    if not facts.configuration.known:
        before += "; see first that all podCIDRs are inside its --cluster-cidr, or it will not start"
    pods = component_pods(facts.snapshot, MANAGER)
    if pods and all(pod.mirror for pod in pods):
        places = _each(pod.node for pod in pods)
        return (f"crictl stop $(crictl ps --quiet --name {MANAGER})  # on {places}: {COUNTS_ANEW}; {before}",)
    servers = [found.place for found in embedded(facts.snapshot)]
    if servers and all(embedding(facts.nodes[place]) == "k3s" for place in servers):
        return (f"systemctl restart k3s  # on {_each(servers)}: {COUNTS_ANEW}; {before}",)
    return (f"# restart the controller manager in the way it is run here: {COUNTS_ANEW}; {before}",)


def _each(names: Iterable[str]) -> str:
    """The machines, for a comment in a command."""
    unique = sorted(set(names))
    return f"{clean(fold(unique))}{', one after the other' if len(unique) > 1 else ''}"


def touch(facts: Facts, names: Iterable[str], leaving: str = "") -> tuple[str, ...]:
    """The writes after which every peer sets its entries for these members again: the same backend-data, other blanks.

    `leaving` is the Node whose deletion makes them necessary. For each such Node they are others, in whichever remedies they
    stand and whichever of these are followed: an unchanged value does nothing.
    """
    commands = []
    for name in names:
        node, turns = facts.nodes[name], facts.touches.setdefault(name, {})
        turn = turns.setdefault(leaving, len(turns))
        for key in (prefix + key for prefix in gates(node) for key in ("backend-data", "backend-v6-data")):
            raw = node.annotations.get(key)
            if raw is not None:
                bare = raw.lstrip(" ")
                other = " " * ((len(raw) - len(bare) + 1 + turn) % BLANKS) + bare
                write = f"kubectl annotate --overwrite node {shlex.quote(name)} {shlex.quote(f'{key}={other}')}"
                commands.append(f"{write}  # {TOUCHED}")
    return tuple(commands)
