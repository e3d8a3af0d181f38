"""flannel's CNI plugin reads subnet.env for every new pod. Where the file is missing no pod starts; where it names another
subnet, pods get addresses that the other nodes route to somewhere else.

How it is known

In two readings the file of --subnet-file is missing although flannel has run for over two minutes, or FLANNEL_SUBNET (or
FLANNEL_IPV6_SUBNET) is not in the Node's podCIDR: critical. Another FLANNEL_NETWORK than the net-conf that flannel runs with,
another FLANNEL_MTU than the tunnel's, or another FLANNEL_IPMASQ than --ip-masq says: a warning. flannel writes the file once,
at its start, so nothing mends it by itself.

How to see it

On the node, `cat /run/flannel/subnet.env` beside the podCIDR.

    kubectl get node NODE -o jsonpath='{.spec.podCIDRs}'
    flannelscope check --ssh --only FLN410

What to do

Start flannel anew on that node: it writes the file. Then delete pods that got an address outside of the podCIDR meanwhile.

How to undo it

There is nothing to undo: flannel writes the file at each start from what the Node and net-conf.json say.
"""

from __future__ import annotations

from collections.abc import Iterator

from flannelscope.checks import Check, check
from flannelscope.cidr import parse, show
from flannelscope.facts import Facts
from flannelscope.flannel.discovery import DEFAULT_SUBNET_FILE
from flannelscope.flannel.flags import is_true
from flannelscope.here import Here, NotRead
from flannelscope.model import Evidence, Finding, Remedy, Severity, SubnetEnv, Topic, Unknown
from flannelscope.proofs import pod_cidrs, restart_flannel
from flannelscope.seen_twice import Complaint, seen_twice

SUBNET = {4: "FLANNEL_SUBNET", 6: "FLANNEL_IPV6_SUBNET"}
NETWORK = {4: "FLANNEL_NETWORK", 6: "FLANNEL_IPV6_NETWORK"}


@check(
    "FLN410",
    "subnet-env-wrong",
    Severity.CRITICAL,
    needs=(Topic.NODES, Topic.KERNELS),
    swallows=("FLN111", "FLN114", "FLN409", "FLN415"),
)
def subnet_env_wrong(this: Check, facts: Facts) -> Iterator[Finding | Unknown]:
    """One finding for each node whose subnet.env is missing or does not say what its Node and flannel say."""
    yield from seen_twice(this, facts, _judge)


def _judge(here: Here) -> Iterator[Complaint]:
    wanted, doubt = _file(here)
    env: SubnetEnv = here.fact("subnet_env", "subnet.env")
    if env.path.removeprefix("/var") != wanted.removeprefix("/var"):
        raise NotRead(f"flannel writes {wanted}, and {env.path} was read")
    if not here.up:
        return
    found = _against(here, env)
    if doubt and next(found, None) is not None:
        raise NotRead(f"{env.path} is not what flannel would write, and {doubt}")
    yield from found


def _file(here: Here) -> tuple[str, str]:
    """The file that flannel writes, as far as is known, and why it may be another."""
    usual = here.installation.subnet_file if here.installation else DEFAULT_SUBNET_FILE
    try:
        return here.flag("subnet-file") or DEFAULT_SUBNET_FILE, ""
    except NotRead as error:
        return usual, "" if here.inside else str(error)


def _against(here: Here, env: SubnetEnv) -> Iterator[Complaint]:
    if not env.present:
        yield _missing(here, env)
        return
    for family in here.families:
        yield from _subnet(here, env, family)
        yield from _network(here, env, family)
    yield from _mtu(here, env)
    yield from _masquerade(here, env)


def _missing(here: Here, env: SubnetEnv) -> Complaint:
    return Complaint(
        key="missing",
        summary=f"{here.node.name} has no {env.path}, although flannel runs there: no new pod gets an address.",
        evidence=(here.proof(env.path, "missing", "subnet_env", f"ls -l {env.path}"),),
        remedy=_remedy(here),
    )


def _subnet(here: Here, env: SubnetEnv, family: int) -> Iterator[Complaint]:
    own, key = here.own(family), SUBNET[family]
    written = env.values.get(key, "")
    if own is not None and parse(written) != own:
        yield Complaint(
            key=key,
            summary=f"{here.node.name}'s {env.path} says {key}={written or '(absent)'}, and its podCIDR is {show(own)}: new pods "
            "get addresses that other nodes do not send here.",
            evidence=(_line(here, env, key), pod_cidrs(here.node)),
            remedy=_remedy(here),
        )


def _network(here: Here, env: SubnetEnv, family: int) -> Iterator[Complaint]:
    try:
        conf = here.running_conf
    except NotRead:
        return
    network, key = conf.network if family == 4 else conf.ipv6_network, NETWORK[family]
    written = env.values.get(key, "")
    if network is not None and parse(written) != network:
        yield _mild(here, env, key, f"{key}={written or '(absent)'}, and flannel's Network is {show(network)}")


def _mtu(here: Here, env: SubnetEnv) -> Iterator[Complaint]:
    """Over IPv6 flannel tells pods 20 more than the tunnel has, as FLN408 says; only the IPv4 tunnel is compared."""
    name = next((name for family, name in here.tunnels if family == 4), "")
    link, written = here.links.get(name), env.values.get("FLANNEL_MTU", "")
    if link is not None and written != str(link.mtu):
        told = f"FLANNEL_MTU={written or '(absent)'}, and {name} has {link.mtu}"
        yield _mild(here, env, "FLANNEL_MTU", told)


def _masquerade(here: Here, env: SubnetEnv) -> Iterator[Complaint]:
    if not here.processes and (here.installation is None or here.installation.embedded):
        return  # inside k3s nobody gives flannel any flags
    asked, written = is_true((here.flag("ip-masq"),)), env.values.get("FLANNEL_IPMASQ", "")
    if written != str(asked).lower():
        yield _mild(
            here, env, "FLANNEL_IPMASQ", f"FLANNEL_IPMASQ={written or '(absent)'}, and flannel runs with --ip-masq={asked}"
        )


def _mild(here: Here, env: SubnetEnv, key: str, told: str) -> Complaint:
    return Complaint(
        key=key,
        summary=f"{here.node.name}'s {env.path} says {told}: pods that start from now on get other settings than meant.",
        severity=Severity.WARNING,
        evidence=(_line(here, env, key),),
        remedy=_remedy(here),
    )


def _line(here: Here, env: SubnetEnv, key: str) -> Evidence:
    return here.proof(key, env.values.get(key, "absent"), "subnet_env", f"cat {env.path}")


def _remedy(here: Here) -> Remedy:
    return Remedy(
        f"Start flannel anew on {here.node.name}: it writes the file; then delete pods there whose address is "
        "outside of the podCIDR.",
        restart_flannel((here.runs,) if here.runs else ()),
    )
