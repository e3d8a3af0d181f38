"""flannel's masquerade rules let pods reach the world with their node's address, and keep pods' own addresses among pods. Where
they are missing pods reach nothing outside; where they name another network, peers see the node's address instead of the pod's.

How it is known

flannel runs with --ip-masq (without it nothing is wanted), and in two readings that lie further apart than its resync
(--iptables-resync, 5 seconds by default) the rule set of its release is missing or names another Network or podCIDR: up to
v0.19 rules in POSTROUTING itself, since v0.20 the chain FLANNEL-POSTRTG and a jump to it, with EnableNFTables a table of nft,
which flannel sets once and never again. Both flavours of iptables are looked at. Duplicates are worth knowing, no more.

How to see it

On the node, `iptables-save -t nat`, in both flavours, or `nft list table ip flannel-ipv4`.

    flannelscope check --ssh --only FLN415

What to do

Start flannel anew on that node. Where the rules vanish again, another program loads its own over them (firewalld, ufw): let it
keep flannel's chains. A flannel that is stopped or hangs does not set them again.

How to undo it

There is nothing to undo: flannel sets its rules at each start.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.cidr import show
from flannelscope.facts import Facts
from flannelscope.filters import nft_tables, saved_tables, unseen_rules
from flannelscope.flannel.flags import is_true
from flannelscope.flannel.masquerade import CHAIN, duplicates, native_missing, saved_missing
from flannelscope.flannel.netconf import NetConf
from flannelscope.here import Here, NotRead
from flannelscope.model import Evidence, Finding, Prefix, Remedy, SavedTable, Severity, Topic, Unknown
from flannelscope.proofs import restart_flannel
from flannelscope.seen_twice import Complaint, seen_twice

RESYNC = 5.0  # seconds, flannel's default


@check("FLN415", "masquerade-wrong", Severity.WARNING, needs=(Topic.NODES, Topic.KERNELS))
def masquerade_wrong(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each node on which flannel's masquerade rules are missing or wrong."""
    yield from seen_twice(this, facts, _judge, apart=_resync)


def _resync(here: Here) -> float:
    text = here.flags.get("iptables-resync", "")
    return float(text) if text.isdigit() else RESYNC


def _judge(here: Here) -> Iterator[Complaint]:
    if not is_true((here.flag("ip-masq"),)) or not here.up:
        return
    try:
        conf = here.running_conf
    except NotRead:
        # Rules that fit the ConfigMap are right whatever flannel began with; others may be right for what it read before.
        if here.conf is None or any(said.key.startswith("missing") for said in _against(here, here.conf)):
            raise
        conf = here.conf
    yield from _against(here, conf)


def _against(here: Here, conf: NetConf) -> Iterator[Complaint]:
    for family in here.families:
        own, network = here.own(family), conf.network if family == 4 else conf.ipv6_network
        if own is not None and network is not None:
            yield from _native(here, family, network, own) if conf.enable_nftables else _saved(here, family, network, own)


def _native(here: Here, family: int, network: Prefix, own: Prefix) -> Iterator[Complaint]:
    missing = native_missing(nft_tables(here), family, network, own)
    if missing:
        table = f"{'ip' if family == 4 else 'ip6'} flannel-ipv{family}"
        yield _complaint(here, family, missing, "nft", f"nft list table {table}")


def _saved(here: Here, family: int, network: Prefix, own: Prefix) -> Iterator[Complaint]:
    tables = [table for table in saved_tables(here) if table.family == family and table.name == "nat"]
    command = f"{'iptables' if family == 4 else 'ip6tables'}-save -t nat"
    by_flavour = {table.flavour: saved_missing(table, here.release, network, own) for table in tables}
    if all(by_flavour.values()):  # none of the flavours has all
        if reason := unseen_rules(here):
            raise NotRead(reason)
        best = min(by_flavour.values(), key=len, default=(f"the chain {CHAIN}",))
        yield _complaint(here, family, best, "iptables", command)
        return
    yield from _twice(here, tables, family, command, [flavour for flavour, missing in by_flavour.items() if not missing])


def _twice(here: Here, tables: list[SavedTable], family: int, command: str, whole: list[str]) -> Iterator[Complaint]:
    double = [rule for table in tables for rule in duplicates(table)]
    if not double and len(whole) < 2:
        return
    what = f"{len(double)} rules stand there twice" if double else "both flavours of iptables have them"
    yield Complaint(
        key=f"twice {family}",
        summary=f"{here.node.name} has flannel's masquerade rules more than once ({what}): nothing is wrong with the traffic.",
        severity=Severity.INFO,
        evidence=(here.proof("flannel's masquerade rules", "; ".join(double) or ", ".join(whole), "iptables", command),),
        remedy=_remedy(here),
    )


def _complaint(here: Here, family: int, missing: tuple[str, ...], probe: str, command: str) -> Complaint:
    state = next((f"flannel (pid {p.pid}) is stopped" for p in here.processes if p.state.startswith(("T", "t"))), "")
    stopped = (
        (Evidence(f"flannel on {here.node.name}", state, "its process", "ps -C flanneld -o pid,stat,args"),) if state else ()
    )
    return Complaint(
        key=f"missing {family}",
        summary=f"{here.node.name} lacks flannel's masquerade rules for IPv{family}: its pods reach nothing outside of Network, "
        "or appear to other pods with the node's address.",
        evidence=(
            here.proof("missing of flannel's masquerade rules", "; ".join(missing), probe, command),
            *_meant(here, family),
            *stopped,
        ),
        remedy=_remedy(here),
    )


def _meant(here: Here, family: int) -> Iterator[Evidence]:
    own, conf = here.own(family), here.conf
    network = (conf.network if family == 4 else conf.ipv6_network) if conf is not None else None
    if own is not None and network is not None:
        yield Evidence("Network and podCIDR", f"{show(network)}, {show(own)}", "net-conf.json; Node, spec.podCIDRs", "")


def _remedy(here: Here) -> Remedy:
    return Remedy(
        f"Start flannel anew on {here.node.name}, and find out what takes its rules away.",
        restart_flannel((here.runs,) if here.runs else ()),
    )
