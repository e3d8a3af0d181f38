"""Two flannels on one node overwrite each other's annotations, subnet.env and device: whichever started last wins, and the
winner changes with every restart. Upgrades from v0.12 to v0.13 and from v0.18 to v0.19 leave the old DaemonSet behind.

How it is known

On one node the flannel containers of two installations are running with the same annotation prefix, or both are told the
same --subnet-file. Two networks with different prefixes and files are legitimate. Where prefixes differ and a file is not
named, both write /run/flannel/subnet.env inside their containers; whether that is one file on the host, the API as it is
read here does not tell.

How to see it

Two flannel pods on one node.

    kubectl get pods -A -o wide | grep -i flannel

What to do

Keep the installation whose ConfigMap and image are the wanted ones (after an upgrade the one in namespace kube-flannel),
delete the other DaemonSet, then start flannel anew on the nodes where it ran. The command for that is given only for what an
upgrade of the upstream manifest has left in kube-system: Canal, RKE2 and Helm manage theirs, and Canal's DaemonSet enforces
policies too.

How to undo it

Apply the manifest of the deleted DaemonSet again; save it first.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from flannelscope.checks import Check, check
from flannelscope.facts import Facts, FlannelOnNode
from flannelscope.flannel.discovery import Installation, embedding
from flannelscope.model import Finding, Remedy, Severity, Subject, Topic, Unknown, node_subject
from flannelscope.proofs import SHOWN, flannel_runs, quoted
from flannelscope.text import count, fold

MANAGED = ("app.kubernetes.io/managed-by", "helm.sh/chart", "objectset.rio.cattle.io/hash")
Pair = tuple[int, int]  # indexes of installations


@check(
    "FLN314",
    "two-daemons-on-node",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.FLANNEL_PODS),
    swallows=("FLN202", "FLN306", "FLN410", "FLN415"),
)
def two_daemons(self: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """Pairs of installations that run on the same nodes and write the same things there."""
    installations = facts.discovery.installations
    for (first, second), places in _pairs(facts).items():
        a, b = installations[first], installations[second]
        if a.prefix == b.prefix or (a.subnet_file == b.subnet_file and _names_file(a) and _names_file(b)):
            yield _finding(self, facts, a, b, places)
        elif a.subnet_file == b.subnet_file:
            yield self.unknown(
                f"{a.title} and {b.title} have different prefixes and both write {a.subnet_file} inside their containers; "
                "whether that is one file on the host is not seen here",
                tuple(places),
            )


def _names_file(installation: Installation) -> bool:
    return "subnet-file" in installation.flags


def _pairs(facts: Facts) -> dict[Pair, dict[str, tuple[FlannelOnNode, ...]]]:
    """Nodes where two different installations run at once, with their pods."""
    found: dict[Pair, dict[str, tuple[FlannelOnNode, ...]]] = {}
    for name, items in facts.flannel_on.items():
        node = facts.nodes.get(name)
        if len(items) < 2 or node is None or not facts.settled(node):
            continue
        running = {i.installation: i for i in items if i.status is not None and i.status.state == "running"}
        for pair in combinations(sorted(running), 2):
            found.setdefault(pair, {})[name] = (running[pair[0]], running[pair[1]])
    return found


def _finding(
    self: Check, facts: Facts, a: Installation, b: Installation, places: dict[str, tuple[FlannelOnNode, ...]]
) -> Finding:
    same = f"annotation prefix {a.prefix}" if a.prefix == b.prefix else f"file {a.subnet_file}"
    proofs = [flannel_runs(item) for items in list(places.values())[: SHOWN // 2] for item in items]
    old = next((i for i, other in ((a, b), (b, a)) if _left_by_upgrade(facts, i, other)), None)
    doomed = [i for i in ((old,) if old else (a, b)) if i.daemonset is not None]
    return self.finding(
        f"Two flannels run on {count(len(places), 'node')} ({fold(list(places))}) with one {same}: {a.title} ({a.version}) and "
        f"{b.title} ({b.version}); whichever started last wins, until the next restart.",
        (*(node_subject(name) for name in places), *_daemonsets(a, b)),
        evidence=tuple(proofs),
        remedy=Remedy(
            "Save and delete the DaemonSet that is not wanted, then start flannel anew on these nodes.",
            tuple(
                f"kubectl -n {quoted(i.namespace)} get daemonset {quoted(i.name)} -o yaml > {quoted(i.name)}.yaml" for i in doomed
            )
            + tuple(f"kubectl -n {quoted(i.namespace)} delete daemonset {quoted(i.name)}" for i in doomed[:1] if old),
            "Compare the net-conf.json of both first: the nodes switch to that of the flannel that stays.",
        ),
    )


def _left_by_upgrade(facts: Facts, old: Installation, new: Installation) -> bool:
    """Whether `old` is upstream's of before v0.19, in kube-system, beside upstream's of today, and nobody manages it."""
    if old.daemonset is None or new.daemonset is None or (old.kind, new.kind) != ("upstream", "upstream"):
        return False
    before, after = old.daemonset.created, new.daemonset.created
    younger = before is not None and after is not None and before > after
    managed = any(key in old.daemonset.labels for key in MANAGED)
    rke2 = any(embedding(node) != "host" for node in facts.snapshot.nodes if node.name in old.covered)
    return (old.namespace, new.namespace) == ("kube-system", "kube-flannel") and not younger and not managed and not rke2


def _daemonsets(*installations: Installation) -> Iterator[Subject]:
    for installation in installations:
        if installation.daemonset is not None:
            yield Subject("DaemonSet", installation.name, installation.namespace)
