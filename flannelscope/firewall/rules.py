"""Rules as the walk needs them, whatever wrote them: what each would do with a packet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from flannelscope.firewall.packet import Packet, Sure
from flannelscope.model import Value

ACCEPT, DROP, RETURN, JUMP, GOTO, MARK, UNTRACK, PERHAPS = (
    "accept",
    "drop",
    "return",
    "jump",
    "goto",
    "mark",
    "untrack",
    "perhaps",
)


class Deed(Value, frozen=True):
    """What a rule does if it matches: one of the verdicts above. `target` is the chain of a jump or goto.

    PERHAPS is a verdict that another program decides (a queue).
    """

    sure: Sure
    verdict: str
    target: str = ""


class Step(Value, frozen=True):
    """One rule: `text` as its program shows it, `deeds` what it does with a packet."""

    text: str
    deeds: Callable[[Packet], Iterable[Deed]]


class BaseChain(Value, frozen=True, kw_only=True):
    """A chain that hangs on a hook, and the chains of its table: `steps_of` gives the rules of each by name, None for none.

    `flavour` is iptables-nft, iptables-legacy or nft.
    """

    flavour: str
    table: str
    name: str
    hook: str
    priority: int
    policy: str
    steps_of: Callable[[str], Sequence[Step] | None]
    show: str  # the command that shows the table


Chains = Mapping[str, Sequence[Step]]
ENGINES = (  # chains and tables of programs that enforce NetworkPolicies: what they drop is policy
    "cali-",
    "filter-cali-",
    "raw-cali-",
    "mangle-cali-",
    "KUBE-ROUTER-",
    "KUBE-NWPLCY-",
    "KUBE-POD-FW-",
    "WEAVE-NPC",
    "CILIUM_",
    "OLD_CILIUM_",
    "ANTREA-",
    "AZURE-NPM",
)
ENGINE_TABLES = ("calico", "kube-network-policies", "antrea", "kube-router")


def of_engine(chain: str) -> bool:
    """Whether a chain belongs to what enforces NetworkPolicies."""
    return chain.startswith(ENGINES)
