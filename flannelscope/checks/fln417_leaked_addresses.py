"""host-local keeps addresses for pods that are gone: a node or its runtime died before it could give them back. Each of them is
one address fewer for pods, for ever; when none is left, no pod starts there.

How it is known

In two readings a lease in /var/lib/cni/networks is older than ten minutes, its sandbox does not run on the node, and no pod of
the node in any phase has its address. It is a warning only together with FLN115, which counts them among the used ones.

How to see it

On the node, the files of /var/lib/cni/networks/cbr0: each is named after an address and holds the id of a sandbox.

    flannelscope check --ssh --only FLN417 --fail-on info

What to do

Remove these files, and only these: an address whose file is removed while a pod has it is given to a second pod. After a node is
drained and restarted, all files that are left there are leaked.

How to undo it

Write the files back with the sandbox's id in them; look first that nobody has got the addresses meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.leases import stable_leaks
from flannelscope.model import Evidence, Finding, Severity, Topic, Unknown, node_subject
from flannelscope.pod_addresses import left_out
from flannelscope.proofs import SHOWN
from flannelscope.seen_twice import on_node, origin
from flannelscope.text import count, fold

PLACE = "/var/lib/cni/networks"


@check("FLN417", "leaked-addresses", Severity.INFO, needs=(Topic.NODES, Topic.PODS, Topic.KERNELS))
def leaked_addresses(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each node with leases that nobody has."""
    if reason := left_out(facts):
        yield this.unknown(reason)
        return
    found, doubts = stable_leaks(facts)
    for name, addresses in found.items():
        yield _finding(this, facts, name, addresses)
    yield from doubts.told(this)


def _finding(this: Check, facts: Facts, name: str, addresses: tuple[str, ...]) -> Finding:
    held = f"{count(len(addresses), 'address', 'addresses')} of sandboxes that are gone"
    example = f"{PLACE}/cbr0/{addresses[0]}"
    return this.finding(
        f"host-local on {name} keeps {held} ({fold(addresses)}): no pod gets them any more.",
        (node_subject(name),),
        evidence=(
            Evidence(
                f"leases without sandbox and without pod on {name}",
                ", ".join(addresses[:SHOWN]) + (f" and {len(addresses) - SHOWN} more" if len(addresses) > SHOWN else ""),
                f"{origin(facts, name)}: {PLACE}, beside the pods of the API",
                f"ls -l {PLACE}/cbr0",
            ),
        ),
        remedy=on_node(
            name,
            f"Remove the files of just these addresses on {name}.",
            [f"cat {example}", f"rm {example}"],
            caution="Look before each: a sandbox that runs (crictl pods) keeps its file. The commands show the first.",
        ),
    )
