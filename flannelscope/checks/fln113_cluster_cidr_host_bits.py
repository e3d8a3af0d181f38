"""The cluster CIDR is written with host bits, and Kubernetes silently masks them: 10.244.0.0/12 really is 10.240.0.0/12.
New podCIDRs then begin below the address that is written, which surprises whoever plans by it.

How it is known

The cluster CIDR as it is written in the arguments (or in a hint such as kubeadm-config) is compared with its masked form.

How to see it

The range as it is written in the arguments of the controller manager.

    kubectl -n kube-system get pods -l component=kube-controller-manager -o yaml | grep -E 'cluster-cidr|node-cidr'

What to do

Nothing at once. When the flag is changed next time, write the masked form; it means the same.

How to undo it

There is nothing to undo: nothing is changed by looking.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.address_proofs import settings
from flannelscope.checks import Check, check
from flannelscope.cidr import has_host_bits, last, show, show_address
from flannelscope.effective import Sureness
from flannelscope.facts import Facts
from flannelscope.model import CLUSTER, Finding, Remedy, Severity, Topic, Unknown


@check("FLN113", "cluster-cidr-host-bits", Severity.INFO, needs=(Topic.NODES,))
def cluster_cidr_host_bits(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each cluster CIDR written so."""
    configuration = facts.configuration
    if configuration.cluster_sure == Sureness.ESTIMATE:
        return
    for written, prefix in zip(configuration.cluster_cidrs_written, configuration.cluster_cidrs, strict=False):
        if has_host_bits(written):
            yield this.finding(
                f"The cluster CIDR is written {written} and really is {show(prefix)} "
                f"({show_address(prefix.family, prefix.base)} to {show_address(prefix.family, last(prefix))}).",
                (CLUSTER,),
                evidence=settings(facts, "cluster-cidr"),
                remedy=Remedy(f"Nothing at once; write {show(prefix)} when the flag is changed next time."),
            )
