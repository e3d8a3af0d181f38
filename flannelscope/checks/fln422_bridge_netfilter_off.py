"""Packets between pods of one node pass the bridge without meeting iptables: a pod that calls a Service whose endpoint is on the
same node gets its answer from the wrong address, and the connection fails, now and then, depending on where the endpoint is.

How it is known

In two readings a node with a bridge CNI has net.bridge.bridge-nf-call-iptables 0, or not at all (the module br_netfilter is not
loaded), while kube-proxy's rules for iptables or ipvs are in its kernel (chain KUBE-SERVICES). With kube-proxy's nftables mode,
or without kube-proxy, nothing is wanted.

How to see it

On the node, `sysctl net.bridge.bridge-nf-call-iptables`.

    flannelscope check --ssh --only FLN422

What to do

Load br_netfilter and switch the setting on, and keep both over a reboot in /etc/modules-load.d and /etc/sysctl.d.

How to undo it

Set the value back to 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.facts import Facts
from flannelscope.filters import saved_tables
from flannelscope.here import Here
from flannelscope.model import Finding, SavedTable, Severity, Topic, Unknown
from flannelscope.seen_twice import Complaint, on_node, seen_twice

SETTING = {4: "net/bridge/bridge-nf-call-iptables", 6: "net/bridge/bridge-nf-call-ip6tables"}
PROXY = "KUBE-SERVICES"


@check("FLN422", "bridge-netfilter-off", Severity.WARNING, needs=(Topic.NODES, Topic.KERNELS))
def bridge_netfilter_off(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each node whose bridge hides packets from kube-proxy's rules."""
    yield from seen_twice(this, facts, _judge)


def _judge(here: Here) -> Iterator[Complaint]:
    if not here.bridge or here.canal:
        return
    for family in here.families:
        value = here.setting(SETTING[family])
        if value == 1:
            continue
        if _by_iptables(here, family):
            yield _complaint(here, SETTING[family].replace("/", "."), value)


def _by_iptables(here: Here, family: int) -> bool:
    """Whether kube-proxy rules with iptables or ipvs now: chains of former times stay behind, empty or unused."""
    native = here.kernel.facts.get("nft") or ()
    if any(table.name == "kube-proxy" and table.family == ("ip" if family == 4 else "ip6") for table in native):
        return False
    return any(table.family == family and table.name == "nat" and _in_use(table) for table in saved_tables(here))


def _in_use(table: SavedTable) -> bool:
    """Whether its chain for Services has rules, and packets are sent there."""
    services = table.chains.get(PROXY)
    entries = (table.chains[name] for name in ("PREROUTING", "OUTPUT") if name in table.chains)
    sent = any(f"-j {PROXY}" in rule.text for entry in entries for rule in entry.rules)
    return services is not None and bool(services.rules) and sent


def _complaint(here: Here, setting: str, value: int | None) -> Complaint:
    state = "is not there: br_netfilter is not loaded" if value is None else f"is {value}"
    return Complaint(
        key=setting,
        summary=f"On {here.node.name} {setting} {state}, and kube-proxy works with iptables: pods there do not always reach "
        "Services whose endpoint is on the same node.",
        evidence=(here.proof(setting, "absent" if value is None else str(value), "sysctls", f"sysctl {setting}"),),
        remedy=on_node(
            here.node.name,
            f"Load br_netfilter on {here.node.name}, and switch {setting} on.",
            ["modprobe br_netfilter", f"sysctl -w {setting}=1"],
        ),
    )
